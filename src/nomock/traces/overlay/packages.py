"""OpenTelemetry's packages for services that bring none: unpacked, to mount.

They are Python alone, so one folder serves every Python from 3.10 on, C library and processor.
"""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import suppress
from pathlib import Path

from nomock.adapters.pip import NotInstalledError, install
from nomock.errors import TraceError
from nomock.statefolder import make_state_dir, writing

# By its name, the spy too knows that what is in it is no part of the app.
FOLDER = ".nomock/tracer/site-packages"
COMPILED_FOLDER = ".nomock/tracer/compiled"
OLDEST = (3, 10)
_REQUIREMENTS = Path(__file__).with_name("opentelemetry.txt")
# Written last: names the versions that are in the folder.
_STAMP = "nomock-versions"


def provide_packages(root: Path) -> None:
    """Put the packages, and a folder for what is compiled of them, where they are mounted from.

    ``root`` is the folder of the compose file. What is there already stays, unless it is of other
    versions. Raises TraceError where the packages are not to be had, StateFolderError where they
    cannot be put there.
    """
    folder, compiled = root / FOLDER, root / COMPILED_FOLDER
    make_state_dir(root / ".nomock")
    with writing(folder):
        folder.parent.mkdir(exist_ok=True)
        compiled.mkdir(exist_ok=True)
        compiled.chmod(0o777)  # services of any user write to it
        if _versions() == _stamp_of(folder):
            return
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as new:
            packages = Path(new, "packages")
            try:
                install(_REQUIREMENTS, packages, python=".".join(map(str, OLDEST)))
            except NotInstalledError as error:
                raise TraceError(
                    "OpenTelemetry's packages for the services are not to be had",
                    where=str(folder),
                    seen=error.seen,
                    todo=f"{error.todo}; or copy the folder from a machine that has it",
                ) from error
            for path in (packages, *packages.rglob("*")):  # the services may have any user
                path.chmod(0o755 if path.is_dir() else 0o644)
            (packages / _STAMP).write_text(_versions(), encoding="utf-8")
            with suppress(FileNotFoundError):
                folder.rename(Path(new, "old"))
            packages.rename(folder)


def _versions() -> str:
    return hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()


def _stamp_of(folder: Path) -> str:
    try:
        return (folder / _STAMP).read_text(encoding="utf-8")
    except OSError:
        return ""
