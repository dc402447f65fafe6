"""Values that name what is not there: a host, a port, a user, another variable."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, unquote, urlsplit

from nomock.contracts.fault import Fault
from nomock.contracts.host import UNKNOWN, Host
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
class Words:
    """What is said of values in one kind of file."""

    put_in: str
    """How a variable is put into a value."""
    reference: str
    """How the value of a variable is written, with {} for its name."""
    same: str
    """How two values are the same, with {} for the variable that has the other one."""
    no_service: str


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
    words: Words
    names: re.Pattern[str] = _WORD
    """What a host looks like that is a service or nothing."""
    shares_localhost: bool = False
    """Whether others listen there, too."""

    def speaking(self, scheme: str) -> list[str]:
        """Return the services whose image is known for a scheme of URLs."""
        known = {host.name: host.known for host in self.hosts.values() if host.known}
        return sorted(name for name, image in known.items() if scheme in image.schemes)


def faults_of(name: str, value: str, around: Surroundings) -> Iterator[Fault]:
    """Yield what is wrong with a value; it is never shown, as it may be secret."""
    if found := _PLACEHOLDER.search(value):
        shown = f"{found[0].split(':')[0].rstrip('}')}{'}' if '{' in found[0] else ''}"
        what = f"still has {shown} in it, which nobody puts a value for"
        yield Fault(what, around.words.put_in, is_certain=False, quoted=(shown,))
        return
    is_variable = _VARIABLE.fullmatch(value) and value in around.variables and value != name
    if is_variable and not _NAMES_VARIABLES.search(name):
        cure = around.words.reference.format(value)
        yield Fault(f"is the word {value}, the name of a variable", cure, quoted=(value,))
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
        if "@" not in rest and UNKNOWN not in rest:
            yield Fault("has a URL without a port that is a number", "write host:port")
        return
    raw = url.netloc.rpartition("@")[2].rpartition(":")[0] or url.netloc.rpartition("@")[2]
    host = next((name for name in around.hosts if name.lower() == host and name == raw), host)
    if plain in {"http", "https", "ws", "wss"} or plain in _DATABASES:
        yield from _of_host(plain, host, port, around)
    if (known := around.hosts.get(host)) and plain in _DATABASES:
        yield from _of_account(url, known, plain, around.words)


def _of_plain(name: str, value: str, around: Surroundings) -> Iterator[Fault]:
    is_host = value in around.hosts or around.names.fullmatch(value)
    if _HOST_NAME.search(name) and is_host and value.lower() not in _FLAGS:
        is_sure = bool(near(value, around.hosts)) or value in around.variables
        for fault in _of_host("", value, None, around):
            yield replace(fault, is_certain=fault.is_certain and is_sure)
    elif found := _PAIR.match(value):
        host = value.partition(":")[0]
        if host in around.hosts or near(host, around.hosts):
            yield from _of_host("", host, int(found[1]), around)


def _of_host(scheme: str, host: str, port: int | None, around: Surroundings) -> Iterator[Fault]:
    target = around.hosts.get(host)
    if target is None:
        if host in _LOCAL:
            yield from _of_localhost(scheme, port, around)
        elif around.names.fullmatch(host) and host not in around.others and host != "host":
            others = around.speaking(scheme)
            meant = near(host, around.hosts) or (others[0] if len(others) == 1 else "")
            services = ", ".join(sorted({known.name for known in around.hosts.values()}))
            yield Fault(
                f"names the host {host}, and {around.words.no_service}",
                f"{meant}?" if meant else f"the services are {services}",
                around.is_alone and (scheme in _DATABASES or bool(meant)),
                (host,),
            )
        return
    faults = target.unreached(host), target.wrong_port(host, port, scheme)
    yield from filter(None, faults)


def _of_localhost(scheme: str, port: int | None, around: Surroundings) -> Iterator[Fault]:
    if scheme not in _DATABASES:
        return
    names = around.speaking(scheme)
    if names and not around.shares_localhost:
        yield Fault(
            "names localhost, which in a container is the container itself",
            f"name the service: {', '.join(names)}",
            is_certain=False,
        )


def _of_account(url: SplitResult, host: Host, scheme: str, words: Words) -> Iterator[Fault]:
    """Yield what of user, password and database an image is not told to make."""
    known, told, service = host.known, host.environment, host.name
    if known is None or scheme not in known.schemes or not known.user:
        return
    makes = [told.get(name) or "" for name in (known.user, known.password, known.database)]
    if any(UNKNOWN in text for text in (url.netloc, url.path, *makes)):
        return
    user = told.get(known.user) or known.default_user
    if url.username and url.password and unquote(url.username) == user:
        password = told.get(known.password)
        if password and unquote(url.password) != password:
            yield Fault(
                f"has another password than {known.password} of {service}",
                words.same.format(known.password),
            )
    if not known.database or host.has_scripts:
        return
    if url.username and user and unquote(url.username) != user:
        shown = _shown(host, known.user, user)
        yield Fault(
            f"names another user than the one that {service} makes, {shown}",
            f"write {shown}, unless somebody else makes that user",
            is_certain=False,
        )
    made_by = known.database if told.get(known.database) else known.user
    database = told.get(known.database) or (user if scheme.startswith("postgres") else "")
    named = url.path.strip("/")
    if (
        named
        and database
        and named != database
        and not (named == "postgres" and "postgres" in scheme)
    ):
        meant = near(named, [str(database)])
        shown = _shown(host, made_by, str(database))
        yield Fault(
            f"names the database {named}, and {service} makes {shown}",
            f"write {shown}, unless somebody else makes the other one",
            is_certain=bool(meant),
            quoted=(named,),
        )


def _shown(host: Host, variable: str, value: str) -> str:
    return f"that of {variable}" if host.hides(variable) else value
