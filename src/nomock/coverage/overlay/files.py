"""What the overlay needs on disk: itself, the spy's folder, and the folder that spies write to."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nomock.coverage.overlay.text import OWN_SPY_FOLDER, SPY_FOLDER, is_as_written
from nomock.errors import ConfigError
from nomock.project import Project
from nomock.statefolder import make_state_dir, writing


@dataclass(frozen=True)
class OverlayKind:
    """What an overlay is for, in the words that its user knows."""

    mark: str
    """The variable that each of its kind gives to services."""
    setting: str
    """The setting that names its file."""
    command: str
    """What writes it."""
    adds: str
    """What it adds to the stack."""

    def found(self, path: Path) -> Path:
        """Return the path of the file; raise ConfigError where it is not there."""
        if not path.is_file():
            raise ConfigError(
                f"the overlay that adds {self.adds} is not there",
                where=str(path),
                todo=f"{self.command} writes it; or name it: {self.setting} in [tool.nomock]",
            )
        return path

    def is_foreign(self, text: str) -> bool:
        """Tell whether a compose file has nothing of it: nomock has not written it."""
        return self.mark not in text

    def another_name(self) -> str:
        """Say how nomock's own gets another name than a file that is foreign."""
        name = f"docker-compose.nomock-{self.setting.partition('_')[0]}.yml"
        return (
            "choose another name for nomock's, in [tool.nomock] of pyproject.toml: "
            f'{self.setting} = "{name}"; then {self.command}'
        )


SPY_OVERLAY = OverlayKind("NOMOCK_SPY_OUT", "coverage_overlay", "nomock overlay", "the spy")


def write_overlay(path: Path, text: str, kind: OverlayKind, *, force: bool) -> bool:
    """Write an overlay; return whether it is another one than before.

    Raises ConfigError where somebody changed the file since it was written, except by ``force``,
    and where it cannot be written.
    """
    try:
        old = path.read_text(encoding="utf-8") if path.exists() else None
        if old == text:
            return False
        if old is not None and not force and not is_as_written(old):
            raise _not_as_written(path, old, kind)
        path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "the overlay cannot be written", where=str(path), seen=str(error)
        ) from error
    return True


def _not_as_written(path: Path, old: str, kind: OverlayKind) -> ConfigError:
    if kind.is_foreign(old):
        return ConfigError(
            "this file is not nomock's, and stays as it is",
            where=str(path),
            seen=f"{kind.mark} is nowhere in it",
            todo=kind.another_name(),
        )
    return ConfigError(
        f"this file is not as `{kind.command}` wrote it, and would be written anew",
        where=str(path),
        todo=f"compare: {kind.command} --output -; then --force, or another --output",
    )


def spy_folder(root: Path) -> str:
    """Return where the overlay mounts the spy from, relative to the folder of the compose file.

    That is ``coverage-spy`` where it holds this nomock's spy, as in a clone of nomock. Elsewhere a
    folder of that name is the user's own, or of another version that is used beside this one.
    """
    return SPY_FOLDER if _is_this_spy(root / SPY_FOLDER) else OWN_SPY_FOLDER


def provide_spy(root: Path) -> str:
    """Put the spy where the overlay mounts it from; return what was done, empty for nothing.

    Raises StateFolderError where that cannot be written.
    """
    folder = root / spy_folder(root)
    if _is_this_spy(folder):
        return ""
    verb = "replaced" if folder.exists() else "made"
    make_state_dir(folder.parent)
    with writing(folder), tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as new:
        try:
            _copy(spy_source(), Path(new, "spy"))
        except shutil.Error as error:  # of each file it has the reason
            raise OSError(error.args[0][0][2]) from error
        if folder.exists():
            folder.rename(Path(new, "old"))
        Path(new, "spy").rename(folder)
    return f"{verb} {OWN_SPY_FOLDER}/, this nomock's spy"


def provide_mounted_spy(project: Project, root: Path) -> None:
    """Put this nomock's spy where the services of a project mount it from, if that is ours.

    So nothing is to be done after another version of nomock was installed. Raises StateFolderError.
    """
    sources = {
        volume.get("source")
        for service in project.services.values()
        for volume in service.config.get("volumes") or ()
        if isinstance(volume, Mapping)
    }
    if any(source and _is_same(Path(source), root / OWN_SPY_FOLDER) for source in sources):
        provide_spy(root)


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def spy_source() -> Path:
    """Return the spy's folder that came with this nomock: in its wheel, or in its checkout."""
    package = Path(__file__).parents[2]
    packed = package / "coverage_spy"
    return packed if packed.is_dir() else package.parents[1] / SPY_FOLDER


def provide_data_folder(state_dir: Path) -> None:
    """Make the folder that the spies write to: it is mounted, by services of any user.

    Raises StateFolderError.
    """
    folder = state_dir / "coverage"
    make_state_dir(state_dir)
    with writing(folder):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    # Whatever umask is here: the services read it as users that this machine need not have.
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _is_this_spy(folder: Path) -> bool:
    """Tell whether a folder is, or is a copy of, the spy that came with this nomock."""
    ours = spy_source()
    try:
        return folder.is_dir() and (ours.samefile(folder) or _digest(ours) == _digest(folder))
    except OSError:  # what cannot be read is somebody else's
        return False


def _digest(folder: Path) -> str:
    """Return a digest of all that is in a folder but what Python compiled."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
