"""With which files of its Python a service starts, by the words of its command."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from nomock.contracts.image_files import ImageFiles
from nomock.project import ServiceConfig

Alternatives = Sequence[str]
"""Dotted names, of which the first that is a file is meant."""

_DEEPEST = 3
_MODULE = re.compile(r"(?:^|\s)-m[\s=]+([A-Za-z_][\w.]*)")
_OBJECT = re.compile(r"(?<![\w/:.@-])([A-Za-z_][\w.]*):[A-Za-z_][\w.]*(?:\(\))?(?=[\s\"']|$)")
_DOTTED = re.compile(r"(?:^|\s)([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?=\s|$)")
_CONFIG = re.compile(r"(?<!\w)python:([A-Za-z_][\w.]*)")
_APP = re.compile(r"(?:^|\s)(?:-A|--app)[\s=]+[\"']?([A-Za-z_][\w.]*)")
_FILE = re.compile(r"(?<![\w.])([\w./-]+\.py)(?=[\s\"';&]|$)")
_FASTAPI = re.compile(r"\bfastapi\s+(?:run|dev)\b(?!\s+[\w./]+\.py)")
_DJANGO = re.compile(r"DJANGO_SETTINGS_MODULE[\"'=,:\s]+([A-Za-z_][\w.]*)")
_SHELLS = re.compile(r"^#!.*\b(ba|da|a|z)?sh\b")


def entries(service: ServiceConfig, image: ImageFiles) -> list[Alternatives]:
    """Return the files with which a service starts, its health check's too."""
    return list(_in_text(" ".join(words_of(service, image)), service, image, _DEEPEST))


def words_of(service: ServiceConfig, image: ImageFiles) -> list[str]:
    """Return all words that a service is started with, and asked for its health."""
    check = (service.config.get("healthcheck") or {}).get("test") or []
    own = [service.config.get("entrypoint"), service.config.get("command")]
    given = [str(word) for some in own for word in some or []]
    # An entry point of the compose file takes the image's command away; a command leaves the other.
    of_image = () if own[0] or own[1] else image.dockerfile.starts
    if own[1] and not own[0]:
        of_image = tuple(w for w in image.dockerfile.starts if image.named(w))
    return [*of_image, *given, *map(str, check)]


def scripts(service: ServiceConfig, image: ImageFiles) -> list[tuple[str, str]]:
    """Return the shell scripts with which a service starts: path and text."""
    found: dict[str, str] = {}
    waiting = [(word, _DEEPEST) for word in words_of(service, image)]
    while waiting:
        word, left = waiting.pop(0)
        for name, text in _scripts_named(word, image):
            if name not in found and left:
                found[name] = text
                waiting += [(w, left - 1) for w in _code(text).split()]
    return [*found.items()]


def _in_text(
    text: str, service: ServiceConfig, image: ImageFiles, left: int
) -> Iterator[Alternatives]:
    for name in _MODULE.findall(text):
        yield (f"{name}.__main__", name)
    for name in [*_OBJECT.findall(text), *_DOTTED.findall(text), *_CONFIG.findall(text)]:
        yield (name,)
    for name in _APP.findall(text):
        yield (f"{name}.celery", f"{name}.celery_app", name, f"{name}.app")
    for path in _FILE.findall(text):
        parts = path.removesuffix(".py").strip("./").split("/")
        yield [".".join(parts[begin:]) for begin in range(len(parts))]
        yield from _of_django(path, service, image)
    if _FASTAPI.search(text):
        # https://fastapi.tiangolo.com/fastapi-cli/: where no file is named.
        yield ("app.main", "main", "app", "api", "app.app", "app.api")
    if re.search(r"\bflask\b", text) and (name := service.environment.get("FLASK_APP")):
        yield (str(name).partition(":")[0].removesuffix(".py").strip("./").replace("/", "."),)
    if re.search(r"\balembic\s", text):
        yield ("alembic.env", "migrations.env")
    if name := service.environment.get("DJANGO_SETTINGS_MODULE"):
        yield (str(name),)
    yield from _of_project(text, image)
    for word in dict.fromkeys(text.split()) if left else ():
        for _, script in _scripts_named(word, image):
            yield from _in_text(_code(script), service, image, left - 1)


def _scripts_named(word: str, image: ImageFiles) -> Iterator[tuple[str, str]]:
    name = word.strip("\"';")
    if "/" not in name and not name.endswith(".sh"):
        return
    for path in image.named(name)[:1]:
        text = image.texts[path]
        if name.endswith(".sh") or _SHELLS.match(text):
            yield str(path), text


def _of_django(path: str, service: ServiceConfig, image: ImageFiles) -> Iterator[Alternatives]:
    """Yield the settings that ``manage.py`` names, unless the environment does."""
    if path.endswith("manage.py") and not service.environment.get("DJANGO_SETTINGS_MODULE"):
        for found in image.named(path)[:1]:
            yield from ((name,) for name in _DJANGO.findall(image.texts[found]))


def _of_project(text: str, image: ImageFiles) -> Iterator[Alternatives]:
    """Yield the files of commands that the service's own package installs."""
    for path, written in image.texts.items():
        if path.name != "pyproject.toml":
            continue
        with suppress(tomllib.TOMLDecodeError):
            for name, target in _commands(tomllib.loads(written)):
                if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", text):
                    yield (target.partition(":")[0],)


def _commands(project: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    tool = project.get("tool") or {}
    for table in (project.get("project") or {}, tool.get("poetry") or {}):
        for name, target in (table.get("scripts") or {}).items():
            if isinstance(target, str):
                yield name, target


def _code(script: str) -> str:
    return "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))
