"""The ``.env`` beside the compose file: our variables in it, every other line as it was."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

# A line that sets a variable, in any of the forms that compose knows.
_SETS = re.compile(r"\s*(?:export\s+)?(\w+)\s*[=:]")


def read(path: Path) -> dict[str, str]:
    """Return the variables that stand there as ``write`` writes them, without asking compose."""
    lines = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    pairs = (line.partition("=") for line in lines.splitlines())
    return {name: value for name, _, value in pairs}


def write(path: Path, values: Mapping[str, str], defaults: Mapping[str, str]) -> None:
    """Set variables where they stand, add the others and keep every other line.

    ``defaults`` are only set where no line sets them yet. The file is replaced in one step, so that
    an interrupted run leaves the old one or the new one.
    """
    # Lines that are not ours may be in any encoding: they stay as they are.
    before = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    there = {match[1] for line in before.splitlines() if (match := _SETS.match(line))}
    left = {**values, **{name: defaults[name] for name in defaults.keys() - there}}
    lines = []
    for line in before.splitlines():
        match = _SETS.match(line)
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
        with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as written:
            written.write(after)
        Path(temporary).chmod(path.stat().st_mode if path.exists() else 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
