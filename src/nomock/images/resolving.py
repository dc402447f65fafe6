"""Each image of images/images.toml resolved: already here, pulled, or built from packages.

What was chosen goes into ``.env``, where compose reads it; lines that are not ours stay.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, time

from nomock.adapters.compose_call import Call
from nomock.adapters.compose_config import variables
from nomock.adapters.engine import Engine, Image
from nomock.errors import BuildError, StateFolderError
from nomock.filelock import FileLock
from nomock.images import envfile
from nomock.images.manifest import ImageSpec, read_manifest
from nomock.images.steps import Steps, append

# Where a firewall swallows the question, this is what one registry costs, once.
_REGISTRY_ANSWERS_WITHIN_S = 5.0
_SHOWN_LOG_LINES = 20
_PROJECT = "COMPOSE_PROJECT_NAME"
_MANIFEST = Path("images", "images.toml")


@dataclass(frozen=True)
class ResolvedImage:
    """What an image's variable was set to, and how the image came here."""

    variable: str
    image: str
    how: str
    """here, pulled, built, or chosen (set by the user to something else)."""
    detail: str
    """Size and age, or what it took."""


def resolve_images(
    root: Path,
    progress: Callable[[str], None],
    environ: Mapping[str, str] = os.environ,
    *,
    compose_file: str = "",
) -> list[ResolvedImage]:
    """Settle every image of ``root/images/images.toml`` and write the choice to ``root/.env``.

    ``compose_file``: settle those that this compose file alone takes, by its name, instead of
    those that every run takes.
    ``progress`` is given one line of text whenever it changes, twice a second at the most.
    Raises ConfigError for an images.toml that is missing or wrong, BuildError when an image can
    be neither pulled nor built, EngineError when the engine does not answer.
    """
    wanted = [i for i in read_manifest(root / _MANIFEST) if i.compose_file == compose_file]
    env_file = root / ".env"
    chosen = {**_in_dotenv(root, [image.variable for image in wanted]), **environ}
    with _resolver(root, progress) as resolver:
        resolved = [resolver.resolve_images(image, chosen.get(image.variable)) for image in wanted]
        ours = {s.variable: s.image for s in resolved if s.how != "chosen"}
        envfile.write(env_file, ours, {_PROJECT: project_name(root)})
    return resolved


def provide_images_of(
    compose_file: str,
    root: Path,
    progress: Callable[[str], None],
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Settle the images that one compose file alone takes, unless they are; a millisecond if so.

    Nothing is done in a project without an images.toml. Raises as ``resolve_images`` does.
    """
    if not (root / _MANIFEST).exists():
        return
    wanted = [i for i in read_manifest(root / _MANIFEST) if i.compose_file == compose_file]
    chosen = {**envfile.read(root / ".env"), **environ}
    here = Engine().images() if wanted else {}
    if any(chosen.get(image.variable) not in here for image in wanted):
        resolve_images(root, progress, environ, compose_file=compose_file)


def _in_dotenv(root: Path, names: Sequence[str]) -> dict[str, str]:
    """Return what compose reads in ``root/.env``; nothing where there is none."""
    return variables(Call(root), names) if (root / ".env").exists() else {}


def resolve_image(
    root: Path,
    image: ImageSpec,
    progress: Callable[[str], None],
    environ: Mapping[str, str] = os.environ,
) -> ResolvedImage:
    """Settle an image that no compose file names: ``.env`` is neither asked nor written.

    Raises as ``resolve_images`` does.
    """
    with _resolver(root, progress) as resolver:
        return resolver.resolve_images(image, environ.get(image.variable))


@contextmanager
def _resolver(root: Path, progress: Callable[[str], None]) -> Iterator[_Resolver]:
    """What resolves images, until the end of the block; a full disk is a BuildError."""
    resolver = _Resolver(root, progress)
    try:
        yield resolver
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise StateFolderError(error.filename or root, error) from error
        raise _disk_full(str(error.filename or root), resolver.steps.current) from error
    finally:
        resolver.close()


def project_name(root: Path) -> str:
    """Return a compose project name of this checkout alone: two of them run side by side."""
    path = str(root.resolve())
    name = re.sub(r"[^a-z0-9_-]", "", root.resolve().name.lower()).lstrip("-_")
    return f"{name or 'nomock'}-{hashlib.sha256(path.encode()).hexdigest()[:6]}"


class _Resolver:
    """Settles one image after the other; remembers what is here and which registry is silent."""

    def __init__(self, root: Path, progress: Callable[[str], None]) -> None:
        self.steps = Steps(progress)
        self._root = root
        self._engine = Engine()
        self._here = self._engine.images()
        self._silent: dict[str, str] = {}
        self._lock: FileLock | None = None

    def resolve_images(self, image: ImageSpec, chosen: str | None) -> ResolvedImage:
        if chosen and chosen not in (image.upstream, image.stand_in):
            return ResolvedImage(
                image.variable, chosen, "chosen", "as .env or the environment says"
            )
        found = self._found(image)
        if found is None and self._lock is None:
            # One process pulls and builds; what it made is here when the next one gets the lock.
            self._lock = FileLock(self._root / ".nomock" / "images.lock")
            self._lock.acquire(exclusive=True, waiting=self._show_waiting)
            self._lock.sign("settling the images")
            self._here = self._engine.images()
            found = self._found(image)
        if found is None:
            return self._fetched(image)
        return ResolvedImage(image.variable, found, "here", _described(self._here[found]))

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def _found(self, image: ImageSpec) -> str | None:
        return next((tag for tag in (image.upstream, image.stand_in) if tag in self._here), None)

    def _show_waiting(self, holders: str) -> None:
        self.steps.show(f"wait for another run: {holders}")

    def _fetched(self, image: ImageSpec) -> ResolvedImage:
        """Pull an image, or build its stand-in where no registry has it for us."""
        started_s = monotonic()
        tag, how = image.upstream, "pulled"
        log = self._root / ".nomock" / "images" / f"{image.builder}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("", encoding="utf-8")
        if not (image.upstream and self._pull(image, log)):
            tag, how = image.stand_in, "built"
            self._build(image, log)
        self._here = self._engine.images()
        if tag not in self._here:
            raise BuildError(
                f"the builder ended well, but there is no image {tag}",
                where=f"build {tag}",
                todo=f"see {log}",
            )
        size = _size(self._here[tag].size_bytes)
        return ResolvedImage(
            image.variable, tag, how, f"{size}, in {monotonic() - started_s:.0f} s"
        )

    def _pull(self, image: ImageSpec, log: Path) -> bool:
        """Pull an image if its registry answers; say in the log why not."""
        registry = _registry(image.upstream)
        if registry not in self._silent:
            self.steps.begin(f"ask {registry} for {image.upstream}")
            silence = self._engine.registry_silence(image.upstream, _REGISTRY_ANSWERS_WITHIN_S)
            if silence is None:
                command = ["docker", "pull", image.upstream]
                return self.steps.run(command, "pull", image.upstream, log)
            self._silent[registry] = silence
        append(log, f"no answer from {registry}: {self._silent[registry]}\n")
        return False

    def _build(self, image: ImageSpec, log: Path) -> None:
        builder = self._root / "images" / image.builder
        if self.steps.run([str(builder), image.stand_in], "build", image.stand_in, log):
            return
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        last = "\n".join(lines[-_SHOWN_LOG_LINES:])
        full = re.search("no space left on device|enough free space", last, re.IGNORECASE)
        if full or shutil.disk_usage(log.parent).free < 1 << 20:
            raise _disk_full(image.stand_in, self.steps.current, last)
        raise BuildError(
            f"it does not build (step: {self.steps.current})",
            where=f"image {image.stand_in}",
            seen=last,
            todo=f"see all of it: {log}",
        )


def _registry(image: str) -> str:
    """Return the host of an image's registry, by the rule of the docker client."""
    first, slash, _ = image.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return first if named else "the default registry"


def _disk_full(where: str, step: str, seen: str = "") -> BuildError:
    return BuildError(
        f"the disk is full (step: {step})",
        where=f"image {where}",
        seen=seen,
        todo="free some space (docker system df shows what the engine holds), then call again",
    )


def _described(image: Image) -> str:
    age_s = max(0, int(time() - image.created_s))
    for unit, length_s in (("days", 86400), ("h", 3600), ("min", 60)):
        if age_s >= 2 * length_s:
            return f"{_size(image.size_bytes)}, {age_s // length_s} {unit} old"
    return f"{_size(image.size_bytes)}, {age_s} s old"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"
