"""Write the objects of a sandbox as YAML: a file a service, in the order of the waves.

Secrets stand in files of their own, which this user alone may read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import yaml

from nomock.errors import NotPromotableError
from nomock.sandbox.render.kind import Object
from nomock.sandbox.render.rendering import Rendered

_SECRET = "Secret"
_FILE = re.compile(r"\d\d-[-a-z0-9]+\.yaml")


def write(rendered: Rendered, folder: Path) -> list[Path]:
    """Write the files into a folder, and take away what was written there before.

    Raises NotPromotableError where the folder holds anything else, or cannot be written.
    """
    texts = {"00-sandbox.yaml": rendered.of_sandbox}
    for name, objects in rendered.of_services.items():
        service = rendered.plan.services[name]
        texts[f"{service.wave:02}-{service.label}.yaml"] = objects
    secrets = [found for found in rendered.objects if found.kind == _SECRET]
    try:
        _clear(folder)
        paths = [
            _write(folder / name, [found for found in objects if found.kind != _SECRET], 0o644)
            for name, objects in texts.items()
        ]
        if secrets:
            paths.insert(1, _write(folder / "00-secrets.yaml", secrets, 0o600))
    except OSError as error:
        raise NotPromotableError(
            "the rendered objects cannot be written",
            where=str(folder),
            seen=str(error),
            todo="name a folder that this user may write to",
        ) from error
    return paths


def as_yaml(objects: Iterable[Object]) -> str:
    """Return objects as YAML of which each reader makes the same.

    What YAML's versions read in different ways (``1e3``, ``0o14``, ``y``) stands in quotes.
    """
    found = [found.to_dict() for found in objects]
    text: str = yaml.dump_all(found, Dumper=_Dumper, allow_unicode=True, sort_keys=True, width=1000)
    return text


class _Dumper(yaml.SafeDumper):
    """Writes texts in the style that is the easiest to read and cannot be misread."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_plain = re.match(r"[A-Za-z/][^ ]", text) is not None
    style = "|" if "\n" in text else None if is_plain else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _clear(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    there = sorted(path.name for path in folder.iterdir())
    if others := [name for name in there if not _FILE.fullmatch(name)]:
        raise NotPromotableError(
            "this folder holds what nomock did not write there",
            where=str(folder),
            seen=", ".join(others[:5]),
            todo="name an empty folder, or one that was written so before",
        )
    for name in there:
        (folder / name).unlink()


def _write(path: Path, objects: Iterable[Object], mode: int) -> Path:
    path.touch(mode, exist_ok=False)
    path.write_text(as_yaml(objects), encoding="utf-8")
    return path
