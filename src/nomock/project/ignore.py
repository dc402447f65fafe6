"""The rules of a .dockerignore file, exactly as docker applies them.

The lines are read as ``ignorefile`` does, a pattern means what ``patternmatcher`` makes of it, and
folders are gone through as ``fsutil`` does, all three with their oddities: a comment begins in the
first column, `a/**` spares `a` itself, `\\d` is a digit.
https://github.com/moby/patternmatcher, https://github.com/tonistiigi/fsutil (filter.go)
"""

from __future__ import annotations

import os
import posixpath
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_BOM = b"\xef\xbb\xbf"
# These have a meaning in a pattern: what stands before them is no longer the begin of a path.
_META = re.compile(r"[*\[\]?^\\]")

Above = tuple[bool, ...]
"""Which blocks of rules matched a folder, or one above it."""


class Ignore:
    """Tells which paths of a build context are not sent to the builder."""

    def __init__(self, lines: Iterable[str]) -> None:
        """``lines``: as they stand in the file. One that docker refuses matches nothing."""
        self.lines = [line for line in map(_cleaned, lines) if line]
        self._blocks: list[_Block] = []
        self._taken_back: list[str] = []
        for line in self.lines:
            takes_back = line.startswith("!")
            pattern = line[1:] if takes_back else line
            if not self._blocks or self._blocks[-1].takes_back != takes_back:
                self._blocks.append(_Block(takes_back))
            with suppress(ValueError, re.error):
                self._blocks[-1].add(pattern)
                if takes_back:
                    self._taken_back.append(_without_last_star(pattern))
        self._looks_everywhere = any(_META.search(pattern) for pattern in self._taken_back)
        self.nothing_above: Above = (False,) * len(self._blocks)

    def judge(self, path: str, name: str, above: Above) -> tuple[bool, Above]:
        """Tell whether a path is left out, and what those below it are to be judged with.

        ``name`` is its last part, ``above`` what its folder was judged to be.
        """
        ignored, found = False, []
        for block, matched in zip(self._blocks, above, strict=True):
            if not matched and block.takes_back == ignored:
                matched = block.matches(path, name)
            found.append(matched)
            if matched:
                ignored = not block.takes_back
        return ignored, tuple(found)

    def ignores(self, path: str) -> bool:
        """Tell whether a file, by its path relative to the context, is left out."""
        ignored, above = False, self.nothing_above
        for folder in (*reversed(_parents(path)), path):
            ignored, above = self.judge(folder, posixpath.basename(folder), above)
        return ignored

    def may_keep_below(self, folder: str) -> bool:
        """Tell whether a folder that is left out has to be looked into."""
        if self._looks_everywhere:
            return True
        return any(f"{pattern}/".startswith(f"{folder}/") for pattern in self._taken_back)


def rules_file(folder: Path, dockerfile: Path | None) -> Path | None:
    """Return the file with a context's rules, None without one.

    The Dockerfile's own one wins over the folder's; ``dockerfile`` is None for an additional
    context, and where it stands in the compose file.
    """
    of_dockerfile = dockerfile and dockerfile.with_name(dockerfile.name + ".dockerignore")
    for path in (of_dockerfile, folder / ".dockerignore"):
        with suppress(OSError):  # a folder that may not be looked into
            if path is not None and path.is_file():
                return path
    return None


def read_lines(path: Path) -> list[str]:
    """Return the lines of a file of rules; none where it cannot be read, which docker will say."""
    try:
        content = path.read_bytes()
    except OSError:
        return []
    return [os.fsdecode(line) for line in content.removeprefix(_BOM).split(b"\n")]


@dataclass
class _Block:
    """Patterns that follow each other and all leave out, or all take back: one verdict for all.

    Most are of a kind that needs no regular expression: of ten thousand paths each is asked.
    """

    takes_back: bool
    paths: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    begins: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    of_names: re.Pattern[str] | None = None
    of_paths: re.Pattern[str] | None = None

    def add(self, pattern: str) -> None:
        """Add a pattern; raise ValueError or re.error for one that docker refuses."""
        _check(pattern)
        kind, expression = _compiled(pattern)
        if kind == "exact":
            self.paths.add(pattern)
        elif kind == "prefix":
            self.begins += (pattern.removesuffix("**"),)
        elif kind == "suffix":
            end = pattern.removeprefix("**")
            if end.startswith("/"):
                self.paths.add(end[1:])
            if end.startswith("/") and "/" not in end[1:]:
                self.names.add(end[1:])
            else:
                self.ends += (end,)
        elif pattern.startswith("**/") and "/" not in pattern[3:] and "**" not in pattern[3:]:
            self.of_names = _either(self.of_names, expression.removeprefix("(.*/)?"))
        else:
            self.of_paths = _either(self.of_paths, expression)

    def matches(self, path: str, name: str) -> bool:
        """Tell whether one of the patterns is about a path; ``name`` is its last part."""
        return (
            name in self.names
            or path in self.paths
            or (self.of_names is not None and self.of_names.match(name) is not None)
            or (bool(self.begins) and path.startswith(self.begins))
            or (bool(self.ends) and path.endswith(self.ends))
            or (self.of_paths is not None and self.of_paths.match(path) is not None)
        )


def _cleaned(line: str) -> str:
    """Return a line's pattern in its shortest form, empty where there is none."""
    line = line.removesuffix("\r")
    if line.startswith("#"):
        return ""
    line = line.strip()
    takes_back = line.startswith("!")
    pattern = line[1:].strip() if takes_back else line
    if pattern:
        pattern = posixpath.normpath(re.sub("^/+", "/", pattern))
        pattern = pattern.removeprefix("/") or pattern
    return f"!{pattern}" if takes_back else pattern


def _compiled(pattern: str) -> tuple[str, str]:
    """Return a pattern's kind and its regular expression: patternmatcher's ``compile``."""
    kind, out, position = "exact", "", 0
    while position < len(pattern):
        character, is_first = pattern[position], position == 0
        position += 1
        if character == "*" and pattern[position : position + 1] == "*":
            position += 1
            if pattern[position : position + 1] == "/":
                position += 1
            if position < len(pattern):
                kind, out = "regexp", out + "(.*/)?"
            elif kind == "exact":
                kind = "prefix"
            else:
                kind, out = "regexp", out + ".*"
            if is_first:
                kind = "suffix"
        elif character in "*?":
            kind, out = "regexp", out + ("[^/]*" if character == "*" else "[^/]")
        elif character in ".+()|{}$":
            out += f"\\{character}"
        elif character == "\\":
            kind, out = "regexp", out + f"\\{pattern[position]}"
            position += 1
        else:
            kind = "regexp" if character in "[]" else kind
            out += character
    return kind, out


def _check(pattern: str) -> None:
    """Raise ValueError for what Go's ``filepath.Match`` calls a bad pattern."""
    if not pattern:
        raise ValueError("nothing is taken back")
    unit = r"(?:\\.|[^\\\]-])"
    group = rf"\[\^?(?:{unit}(?:-{unit})?)+\]"
    if not re.fullmatch(rf"(?:{group}|\\[^0-9]|[^\\\[])*", pattern, re.DOTALL):
        raise ValueError("a bracket or a backslash stands alone, or a group is named by number")


def _either(before: re.Pattern[str] | None, expression: str) -> re.Pattern[str]:
    with warnings.catch_warnings():  # of a bracket in brackets, which means itself in Go, too
        warnings.simplefilter("ignore", FutureWarning)
        re.compile(expression, re.ASCII)  # a wrong one must not take the others with it
        known = f"{before.pattern}|" if before else ""
        return re.compile(rf"{known}(?:{expression})\Z", re.ASCII)


def _without_last_star(pattern: str) -> str:
    return pattern.removesuffix("/**").removesuffix("/*")


def _parents(path: str) -> list[str]:
    return list(_up(posixpath.dirname(path)))


def _up(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
