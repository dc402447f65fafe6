"""coverage.py's tracer for the services whose Python has no sys.monitoring: unpacked, to mount.

It is compiled, so there is one for each Python, C library and processor.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nomock.adapters.pip import REACH, NotInstalledError, install
from nomock.errors import CoverageError
from nomock.project import Project
from nomock.statefolder import make_state_dir, writing

# The version, with the hashes of its files.
_REQUIREMENT = Path(__file__).with_name("tracer.txt")
_FOLDER = re.compile(r"(cp\d+)-(glibc|musl)-(\w+)")
_TRACER = "tracer.*.so"
# By C library: how pip and uv call what is compiled for it, of any age.
_PIP_PLATFORMS = {"glibc": "manylinux2014_{}", "musl": "musllinux_1_2_{}"}
_UV_PLATFORMS = {"glibc": "{}-manylinux2014", "musl": "{}-unknown-linux-musl"}


@dataclass(frozen=True)
class PythonAbi:
    """A kind of Python that compiled modules are for."""

    tag: str
    """cp311"""
    libc: str
    """glibc or musl"""
    machine: str
    """x86_64"""

    @property
    def python(self) -> str:
        """Its version: 3.11."""
        return f"{self.tag[2]}.{self.tag[3:]}"


def provide(python_tag: str, libc: str, machine: str, folder: Path) -> None:
    """Make a folder with the tracer for one kind of Python: ``cp311``, ``glibc``, ``x86_64``.

    One that is there already is left as it is, unless it is of another version. Raises
    CoverageError where the tracer is not to be had, StateFolderError where it cannot be put there.
    """
    abi = PythonAbi(python_tag, libc, machine)
    pinned = re.findall(r"^coverage==(\S+)", _REQUIREMENT.read_text(encoding="utf-8"), re.M)
    about = f"coverage-{pinned[0]}.dist-info"
    if (folder / about).is_dir():
        return
    make_state_dir(folder.parents[1])
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as new:
            _install(abi, Path(new, "all"), folder)
            _put(_needed(Path(new), about), folder)


def provide_mounted(project: Project) -> None:
    """Make the folders with tracers that the services of a project mount.

    They are not under version control, and the overlay that mounts them may be. Raises
    CoverageError where one is not to be had.
    """
    for service in project.services.values():
        inside = (service.config.get("environment") or {}).get("NOMOCK_SPY_WHEELS")
        for volume in service.config.get("volumes") or ():
            if not inside or not isinstance(volume, Mapping):
                continue
            folder, target = Path(str(volume.get("source"))), str(volume.get("target"))
            abi = _FOLDER.fullmatch(folder.name)
            if abi and target in {inside, f"{inside}/{folder.name}"}:
                provide(abi[1], abi[2], abi[3], folder)


def _install(abi: PythonAbi, target: Path, folder: Path) -> None:
    kind = ["--implementation", "cp", "--abi", abi.tag]
    pip = [*kind, "--platform", _PIP_PLATFORMS[abi.libc].format(abi.machine)]
    uv = ["--python-platform", _UV_PLATFORMS[abi.libc].format(abi.machine)]
    try:
        install(_REQUIREMENT, target, python=abi.python, pip=pip, uv=uv)
    except NotInstalledError as error:
        raise _not_to_be_had(abi, folder, error.seen, error.todo) from error
    # Where there is nothing compiled, they take coverage.py without it.
    if not any((target / "coverage").glob(_TRACER)):
        raise _not_to_be_had(abi, folder, "there is none compiled for it", REACH)


def _not_to_be_had(abi: PythonAbi, folder: Path, seen: str, todo: str) -> CoverageError:
    return CoverageError(
        f"coverage.py's tracer for Python {abi.python}, {abi.libc}, {abi.machine} is not to be had",
        where=str(folder),
        seen=seen,
        todo=f"{todo}; or copy the folder from a machine that has it",
    )


def _needed(new: Path, about: str) -> Path:
    """Return a folder with what the spy needs of the package, and what is said of it."""
    needed = new / "needed"
    (needed / "coverage").mkdir(parents=True)
    for tracer in (new / "all" / "coverage").glob(_TRACER):
        tracer.rename(needed / "coverage" / tracer.name)
    (new / "all" / about).rename(needed / about)
    for path in (
        needed,
        *needed.glob("coverage"),
        *needed.glob("coverage/*"),
    ):  # the service may have any user
        path.chmod(0o755)
    return needed


def _put(new: Path, folder: Path) -> None:
    """Put a folder in its place, unless another process was first."""
    old = new.with_name("old")
    with suppress(FileNotFoundError):
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
