"""Who calls whom: by addresses in settings and source, and by what services depend on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from nomock.errors import ConfigError
from nomock.faults.overlay import sources
from nomock.faults.topology import ARROW
from nomock.project import Project, ServiceConfig, intention

# The keys of a service in which it is told where others are.
_SAYING = ("environment", "command", "entrypoint")
_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Call:
    """A service that calls another one."""

    caller: str
    target: str
    names: tuple[str, ...]
    """By which the caller may know the target, the service's own first."""
    ports: tuple[int, ...]
    """Of the target, those that the caller was told first; empty where none is known."""
    by: str
    """Where that is said: a variable, a file, depends_on; or that it was asked for."""
    is_http: bool

    @property
    def edge(self) -> str:
        """The name of its edge."""
        return f"{self.caller}{ARROW}{self.target}"


@dataclass(frozen=True)
class _Told:
    """A service, and all in which the addresses of others may stand, each with where it is."""

    caller: ServiceConfig
    settings: Sequence[tuple[str, str]]
    source: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, project: Project, caller: ServiceConfig) -> _Told:
        return cls(caller, [*_texts(caller)], [*sources.texts(project, caller)])


def calls(project: Project, exposed: Callable[[ServiceConfig], Iterable[int]]) -> list[Call]:
    """Return the calls of a project that can be seen in it, by their edges' names.

    ``exposed``: the TCP ports that the image of a service names.
    """
    found = []
    for caller in project.services.values():
        told = _Told.of(project, caller)
        for target in project.services.values():
            if caller is not target and (by := _said_by(told, target)):
                found.append(_call(project, told, target, by, exposed))
    return sorted(found, key=lambda call: call.edge)


def explicit(
    project: Project, edges: Iterable[str], exposed: Callable[[ServiceConfig], Iterable[int]]
) -> list[Call]:
    """Return the calls that were asked for by the names of their edges: ``web->db``.

    Raises UnknownServiceError for a service that there is not, ConfigError for what is no edge.
    """
    found = []
    for edge in edges:
        caller, arrow, target = (part.strip() for part in edge.partition(ARROW))
        if not arrow or caller == target:
            raise ConfigError(
                f"{edge!r} is no edge", where="nomock edges", todo="write it in quotes: 'web->db'"
            )
        told, config = _Told.of(project, project.service(caller)), project.service(target)
        by = _said_by(told, config) or "asked for"
        found.append(_call(project, told, config, by, exposed))
    return found


def names_of(project: Project, caller: ServiceConfig, target: ServiceConfig) -> tuple[str, ...]:
    """Return the names by which one service may know another, that of the service first."""
    config = target.config
    links = (str(link).partition(":") for link in caller.config.get("links") or [])
    names = [target.name, *(alias for name, _, alias in links if name == target.name and alias)]
    names += [str(config[key]) for key in ("container_name", "hostname") if config.get(key)]
    for how in (config.get("networks") or {}).values():
        names += (how or {}).get("aliases") or []
    taken = project.services.keys() - {target.name}
    return tuple(name for name in dict.fromkeys(names) if name not in taken)


def _call(
    project: Project,
    told: _Told,
    target: ServiceConfig,
    by: str,
    exposed: Callable[[ServiceConfig], Iterable[int]],
) -> Call:
    names = names_of(project, told.caller, target)
    ports = [port for _, text in told.settings for port in _ports_in(text, names)]
    ports += _ports_of_pairs(told.caller.environment, names)
    ports += [p for _, text in told.source for name in names for p in sources.ports(text, name)]
    ports += [*target.published_ports, *target.exposed_ports] or [*exposed(target)]
    is_http = _is_http(told, target, names)
    return Call(told.caller.name, target.name, names, tuple(dict.fromkeys(ports)), by, is_http)


def _said_by(told: _Told, target: ServiceConfig) -> str:
    """Return what tells a service of another one, empty where nothing does."""
    for name in _own_names(target):
        for where, text in told.settings:
            if _address(name).search(text) or (text == name and _names_host(where)):
                return where
        said = sources.address(name)
        for where, text in told.source:
            if name in text and said.search(text):
                return where
    return "depends_on" if target.name in (told.caller.config.get("depends_on") or {}) else ""


def _own_names(target: ServiceConfig) -> list[str]:
    return [target.name, *filter(None, [target.config.get("container_name")])]


def _texts(service: ServiceConfig) -> Iterator[tuple[str, str]]:
    """Yield what a service is told: where, and the text."""
    for name, value in service.environment.items():
        if value:
            yield name, value
    for key in _SAYING[1:]:
        for word in service.config.get(key) or []:
            yield key, str(word)
    for path in service.mounted_files:
        with suppress(OSError):
            if path.stat().st_size <= _MOST_BYTES:
                yield path.name, path.read_text(encoding="utf-8", errors="replace")


def _address(name: str) -> re.Pattern[str]:
    """Return what a name looks like where it is one of a host: db:5432, //db/, ann@db/app."""
    quoted = re.escape(name)
    return re.compile(rf"(?<![\w.-]){quoted}:\d+(?![\w.])|(?:://|@){quoted}(?=[/:?,\s\"']|$)")


def _names_host(where: str) -> bool:
    """Tell whether a variable by its name has a host: DB_HOST, RABBITMQ_SERVER."""
    return bool(re.search(r"(HOST(NAME)?S?|SERVERS?|ADDR(ESS)?|ENDPOINT|BROKER)$", where, re.I))


def _ports_in(text: str, names: Iterable[str]) -> Iterator[int]:
    for name in names:
        for found in re.finditer(rf"(?<![\w.-]){re.escape(name)}:(\d{{1,5}})(?![\w.])", text):
            yield int(found[1])


def _ports_of_pairs(environment: Mapping[str, Any], names: Iterable[str]) -> Iterator[int]:
    """Yield the ports that stand beside a host: DB_HOST and DB_PORT."""
    for variable, value in environment.items():
        port = str(environment.get(re.sub(r"HOST(NAME)?$", "PORT", variable)))
        if value in names and port != value and port.isdigit():
            yield int(port)


def _is_http(told: _Told, target: ServiceConfig, names: Iterable[str]) -> bool:
    """Tell whether a service is told an address of plain HTTP, or the target asks itself for one.

    One of HTTPS is none: what is encrypted can only be broken as a whole.
    """
    for name in names:
        address = re.compile(rf"http://([^/@\s]*@)?{re.escape(name)}(?=[/:?,\s\"']|$)")
        if any(address.search(text) for _, text in (*told.settings, *told.source)):
            return True
    check = (target.config.get("healthcheck") or {}).get("test") or []
    return intention.has_healthcheck(target.config) and "http://" in " ".join(map(str, check))
