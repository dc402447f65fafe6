"""Values that name what is not there: a host, a port, a user, another variable."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from nomock.contracts.hosts import Host
from nomock.contracts.known import IMAGES
from nomock.contracts.near import near

# A URL in a value; several stand in one behind commas.
_URL = re.compile(r"(?<![\w+.-])((?:jdbc:)?[a-z][a-z0-9+.-]*)://([^\s,;\"'<>]+)", re.I)
_PAIR = re.compile(r"^(?:[\w.-]+):(\d{2,5})$")
_HOST_NAME = re.compile(r"(^|_)(HOST|HOSTNAME|SERVER)$")
_PLACEHOLDER = re.compile(r"\$\{\w+[^}]*\}|\$\(\w+\)|\{\{\s*\w+\s*\}\}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_NAMES_VARIABLES = re.compile(
    r"(_ENV|_VAR|_VARIABLE|_NAME|_KEY|_FIELD|_HEADER|_TYPE|_MODE|_LEVEL)$"
)
_WORD = re.compile(r"[A-Za-z][\w-]*")
_FLAGS = {"true", "false", "yes", "no", "on", "off", "none"}
_LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}
_DATABASES = {scheme for image in IMAGES.values() for scheme in image.schemes}


@dataclass(frozen=True)
class Fault:
    """What of a value is wrong, as the end of a sentence that begins with the variable."""

    what: str
    cure: str
    is_certain: bool = True


@dataclass(frozen=True)
class Surroundings:
    """What the values of a service may name."""

    hosts: Mapping[str, Host]
    others: set[str]
    """Names of hosts that are no services."""
    is_alone: bool
    """Whether there are no others than these."""
    variables: set[str]
    """The variables that the project sets or reads."""


def faults_of(name: str, value: str, around: Surroundings) -> Iterator[Fault]:
    """Yield what is wrong with a value; it is never shown, as it may be secret."""
    if found := _PLACEHOLDER.search(value):
        yield Fault(
            f"still has {found[0].split(':')[0].rstrip('}')}{'}' if '{' in found[0] else ''} in it,"
            " which nobody puts a value for",
            "write the value, or let compose put it in: one $, in a compose file or .env",
            is_certain=False,
        )
        return
    is_variable = _VARIABLE.fullmatch(value) and value in around.variables and value != name
    if is_variable and not _NAMES_VARIABLES.search(name):
        yield Fault(f"is the word {value}, the name of a variable", f"write ${{{value}}}")
        return
    for scheme, rest in _URL.findall(value):
        yield from _of_url(scheme.lower(), rest, around)
    if not _URL.search(value):
        yield from _of_plain(name, value, around)


def _of_url(scheme: str, rest: str, around: Surroundings) -> Iterator[Fault]:
    plain = scheme.partition("+")[0]
    try:
        url = urlsplit(f"x://{rest}")
        host, port = url.hostname or "", url.port
    except ValueError:
        if "@" not in rest:
            yield Fault("has a URL without a port that is a number", "write host:port")
        return
    raw = url.netloc.rpartition("@")[2].rpartition(":")[0] or url.netloc.rpartition("@")[2]
    host = next((name for name in around.hosts if name.lower() == host and name == raw), host)
    if plain in {"http", "https", "ws", "wss"} or plain in _DATABASES:
        yield from _of_host(plain, host, port, around)
    if (known := around.hosts.get(host)) and plain in _DATABASES:
        yield from _of_account(url, known, plain)


def _of_plain(name: str, value: str, around: Surroundings) -> Iterator[Fault]:
    if _HOST_NAME.search(name) and _WORD.fullmatch(value) and value.lower() not in _FLAGS:
        is_sure = bool(near(value, around.hosts)) or value in around.variables
        for fault in _of_host("", value, None, around):
            yield Fault(fault.what, fault.cure, fault.is_certain and is_sure)
    elif found := _PAIR.match(value):
        host = value.partition(":")[0]
        if host in around.hosts:
            yield from _of_host("", host, int(found[1]), around)


def _of_host(scheme: str, host: str, port: int | None, around: Surroundings) -> Iterator[Fault]:
    target = around.hosts.get(host)
    if target is None:
        if host in _LOCAL:
            yield from _of_localhost(scheme, port, around)
        elif _WORD.fullmatch(host) and host not in around.others and host != "host":
            others = sorted(n for n in around.hosts if scheme in _schemes_of(around.hosts[n]))
            meant = near(host, around.hosts) or (others[0] if len(others) == 1 else "")
            yield Fault(
                f"names the host {host}, and there is no such service",
                f"{meant}?" if meant else f"the services are {', '.join(sorted(around.hosts))}",
                around.is_alone and (scheme in _DATABASES or bool(meant)),
            )
        return
    if not target.is_in_reach:
        yield Fault(
            f"names the host {host}, and that is in no network of this service",
            f"give both a network: networks of {target.service.name}",
        )
    if port is not None and port in target.published:
        inside = target.published[port]
        if not target.known or port != target.known.port:
            yield Fault(
                f"names port {port} of {host}, which is that of this machine",
                f"between services it is {inside}",
            )
    elif port is not None and not target.may_listen(port, scheme):
        inside = target.known.port if target.known else port
        yield Fault(f"names port {port} of {host}, which listens at {inside}", f"write {inside}")


def _of_localhost(scheme: str, port: int | None, around: Surroundings) -> Iterator[Fault]:
    if scheme not in _DATABASES:
        return
    names = sorted(n for n, h in around.hosts.items() if scheme in _schemes_of(h))
    if names:
        yield Fault(
            "names localhost, which in a container is the container itself",
            f"name the service: {', '.join(names)}",
            is_certain=False,
        )


def _schemes_of(host: Host) -> tuple[str, ...]:
    return host.known.schemes if host.known else ()


def _of_account(url: SplitResult, host: Host, scheme: str) -> Iterator[Fault]:
    """Yield what of user, password and database an image is not told to make."""
    known, told = host.known, host.service.environment
    if known is None or scheme not in known.schemes or not known.user:
        return
    service = host.service.name
    user = told.get(known.user) or known.default_user
    if url.username and url.password and unquote(url.username) == user:
        password = told.get(known.password)
        if password and unquote(url.password) != password:
            yield Fault(
                f"has another password than {known.password} of {service}",
                f"write the same for both, as ${{{known.password}}}",
            )
    if not known.database or _has_scripts(host):
        return
    if url.username and user and unquote(url.username) != user:
        yield Fault(
            f"names another user than the one that {service} makes, {user}",
            f"write {user}, unless somebody else makes that user",
            is_certain=False,
        )
    database = told.get(known.database) or (user if scheme.startswith("postgres") else "")
    named = url.path.strip("/")
    if (
        named
        and database
        and named != database
        and not (named == "postgres" and "postgres" in scheme)
    ):
        meant = near(named, [str(database)])
        yield Fault(
            f"names the database {named}, and {service} makes {database}",
            f"write {database}, unless somebody else makes the other one",
            is_certain=bool(meant),
        )


def _has_scripts(host: Host) -> bool:
    """Tell whether scripts may make users and databases: mounted, or in an image of its own."""
    volumes = host.service.config.get("volumes") or []
    mounted = any("initdb" in str(v.get("target")) for v in volumes)
    return host.service.is_built or mounted or bool(host.service.config.get("configs"))
