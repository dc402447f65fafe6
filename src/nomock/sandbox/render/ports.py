"""The ports of each service that others reach.

Between the services of one Docker network every port is open, named in the compose file or not; a
Service of Kubernetes has only the ports that it names. So ports count that the file names, else
those that the image does, and those at which another service's settings name it: ``auth:8000``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nomock.sandbox.render.images import Image

# `postgres:5432` in a URL, a list of hosts, a file of settings.
_MENTION = re.compile(rb"(?<![\w.-])([A-Za-z0-9][\w.-]*):(\d{1,5})(?![\w.])")

# The keys of a service in which it may name another one. An image's name is none: `postgres:17`.
_SAYING = ("environment", "command", "entrypoint", "healthcheck")


@dataclass(frozen=True, order=True)
class Port:
    """A port of a service."""

    number: int
    protocol: str = "TCP"
    name: str = ""
    """Its name in the compose file."""
    app_protocol: str = ""


def ports_of(config: Mapping[str, Any], image: Image, mentioned: set[int]) -> list[Port]:
    """Return the ports of a service, by number; ``mentioned`` are those that others name."""
    named = [_of_item(item) for item in config.get("ports") or []]
    named += [port for item in config.get("expose") or [] for port in _of_text(str(item))]
    if not named:
        named = [port for item in image.ports for port in _of_text(item)]
    found: dict[tuple[int, str], Port] = {}
    for port in (*named, *(Port(number) for number in mentioned)):
        found.setdefault((port.number, port.protocol), port)
    return sorted(found.values())


def mentions(
    services: Mapping[str, Mapping[str, Any]], texts: Mapping[str, bytes]
) -> dict[str, set[int]]:
    """Return the ports at which services name each other, by the name that they use.

    ``texts``: what is in the files that each service mounts.
    """
    found: dict[str, set[int]] = defaultdict(set)
    for service, config in services.items():
        environment = config.get("environment") or {}
        said = [config.get(key) for key in _SAYING]
        text = b"\n".join([*(part.encode() for part in _strings(said)), texts.get(service, b"")])
        for name, port in _MENTION.findall(text):
            found[name.decode()].add(int(port))
        for variable, value in environment.items():
            # DB_HOST and DB_PORT
            port = str(environment.get(re.sub(r"HOST(NAME)?$", "PORT", variable)))
            if value and port != value and port.isdigit():
                found[str(value)].add(int(port))
    return {name: {n for n in numbers if 0 < n < 2**16} for name, numbers in found.items()}


def _of_item(item: Mapping[str, Any]) -> Port:
    return Port(
        int(item["target"]),
        str(item.get("protocol") or "tcp").upper(),
        str(item.get("name") or ""),
        str(item.get("app_protocol") or ""),
    )


def _of_text(text: str) -> Iterator[Port]:
    numbers, _, protocol = text.partition("/")
    first, _, last = numbers.partition("-")
    for number in range(int(first), int(last or first) + 1):
        yield Port(number, (protocol or "tcp").upper())


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
