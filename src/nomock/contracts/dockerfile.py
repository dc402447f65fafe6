"""What a Dockerfile says of the image: what it copies, which variables it sets, what it starts.

https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_INSTRUCTION = re.compile(r"^\s*(COPY|ADD|ENV|CMD|ENTRYPOINT|FROM|EXPOSE)\s+(.*)$", re.I | re.S)
_OPTION = re.compile(r"^--(\w+)(?:=(\S*))?$")


@dataclass(frozen=True)
class Copied:
    """What one instruction copies: names in a build context, ``""`` of the unnamed one."""

    context: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile, read as text: no argument is put in."""

    copied: tuple[Copied, ...]
    variables: dict[str, int]
    """The variables that it sets -> the line."""
    starts: tuple[str, ...]
    """The words of its last ENTRYPOINT and CMD."""
    exposed: tuple[int, ...]

    def copies(self, context: str, path: str) -> bool:
        """Tell whether a file of a build context may be in the image.

        One that copies nothing that can be told may copy all.
        """
        if not any(copied.sources for copied in self.copied):
            return True
        return any(
            _is_below(path, source)
            for copied in self.copied
            if copied.context == context
            for source in copied.sources
        )


def read_dockerfile(text: str) -> Dockerfile:
    """Return what a Dockerfile says; what it does not say in plain words is left out."""
    copied: list[Copied] = []
    variables: dict[str, int] = {}
    starts: dict[str, Sequence[str]] = {}
    exposed: list[int] = []
    stages: set[str] = set()
    for number, line in _lines(text):
        found = _INSTRUCTION.match(line)
        if not found:
            continue
        word, rest = found[1].upper(), found[2].strip()
        if word == "FROM":
            starts.clear()
            stages |= {name.lower() for name in re.findall(r"\sAS\s+(\S+)", rest, re.I)}
        elif word in {"COPY", "ADD"}:
            copied.append(_copied(rest, stages))
        elif word == "ENV":
            variables |= dict.fromkeys(_names(rest), number)
        elif word == "EXPOSE":
            exposed += [int(port) for port in re.findall(r"(?<!\w)(\d+)(?:/tcp)?(?=\s|$)", rest)]
        else:
            starts[word] = _words(rest)
    words = [*starts.get("ENTRYPOINT", ()), *starts.get("CMD", ())]
    return Dockerfile(tuple(copied), variables, tuple(words), tuple(exposed))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield logical lines, each with the number of its first; those of a continuation joined."""
    begin, whole = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        begin = begin or number
        if line.rstrip().endswith("\\"):
            whole += line.rstrip()[:-1] + " "
            continue
        yield begin, whole + line
        begin, whole = 0, ""


def _copied(rest: str, stages: set[str]) -> Copied:
    words = rest.split()
    options: dict[str, str] = {}
    while words and (option := _OPTION.match(words[0])):
        options[option[1].lower()] = option[2] or ""
        words = words[1:]
    if words and words[0].startswith("["):
        words = _words(" ".join(words))
    source = options.get("from", "")
    if source.lower() in stages or source.isdigit():
        return Copied(source, ())  # of another stage, whose own instructions are read, too
    return Copied(source, tuple(words[:-1]))


def _is_below(path: str, source: str) -> bool:
    """Tell whether a source of a copy has a file.

    >>> _is_below("app/main.py", "./app"), _is_below("b.py", "a.py"), _is_below("x/y.py", "x/*.py")
    (True, False, True)
    """
    plain = re.split(r"[*?\[$]", source, maxsplit=1)[0].removeprefix("./").strip("/")
    if plain in {"", "."}:
        return True
    return (
        path == plain
        or path.startswith(f"{plain}/")
        or ((plain != source and _has_wild(source)) and path.startswith(plain))
    )


def _has_wild(source: str) -> bool:
    return bool(re.search(r"[*?\[$]", source))


def _names(rest: str) -> list[str]:
    found = re.findall(r"(?:^|\s)([A-Za-z_]\w*)=", rest)
    return found or rest.split()[:1]


def _words(text: str) -> list[str]:
    if text.startswith("["):
        try:
            return [str(word) for word in json.loads(text)]
        except ValueError:
            return []
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
