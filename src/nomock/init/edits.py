"""Edits of a project's files: what is there, what is to be there, and how that is done at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from nomock.errors import ConfigError


@dataclass(frozen=True)
class Edit:
    """A file as it is and as it is to be; None is a file that is not there."""

    path: Path
    before: str | None
    after: str | None

    @property
    def verb(self) -> str:
        """What it does to the file, in one word of the past."""
        if self.after is None:
            return "removed"
        return "wrote" if self.before is None else "changed"

    def diff(self, folder: Path) -> str:
        """Return it as a patch shows it, with paths relative to a folder."""
        name = Path(os.path.relpath(self.path, folder)).as_posix()
        before = [] if self.before is None else self.before.splitlines(keepends=True)
        after = [] if self.after is None else self.after.splitlines(keepends=True)
        old = "/dev/null" if self.before is None else f"a/{name}"
        new = "/dev/null" if self.after is None else f"b/{name}"
        return "".join(_whole_lines(unified_diff(before, after, old, new)))


def read(path: Path) -> str | None:
    """Return the text of a file with its own line ends; None where it is not there.

    Raises ConfigError where it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("cannot be read", where=str(path), seen=str(error)) from error


def with_lines(text: str | None, lines: Sequence[str]) -> str:
    """Return a text with more lines at its end, apart from what is there, in its own line ends."""
    text = text or ""
    end = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += end
    apart = end if text.strip() else ""
    return text + apart + "".join(f"{line}{end}" for line in lines)


def without_lines(text: str, lines: Sequence[str]) -> str:
    """Return a text without some lines that were added to it, and the empty one before them."""
    kept: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.rstrip("\r\n") not in lines:
            kept.append(line)
        elif kept and not kept[-1].strip() and line.rstrip("\r\n") == lines[0]:
            kept.pop()
    return "".join(kept)


def apply(edits: Iterable[Edit]) -> None:
    """Do all edits, or none: where one fails those before it are taken back. Raises ConfigError."""
    done: list[Edit] = []
    made: list[Path] = []
    try:
        for edit in edits:
            for folder in reversed([f for f in edit.path.parents if not f.exists()]):
                folder.mkdir()
                made.append(folder)
            _write(edit.path, edit.after)
            done.append(edit)
    except OSError as error:
        for edit in reversed(done):
            with suppress(OSError):
                _write(edit.path, edit.before)
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        raise ConfigError(
            "a file cannot be written; all files are as they were",
            where=str(error.filename or ""),
            seen=error.strerror or str(error),
            todo="nomock init --dry-run shows what it would write",
        ) from error


def _write(path: Path, text: str | None) -> None:
    """Replace a file at once, with the rights that it had."""
    if text is None:
        path.unlink(missing_ok=True)
        with suppress(OSError):  # a folder of its own goes with it, one that has more stays
            path.parent.rmdir()
        return
    path = Path(os.path.realpath(path))  # where a link leads: it stays one
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_bytes(text.encode())
        if path.exists():
            new.chmod(path.stat().st_mode)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _whole_lines(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if not line.endswith("\n"):
            yield "\n\\ No newline at end of file\n"
