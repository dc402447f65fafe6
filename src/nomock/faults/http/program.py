"""The program of the HTTP fault proxy, for a project of somebody else to mount."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nomock.errors import ConfigError

FOLDER = "httpfaults"
"""Where it is put, beside the compose file: under version control with the rest."""
_MARK = "httpfaults/service.py"


def put_program(root: Path) -> str:
    """Put the proxy's program into a folder of a project; return what was done.

    One of another nomock is replaced. Raises ConfigError where there is a folder of that name which
    is not ours, and where it cannot be written.
    """
    folder = root / FOLDER
    if folder.exists() and not (folder / _MARK).is_file():
        raise ConfigError(
            "this is not nomock's, and stays as it is",
            where=str(folder),
            todo="give it another name: the HTTP fault proxy is put there",
        )
    verb = "replaced" if folder.exists() else "wrote"
    try:
        with tempfile.TemporaryDirectory(dir=root, prefix=".new-") as new:
            _copy(*_source(), Path(new, "program"))
            if folder.exists():
                folder.rename(Path(new, "old"))
            Path(new, "program").rename(folder)
    except OSError as error:
        raise ConfigError(
            "the HTTP fault proxy cannot be put here", where=str(folder), seen=str(error)
        ) from error
    return f"{verb} {FOLDER}/: nomock docs faults-http has the service that runs it"


def put_files(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file that ``put_program`` writes into a project, with its text, deepest first."""
    main, package = _source()
    for path in sorted(package.rglob("*.py"), reverse=True):
        yield root / FOLDER / package.name / path.relative_to(package), path.read_text("utf-8")
    yield root / FOLDER / "__main__.py", main.read_text("utf-8")


def _source() -> tuple[Path, Path]:
    """Return its first file and its package: in the wheel, or in nomock's checkout."""
    package = Path(__file__).parents[2]
    packed = package / "http_fault_proxy"
    if packed.is_dir():
        # Not by its own name there: pytest warns of a distribution that has a `__main__.py`.
        return packed / "main.py", packed / "httpfaults"
    checkout = package.parents[1] / "http-fault-proxy"
    return checkout / "__main__.py", checkout / "httpfaults"


def _copy(main: Path, package: Path, target: Path) -> None:
    target.mkdir()
    shutil.copyfile(main, target / "__main__.py")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, target / package.name, ignore=ignore)
    # Whatever umask is here: the container's user need not be this one.
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
