"""First tests, tried before they are written: what a service is seen to do is what they assert."""

from __future__ import annotations

import re
import shlex
import socket
from typing import NamedTuple

from nomock.errors import NomockError
from nomock.init.found import FirstTest
from nomock.project import ServiceConfig
from nomock.stack import Service, Stack

_ANSWERS_WITHIN_S = 5.0
# Where services say how they are, the likeliest first.
_PATHS = ("/", "/health", "/healthz", "/api/health", "/docs")
_URL = re.compile(r"https?://[^/\s\"']+(/[^\s\"'|;)>]*)")
# What the log of a service that fails has in it, whatever it is written in.
_TROUBLES = ("Traceback (most recent call last)", "panic:", "FATAL", "Unhandled")
_SAYS_WHY = re.compile(r"\b\w*(?:Error|Exception)\b: .+|(?:panic|FATAL): .+")
_MOST_WHY = 60
_MOST_TABLES = 3
_MOST_SHOWN = 40
_TABLES = """
    select table_schema || '.' || table_name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema') order by 1
"""


class AnswersBadlyError(Exception):
    """A service answers, and that it is in trouble."""


class Seen(NamedTuple):
    """What a service was seen to do, and the test that asserts it."""

    what: str
    """HTTP, or empty where that is not the point."""
    how: str
    """In a few words: ``GET / answers 200``."""
    test: FirstTest


def http(service: Service) -> Seen | None:
    """Return what a service answers by HTTP; None where it does not.

    Raises AnswersBadlyError where it fails, and answers well nowhere.
    """
    from nomock.adapters.http import NETWORK_ERRORS

    found: dict[int, tuple[str, int, str]] = {}
    for path in dict.fromkeys([*paths_of(service.config), *_PATHS]):
        try:
            with service.client(timeout=_ANSWERS_WITHIN_S) as client:
                reply = client.get(path)
        except (*NETWORK_ERRORS, NomockError):
            return None
        kind = reply.headers.get("content-type", "").partition(";")[0]
        found.setdefault(reply.status_code // 100, (path, reply.status_code, kind))
        if reply.status_code < 400:
            break
    seen = found[min(found)]
    if (failed := found.get(5)) and seen[1] >= 400:  # a path that is not there would only hide it
        raise AnswersBadlyError(f"GET {failed[0]} answers {failed[1]}; nomock logs {service.name}")
    path, status, kind = seen
    body = [
        f'reply = stack["{service.name}"].http.get("{path}")',
        f"assert reply.status_code == {status}",
    ]
    if kind:
        body.append(f'assert reply.headers["content-type"].startswith("{kind}")')
    name = _name(service.name, f"answer_{status}", "asked", path)
    return Seen("HTTP", f"GET {path} answers {status}", FirstTest(name, "stack", body))


def postgres(stack: Stack) -> Seen:
    """Return what is in the stack's database."""
    name = stack.postgres.service.name
    with stack.postgres.connect() as connection:
        tables = [row[0] for row in connection.execute(_TABLES).fetchall()]
    chosen = tables[:_MOST_TABLES]
    if not chosen:
        body = [
            "with postgres.connect() as connection:",
            '    row = connection.execute("select current_database()").fetchone()',
            "assert row == (postgres.dbname,)",
        ]
        test = FirstTest(_name(name, "let_us_in", "it_is_ready"), "postgres", body)
        return Seen("", "no tables yet", test)
    body = [
        "with postgres.connect() as connection:",
        "    rows = connection.execute(",
        "        \"select table_schema || '.' || table_name from information_schema.tables\"",
        "    ).fetchall()",
        "there = {name for (name,) in rows}",
        *(f"assert {_quoted(table)} in there" for table in chosen),
    ]
    test = FirstTest(_name(name, "have_its_tables", "the_stack_is_ready"), "postgres", body)
    return Seen("", f"{len(tables)} table{'s' * (len(tables) != 1)}", test)


def command(service: Service) -> Seen | None:
    """Return what a service's own healthcheck says; None where it has none that passes."""
    test = (service.config.config.get("healthcheck") or {}).get("test") or []
    words = {"CMD": test[1:], "CMD-SHELL": ["sh", "-c", *test[1:]]}.get(test[0]) if test else None
    if not words:
        return None
    try:
        service.exec(*words)
    except NomockError:
        return None
    body = [f'stack["{service.name}"].exec({", ".join(map(_quoted, words))})']
    shown = test[1] if test[0] == "CMD-SHELL" else shlex.join(words)
    first = _name(service.name, "pass_its_healthcheck", "the_stack_is_ready")
    return Seen(
        "", shown if len(shown) <= 40 else f"{shown[:39]}…", FirstTest(first, "stack", body)
    )


def redis(service: Service) -> Seen | None:
    """Return what a Redis answers; None where it wants a password, or is none."""
    for client in ("redis-cli", "valkey-cli"):
        try:
            if service.exec(client, "ping") == "PONG\n":
                body = [f'assert stack["{service.name}"].exec("{client}", "ping") == "PONG\\n"']
                name = _name(service.name, "answer_pong", "pinged")
                return Seen("", f"{client} ping", FirstTest(name, "stack", body))
        except NomockError:
            continue
    return None


def tcp(service: Service) -> Seen | None:
    """Return where a service lets somebody connect; None where it does not."""
    for port in service.config.published_ports:
        try:
            with socket.create_connection(service.address(port), timeout=_ANSWERS_WITHIN_S):
                pass
        except (OSError, NomockError):
            continue
        body = [
            f'address = stack["{service.name}"].address({port})',
            "with socket.create_connection(address, timeout=10) as connection:",
            "    assert connection.getpeername()[1] == address.port",
        ]
        name = _name(service.name, "let_us_connect", "the_stack_is_ready")
        return Seen("", f"port {port} is open", FirstTest(name, "stack", body, ("socket",)))
    return None


def quiet(service: Service) -> Seen | None:
    """Return that a service logs no trouble; None where it does."""
    logged = service.logs()
    troubles = [trouble for trouble in _TROUBLES if trouble not in logged]
    if len(troubles) < len(_TROUBLES):
        return None
    body = [
        f'logged = stack["{service.name}"].logs()',
        f"for trouble in ({', '.join(map(_quoted, troubles))}):",
        "    assert trouble not in logged",
    ]
    name = _name(service.name, "log_no_trouble", "the_stack_is_ready")
    return Seen("", "logs no trouble", FirstTest(name, "stack", body))


def trouble(service: Service) -> str:
    """Return what a service's log says last of its trouble, in a few words."""
    text = service.logs()
    said = _SAYS_WHY.findall(text) or [word for word in _TROUBLES if word in text]
    return said[-1][:_MOST_WHY] if said else "trouble"


def paths_of(service: ServiceConfig) -> list[str]:
    """Return the paths of HTTP that a service's healthcheck asks for."""
    test = (service.config.get("healthcheck") or {}).get("test") or []
    return _URL.findall(" ".join(map(str, test)))


def _name(service: str, outcome: str, condition: str, path: str = "") -> str:
    words = re.sub(r"\W+", "_", path).strip("_").lower() if path else ""
    when = f"{condition}_for_{words}" if words else condition
    what = re.sub(r"\W", "_", service).lower()
    return f"test_{what}_should_{outcome}_when_{when}"


def _quoted(word: str) -> str:
    """Return a word as Python source, in double quotes where that is no trouble."""
    plain = '"' not in word and "\\" not in word and word.isprintable()
    return f'"{word}"' if plain else repr(word)
