"""The ``.env`` beside the compose file: our variables in it, every other line as it was."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

_ENV_LINE = re.compile(r"\s*(?:export\s+)?(\w+)\s*=\s*(.*?)\s*")


def read(path: Path) -> dict[str, str]:
    """Return the variables of the file; none when it is not there."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    found = (_ENV_LINE.fullmatch(line) for line in text.splitlines())
    return {match[1]: match[2].strip("\"'") for match in found if match}


def write(path: Path, values: Mapping[str, str], defaults: Mapping[str, str]) -> None:
    """Set variables where they stand, add the others and keep every other line.

    ``defaults`` are only set where there is no value yet. The file is replaced in one step, so
    that an interrupted run leaves the old one or the new one.
    """
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    there = read(path)
    missing = {name: value for name, value in defaults.items() if name not in there}
    left = {**values, **missing}
    lines = []
    for line in before.splitlines():
        match = _ENV_LINE.fullmatch(line)
        name = match[1] if match else None
        if name in values:
            # Compose takes the last of several lines; all but the first would only confuse.
            if name in left:
                lines.append(f"{name}={left.pop(name)}")
        else:
            lines.append(line)
    lines += [f"{name}={value}" for name, value in left.items()]
    after = "".join(f"{line}\n" for line in lines)
    if after == before:
        return
    state_dir = path.parent / ".nomock"
    state_dir.mkdir(exist_ok=True)
    fd, temporary = tempfile.mkstemp(dir=state_dir)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as written:
            written.write(after)
        Path(temporary).chmod(path.stat().st_mode if path.exists() else 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
