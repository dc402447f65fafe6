"""What compose read to resolve a project: the key under which its answer is kept.

Compose does not say what it read. So this takes too much rather than too little: what it takes in
vain costs one more question to compose, what it left out would keep an old stack. It takes every
file that a compose file names anywhere in its text (compose itself puts in the variables), every
``.env`` that may be read, and every environment variable whose name stands in any of these.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from nomock.adapters.compose_call import Call
from nomock.adapters.compose_config import interpolated
from nomock.environment import named_in
from nomock.errors import ConfigError
from nomock.paths import absolute

# These steer compose and the client themselves, named or not.
_STEERING = re.compile(r"(COMPOSE|DOCKER)_")
# A file with one of these words may name more files.
_NAMES_FILES = re.compile(rb"\b(services|include|extends|env_file|label_file)\b")
# What a file includes, to the next key, and the file that a service extends; an address in these.
_INCLUDE = re.compile(rb"^[\"']?include[\"']?[ \t]*:[^\n]*\n?(?:[ \t-][^\n]*\n?|\n)*", re.M)
_FILE = re.compile(rb"\bfile[\"']?[ \t]*:[^\n]*")
_ADDRESS = re.compile(rb"\w://|\bgit@")
_COMMENT = re.compile(rb"(?:^|(?<=[ \t]))#[^\n]*\n?", re.M)
# A file that may be missing: it is looked for, lest it comes into being.
_MAY_BE_MISSING = b"required"
# A larger one is no compose file and no list of variables: what it holds is a mount's business.
_LARGEST_BYTES = 1 << 20
_LONGEST_NAME = 300
_QUOTED = re.compile(r""""((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'""")
_BEFORE_VALUE = re.compile(r"\s*(?:-\s+)*(?:[^\s'\"{}\[\],#&*!|>-][^:]*:\s+)?(?:[&!][^\s]*\s+)*")
_VARIABLE = re.compile(r"\$\{[^{}]*\}|\$[A-Za-z_]\w*")


def key_of(call: Call) -> str:
    """Return a name for the way compose is called, whatever is in its files."""
    return hashlib.sha256(repr(call).encode()).hexdigest()[:16]


def read_by(call: Call, files: Sequence[Path]) -> list[Path]:
    """Return the files that compose may read, those that might come to be among them.

    ``files`` are the compose files. One question to compose, where a file's name has variables.
    """
    bases = list(dict.fromkeys([call.folder, *(file.parent for file in files)]))
    found: dict[Path, None] = dict.fromkeys(files)
    found.update(dict.fromkeys(base / ".env" for base in bases))
    named = filter(None, os.environ.get("COMPOSE_ENV_FILES", "").split(","))
    found.update(dict.fromkeys(call.folder / name for name in named))
    waiting = list(found)
    while waiting:
        path = waiting.pop()
        text = content(path) or b""
        if not _NAMES_FILES.search(text):
            continue
        near = [path.parent, *(base for base in bases if base != path.parent)]
        for candidate in _named(call, text.decode(errors="replace"), near):
            if candidate.is_dir():
                # It may be an include's project folder: its names are looked for from there.
                if candidate not in bases:
                    bases.append(candidate)
                candidate /= ".env"
            elif not candidate.is_file() and _MAY_BE_MISSING not in text:
                continue
            if candidate not in found:
                found[candidate] = None
                waiting.append(candidate)
        if path.parent / ".env" not in found:
            found[path.parent / ".env"] = None
    return sorted(found)


def fetches(paths: Iterable[Path]) -> bool:
    """Tell whether compose fetches more than these files, which may be another thing any time."""
    texts = [_COMMENT.sub(b"\n", content(path) or b"") for path in paths]
    parts = [part for text in texts for kind in (_INCLUDE, _FILE) for part in kind.findall(text)]
    return any(map(_ADDRESS.search, parts))


def digest_of(paths: Iterable[Path | str]) -> str:
    """Return a digest of files as they are, and of the environment variables that they name."""
    digest = hashlib.sha256()
    texts = []
    for path in paths:
        text = content(Path(path))
        digest.update(f"\0{path}\0{None if text is None else len(text)}\0".encode())
        texts.append(text or b"")
        digest.update(texts[-1])
    used = named_in(b"\0".join(texts))
    used |= {name: value for name, value in os.environ.items() if _STEERING.match(name)}
    for name, value in sorted(used.items()):
        digest.update(f"\0{name}={value}".encode(errors="surrogateescape"))
    return digest.hexdigest()


def content(path: Path) -> bytes | None:
    """Return what is in a file, of a large one its stat; None where there is none to be read."""
    try:
        stat = path.stat()
        if not path.is_file():
            return None
        if stat.st_size > _LARGEST_BYTES:
            return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ino}".encode()
        return path.read_bytes()
    except OSError:
        return None


def _named(call: Call, text: str, bases: Sequence[Path]) -> Iterator[Path]:
    """Yield what a text may name, there or not: relative to any of the bases."""
    names = {name for line in text.splitlines() for name in _scalars(line)}
    plain = [name for name in names if "$" not in name]
    variable = sorted(names.difference(plain))
    for name in [*plain, *_put_in(call, variable)]:
        if name and len(name) < _LONGEST_NAME and "\0" not in name and "://" not in name:
            path = Path(name).expanduser() if name.startswith("~/") else Path(name)
            paths = dict.fromkeys(absolute(base / path) for base in bases)
            yield from (path for path in paths if _can_be(path))
    # An include may have variables of its own: then it is any file whose name fits.
    for name in variable:
        pattern = _as_pattern(name)
        if re.search(r"[^*/.]", pattern):
            for base in bases:
                with suppress(ValueError, NotImplementedError, OSError):
                    yield from base.glob(pattern.removeprefix("./"))


def _can_be(path: Path) -> bool:
    """Tell whether a file may have this name: what stands in a compose file may be no name at all.

    One in a folder that may not be looked into is none that compose can read, either.
    """
    try:
        path.is_file()
    except OSError:
        return False
    return True


def _put_in(call: Call, names: Sequence[str]) -> list[str]:
    """Return names with their variables put in by compose; none where one of them is no such."""
    if not names:
        return []
    try:
        return interpolated(call, names)
    except ConfigError:
        return []


def _as_pattern(name: str) -> str:
    """Return a pattern of file names that fits whatever the variables of a name are.

    >>> _as_pattern("env/settings.${STAGE:-${DEFAULT}}.env")
    'env/settings.*.env'
    """
    name = re.sub(r"[\[\]?]", "?", name)
    while (shorter := _VARIABLE.sub("*", name)) != name:
        name = shorter
    return re.sub(r"\*\*+", "*", name)


def _scalars(line: str) -> Iterator[str]:
    """Yield each part of a line that may be a value of YAML: all readings of it, not the right one.

    >>> list(_scalars('  - path: "env files/a.env"  # ours'))
    ['env files/a.env', '"env files/a.env"', 'env files/a.env']
    """
    for double, single in _QUOTED.findall(line):
        yield re.sub(r"\\(.)", r"\1", double) or single.replace("''", "'")
    line = re.sub(r"\s#.*", "", line).strip()
    whole = line[_before(line) :].strip()
    yield whole
    for part in re.split(r"[\[\]{},]", whole):
        part = part.strip().removeprefix("- ").strip()
        yield part[_before(part) :].strip("\"' ")


def _before(text: str) -> int:
    found = _BEFORE_VALUE.match(text)
    return found.end() if found else 0
