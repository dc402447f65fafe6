"""What the overlay needs on disk: itself, the spy's folder, and the folder that spies write to."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from nomock.errors import ConfigError
from nomock.overlay.text import SPY_FOLDER, is_as_written
from nomock.project import make_state_dir


def write_overlay(path: Path, text: str, *, force: bool) -> bool:
    """Write an overlay; return whether it is another one than before.

    Raises ConfigError where somebody changed the file since it was written, except by ``force``,
    and where it cannot be written.
    """
    try:
        old = path.read_text(encoding="utf-8") if path.exists() else None
        if old == text:
            return False
        if old is not None and not force and not is_as_written(old):
            raise ConfigError(
                "this file is not as `nomock overlay` wrote it, and would be written anew",
                where=str(path),
                todo="compare: nomock overlay --output -; then --force, or another --output",
            )
        path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "the overlay cannot be written", where=str(path), seen=str(error)
        ) from error
    return True


def provide_spy(root: Path, *, force: bool) -> str:
    """Put the spy's folder beside the compose file; return what was done, empty for nothing.

    One of another version stays, except by ``force``: it may be under version control, or of a
    nomock that others use.
    """
    ours, theirs = spy_source(), root / SPY_FOLDER
    try:
        if not theirs.exists():
            _copy(ours, theirs)
            return f"copied the spy to {SPY_FOLDER}/"
        if ours.samefile(theirs) or _digest(ours) == _digest(theirs):
            return ""
        if not force:
            return (
                f"{SPY_FOLDER}/ is of another version of nomock, and was left as it is; "
                "--force replaces it"
            )
        shutil.rmtree(theirs)
        _copy(ours, theirs)
    except OSError as error:
        raise ConfigError(
            "the spy cannot be put beside the compose file", where=str(theirs), seen=str(error)
        ) from error
    return f"replaced {SPY_FOLDER}/, which was of another version of nomock"


def spy_source() -> Path:
    """Return the spy's folder that came with this nomock: in its wheel, or in its checkout."""
    package = Path(__file__).parents[1]
    packed = package / "coverage_spy"
    return packed if packed.is_dir() else package.parents[1] / SPY_FOLDER


def provide_data_folder(state_dir: Path) -> None:
    """Make the folder that the spies write to: it is mounted, by services of any user."""
    folder = state_dir / "coverage"
    try:
        make_state_dir(state_dir)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
    except OSError as error:
        raise ConfigError(
            "the folder for the spies' records cannot be made", where=str(folder), seen=str(error)
        ) from error


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    # Whatever umask is here: the services read it as users that this machine need not have.
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _digest(folder: Path) -> str:
    """Return a digest of all that is in a folder but what Python compiled."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
