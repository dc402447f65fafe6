"""The rules of a .dockerignore file.

Patterns are those of Go's ``filepath.Match`` with ``**`` for any number of folders; a line that
starts with ``!`` takes files back; the last line that matches a path or a folder above it wins.
https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import re
from pathlib import Path


class Ignore:
    """Tells which paths of a build context are not sent to the builder."""

    def __init__(self, lines: list[str]) -> None:
        self._rules = [
            (not line.startswith("!"), re.compile(_regex(line.lstrip("!"))))
            for line in map(str.strip, lines)
            if line and not line.startswith("#")
        ]
        self._takes_back = any(not ignored for ignored, _ in self._rules)

    @classmethod
    def of(cls, folder: Path, dockerfile: Path) -> Ignore:
        """Read a context's rules: the Dockerfile's own file of them wins over the folder's."""
        for path in (
            dockerfile.with_name(dockerfile.name + ".dockerignore"),
            folder / ".dockerignore",
        ):
            if path.is_file():
                return cls(path.read_text(encoding="utf-8").splitlines())
        return cls([])

    def ignores(self, path: str) -> bool:
        """Tell whether a file, by its path relative to the context, is left out."""
        verdict = False
        for ignored, pattern in self._rules:
            if pattern.match(path):
                verdict = ignored
        return verdict

    def may_keep_below(self, folder: str) -> bool:
        """Tell whether a folder has to be looked into."""
        return self._takes_back or not self.ignores(folder)


def _regex(pattern: str) -> str:
    """Return a regular expression that matches a pattern's paths and all that is below them."""
    out, rest = "", pattern.removeprefix("./").strip("/")
    while rest:
        if rest.startswith("**"):
            rest = rest[2:].removeprefix("/")
            out += "(?:.*/)?" if rest else ".*"
        elif rest[0] == "*":
            out, rest = out + "[^/]*", rest[1:]
        elif rest[0] == "?":
            out, rest = out + "[^/]", rest[1:]
        elif rest[0] == "[" and "]" in rest:
            group, _, rest = rest.partition("]")
            out += group + "]"
        elif rest[0] == "\\" and len(rest) > 1:
            out, rest = out + re.escape(rest[1]), rest[2:]
        else:
            out, rest = out + re.escape(rest[0]), rest[1:]
    return out + r"(?:/.*)?\Z"
