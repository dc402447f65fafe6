"""What becomes of each mount of a service: files, an empty volume, a claim, a secret, nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from nomock.project import build_folders
from nomock.sandbox.render.fate import Lost
from nomock.sandbox.render.files import (
    ConfigFiles,
    File,
    config_files,
    read_file,
    read_folder,
    unreadable,
)
from nomock.sandbox.render.naming import digest, label_of
from nomock.sandbox.render.options import Options
from nomock.sandbox.render.values import memory

_MEMORY = "Memory"
SPY_OUT = "NOMOCK_SPY_OUT"
"""The variable that tells a spy where to write."""
TOLD = "app-modules.json"
"""What a spy is told in the folder that it writes to."""


@dataclass(frozen=True)
class Files:
    """Files that are there, and cannot be written to: one or several ConfigMaps."""

    maps: Sequence[ConfigFiles]
    is_single: bool = False
    """Whether it is one file, mounted at its own path, and not a folder."""
    mode: int | None = None


@dataclass(frozen=True)
class SecretFile:
    """A file that is a secret."""

    name: str
    """The name of its Secret, which tells its content."""
    content: bytes = field(repr=False)
    mode: int | None = None


@dataclass(frozen=True)
class Empty:
    """A volume that is empty when the pod starts, and gone with it."""

    name: str = ""
    """Of a named volume, which a service may mount twice."""
    medium: str = ""
    size: str | None = None
    is_volume: bool = False
    """Whether it is one of Docker's volumes, which Docker gives to the image's user."""
    is_ours: bool = False
    """Whether it is for what nomock adds to the service."""


@dataclass(frozen=True)
class Claim:
    """A volume that outlives its pods: a claim, by the volume's name in the compose file."""

    volume: str


@dataclass(frozen=True)
class Records:
    """What the spies of a service write: a collector beside it hands that out."""


Source = Files | SecretFile | Empty | Claim | Records


@dataclass(frozen=True)
class Mount:
    """What is mounted where in the container of a service."""

    target: str
    source: Source
    read_only: bool = False
    sub_path: str | None = None


@dataclass(frozen=True)
class Ground:
    """What the mounts of all services are decided by."""

    config: Mapping[str, Any]
    """The whole resolved configuration."""
    root: Path
    """The project's folder."""
    state_dir: Path
    options: Options
    variables: Mapping[str, str] = field(default_factory=dict)
    """The values of the variables that configs and secrets are taken from."""

    def spy_out(self, service: str) -> str:
        """Return the folder that the spies of a service write to; "" where it has none."""
        found = self.config["services"][service].get("environment") or {}
        return str(found.get(SPY_OUT) or "")

    def users_of(self, volume: str) -> list[str]:
        """Return the services that mount a named volume."""
        return [
            name
            for name, service in (self.config.get("services") or {}).items()
            if any(
                v.get("type") == "volume" and v.get("source") == volume
                for v in service.get("volumes") or []
            )
        ]


def volume_source(
    item: Mapping[str, Any], service: str, ground: Ground
) -> tuple[Source | None, Lost | None]:
    """Return what becomes of an item of ``volumes``, and what is lost of it.

    Raises NotPromotableError where files are to be mounted that are too large, or cannot be read.
    """
    kind = item.get("type")
    if kind == "bind":
        try:
            return _bind(item, service, ground)
        except OSError as error:
            raise unreadable(Path(item["source"]), error) from error
    if kind == "tmpfs":
        size = (item.get("tmpfs") or {}).get("size")
        return Empty(medium=_MEMORY, size=memory(size) if size else None), None
    if kind != "volume":
        return None, Lost(f"a mount of the type {kind} is Docker's own", "it is not there")
    name = item.get("source")
    if name in ground.options.claims:
        return Claim(str(name)), None
    users = ground.users_of(str(name)) if name else []
    if len(users) > 1:
        return Empty(str(name), is_volume=True), Lost(
            f"{' and '.join(users)} share it, and each pod has a volume of its own",
            "what one writes no other sees; x-nomock can make it a claim",
        )
    return Empty(str(name or ""), is_volume=True), None


def _bind(
    item: Mapping[str, Any], service: str, ground: Ground
) -> tuple[Source | None, Lost | None]:
    path, target = Path(item["source"]), item["target"]
    said = (ground.options.mounts.get(service) or {}).get(target)
    if said == "none":
        return None, None
    if said == "empty":
        return Empty(), None
    if said is None:
        if path.is_socket():
            return None, Lost("a socket of this machine", "nobody listens there")
        if path.is_relative_to(ground.state_dir) and not item.get("read_only"):
            is_spys = target == ground.spy_out(service)
            return Records() if is_spys else Empty(is_ours=True), None
        if not path.exists():
            return Empty(), Lost("there is nothing at its source", "an empty volume of the pod's")
        if path.is_dir():
            if not path.is_relative_to(ground.root):
                return None, Lost("a folder of this machine", "it is not there")
            if _is_built_from(path, service, ground):
                return None, Lost("the image is built from this folder", "the image's own files")
            if not item.get("read_only") and not any(path.iterdir()):
                return Empty(), None
    if path.is_dir():
        files = Files(config_files(path.name, _shown(path, ground.root), read_folder(path)))
    else:
        content = {"": read_file(path)}
        files = Files(config_files(path.name, _shown(path, ground.root), content), is_single=True)
    if item.get("read_only") or said == "files":
        return files, None
    return files, Lost(
        "files come from a ConfigMap", "it cannot be written to; mount it read-only, or say empty"
    )


def _is_built_from(path: Path, service: str, ground: Ground) -> bool:
    """Tell whether the image has a copy of all that is mounted over it, as in ``.:/app``.

    Of a folder within the one that it is built from nobody knows where the image has it.
    """
    build = ground.config["services"][service].get("build") or {}
    return any(folder.is_relative_to(path) for folder in build_folders(build))


def mounts_of(service: str, ground: Ground) -> Iterator[Mount]:
    """Yield all mounts of a service, wherever the compose file names them."""
    config = ground.config["services"][service]
    for item in config.get("volumes") or []:
        source, _ = volume_source(item, service, ground)
        if source is not None:
            sub_path = (item.get("volume") or {}).get("subpath")
            yield Mount(item["target"], source, bool(item.get("read_only")), sub_path)
            told = Path(str(item.get("source")), TOLD)
            if isinstance(source, Records) and told.exists():
                files = config_files(told.name, told.name, {"": read_file(told)})
                yield Mount(f"{item['target']}/{told.name}", Files(files, is_single=True), True)
    for item in config.get("tmpfs") or []:
        target, _, options = str(item).partition(":")
        sizes = [o.partition("=")[2] for o in options.split(",") if o.startswith("size=")]
        yield Mount(target, Empty(medium=_MEMORY, size=memory(sizes[-1]) if sizes else None))
    if size := config.get("shm_size"):
        yield Mount("/dev/shm", Empty(medium=_MEMORY, size=memory(size)))
    for kind, folder in (("configs", "/"), ("secrets", "/run/secrets/")):
        for item in config.get(kind) or []:
            name = item["source"]
            if (file := content_of(kind, name, ground)) is not None:
                target = str(PurePosixPath(folder, item.get("target") or name))
                yield Mount(target, _given(kind, name, file, item.get("mode")), read_only=True)


def _given(kind: str, name: str, file: File, mode: int | str | None) -> Source:
    """Return the source of a config or a secret."""
    mode = int(mode, 8) if isinstance(mode, str) else mode
    if kind == "configs":
        return Files(config_files(name, name, {"": file}), is_single=True, mode=mode)
    return SecretFile(f"{label_of(name)}-{digest(file.content)}", file.content, mode)


def content_of(kind: str, name: str, ground: Ground) -> File | None:
    """Return what a config or a secret holds; None where the compose file does not say.

    Raises NotPromotableError where its file cannot be read, or is too large.
    """
    said = (ground.config.get(kind) or {}).get(name) or {}
    if said.get("file"):
        return read_file(Path(said["file"]))
    if "environment" in said:
        return File(ground.variables.get(said["environment"], "").encode())
    return File(str(said["content"]).encode()) if "content" in said else None


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
