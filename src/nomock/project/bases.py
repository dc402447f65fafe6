"""Which service of a project builds which image, and upon which other images."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nomock.project.build_context import dockerfile_of

# https://docs.docker.com/reference/dockerfile/#from and #copy---from
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)|^\s*COPY\s.*--from=(\S+)", re.I | re.M)
_ARG = re.compile(r"^\s*ARG\s+(\w+)=(\S+)", re.I | re.M)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)[^}]*\})")


class Builds:
    """The images that the services of a project build, and those that these are built upon."""

    def __init__(self, images: Mapping[str, str], builds: Mapping[str, Mapping[str, Any]]) -> None:
        """``images``: service -> its image's name; ``builds``: service -> its ``build`` section."""
        self._builds = builds
        self._builders: dict[str, str] = {}
        for name, build in builds.items():
            for tag in (images[name], *(build.get("tags") or ())):
                self._builders.setdefault(image_name(tag), name)

    def builder(self, image: str) -> str | None:
        """Return the service that builds an image, None where none does."""
        return self._builders.get(image_name(image))

    def bases(self, service: str) -> list[str]:
        """Return the services whose images an image is built upon, directly."""
        found = dict.fromkeys(self._services_under(self._builds.get(service) or {}))
        found.pop(service, None)
        return list(found)

    def others(self, service: str) -> list[str]:
        """Return the names of all else that an image may be built upon: images, and stages."""
        build = self._builds.get(service) or {}
        named = (i for i in self._images_under(build) if i and not self.builder(i))
        return list(dict.fromkeys(named))

    def _services_under(self, build: Mapping[str, Any]) -> Iterator[str]:
        for context in (build.get("additional_contexts") or {}).values():
            kind, _, rest = str(context).partition(":")
            if kind == "service" and rest in self._builds:
                yield rest
        yield from filter(None, map(self.builder, self._images_under(build)))

    def _images_under(self, build: Mapping[str, Any]) -> Iterator[str]:
        for context in (build.get("additional_contexts") or {}).values():
            kind, _, rest = str(context).partition(":")
            if kind == "docker-image":
                yield rest.removeprefix("//")
        yield from images_of(_text_of(build), build.get("args") or {})


def image_name(name: str) -> str:
    """Return an image's name with all that may be left out.

    >>> image_name("docker.io/library/shop") == image_name("shop:latest")
    True
    """
    name = name.partition("@")[0].removeprefix("index.").removeprefix("docker.io/")
    name = name.removeprefix("library/")
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def images_of(dockerfile: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the images that a Dockerfile's text names.

    >>> list(images_of("ARG BASE=shop\\nFROM ${BASE} AS one", {}))
    ['shop']
    """
    values = {**dict(_ARG.findall(dockerfile)), **arguments}
    for names in _FROM.findall(dockerfile):
        yield _VARIABLE.sub(lambda found: str(values.get(found[1] or found[2], "")), "".join(names))


def _text_of(build: Mapping[str, Any]) -> str:
    if inline := build.get("dockerfile_inline"):
        return str(inline)
    try:
        return dockerfile_of(build).read_text(encoding="utf-8", errors="replace")
    except (OSError, KeyError):  # its context is an address, or there is none
        return ""
