"""pyproject.toml: the table `[tool.nomock]`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nomock.errors import ConfigError
from nomock.init.edits import Edit, read
from nomock.init.found import Found

if TYPE_CHECKING:  # it is imported by those who write
    from tomlkit import TOMLDocument

_NAME = "pyproject.toml"
_COMMENT = "Settings of the tests on the real stack: nomock docs settings"


def wanted(found: Found) -> Iterator[Edit]:
    """Yield the edit that adds the table, or what it does not say yet; nothing where it has all."""
    import tomlkit

    path = found.folder / _NAME
    before = read(path)
    document = _parsed(path, before or "")
    tool = document.get("tool")
    if tool is None:
        tool = document["tool"] = tomlkit.table(is_super_table=True)
    table = tool.get("nomock")
    if table is None:
        table = tomlkit.table()
        table.add(tomlkit.comment(_COMMENT))
        tool["nomock"] = table
    for name, value in found.table.items():
        if name not in table:
            table[name] = value
    after = tomlkit.dumps(document)
    if after != before:
        yield Edit(path, before, _apart(before, after))


def taken_away(folder: Path) -> Iterator[Edit]:
    """Yield the edit that removes the table, and the file where nothing else is in it."""
    import tomlkit

    path = folder / _NAME
    before = read(path)
    document = _parsed(path, before or "")
    tool = document.get("tool")
    if before is None or tool is None or "nomock" not in tool:
        return
    del tool["nomock"]
    if not tool:
        del document["tool"]
    after = re.sub(r"(\r?\n)(\r?\n)+\Z", r"\1", tomlkit.dumps(document))
    yield Edit(path, before, after if after.strip() else None)


def _apart(before: str | None, after: str) -> str:
    """Return the new text with an empty line before a new table, and with the file's line ends."""
    whole = (before or "").rstrip("\r\n")
    if whole and after.startswith(whole):
        added = after[len(whole) :].lstrip("\r\n")
        if added.startswith("["):
            after = f"{whole}\n\n{added}"
    return re.sub(r"\r?\n", "\r\n", after) if "\r\n" in whole else after


def _parsed(path: Path, text: str) -> TOMLDocument:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise ConfigError("not valid TOML", where=str(path), seen=str(error)) from error
