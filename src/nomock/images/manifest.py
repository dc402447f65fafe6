"""The list of images that a compose file takes from variables: images/images.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from nomock.errors import ConfigError

_FIELDS = {"variable", "upstream", "stand_in", "builder"}
_FREE_FIELDS = {"compose_file"}


@dataclass(frozen=True)
class ImageSpec:
    """An image that the compose file takes from a variable."""

    variable: str
    upstream: str
    """What a registry may have; "" where there is nothing like it, so that it is always built."""
    stand_in: str
    builder: str
    """The script that builds the stand-in, beside images.toml; called with the tag."""
    compose_file: str = ""
    """The compose file that alone takes it, "" for an image of every run: a run without that file
    neither pulls nor builds it."""


def read_manifest(path: Path) -> list[ImageSpec]:
    """Read images.toml; raises ConfigError saying what is wrong with it."""
    todo = 'each [[image]] has variable, upstream, stand_in and builder = "…"'
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("image", [])
    except FileNotFoundError as error:
        raise ConfigError(
            "there is no list of images to resolve",
            where=str(path),
            todo=f"write one where your compose file takes images from variables: {todo}",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("not valid TOML", where=str(path), seen=str(error)) from error
    for number, table in enumerate(tables, start=1):
        if set(table) - _FREE_FIELDS != _FIELDS or not all(
            isinstance(v, str) and v for v in table.values()
        ):
            raise ConfigError(
                f"[[image]] number {number} is not complete", where=str(path), todo=todo
            )
    return [ImageSpec(**table) for table in tables]
