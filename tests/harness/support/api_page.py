"""The page docs/api.md, made from the docstrings of what is public: ``python api_page.py``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from places import ROOT

import nomock

PAGE = ROOT / "docs" / "api.md"
# What is public of these classes; of all others it is what has no underscore.
MEMBERS = {
    "Stack": ("name", "postgres", "kubernetes", "__getitem__", "wait_ready"),
    "Service": (
        *("url", "http", "async_http", "client", "async_client", "address", "port"),
        *("logs", "exec", "environment"),
        *("start", "stop", "restart", "kill"),
    ),
    "Postgres": (
        *("connect", "as_role", "wait_for", "sessions", "costs", "snapshot", "restore"),
        *("user", "password", "dbname"),
    ),
    "Session": (
        *("execute", "start", "is_over", "is_blocked", "blocked_by", "result", "commit"),
        *("rollback", "cancel", "name", "connection"),
    ),
    "Costs": ("statements", "scans"),
    "StatementCost": ("text", "calls", "total_ms"),
    "SequentialScan": ("table", "scans", "rows_read"),
    "Snapshot": ("restore", "drop", "schema"),
    "Kubernetes": (
        *("namespace", "in_namespace", "get", "list", "pods", "apply", "changed", "delete"),
        *("evict", "execute", "may", "causes"),
    ),
    "Fault": ("kind", "where", "name"),
    "ActiveFault": ("fault", "effect", "at", "begin", "end"),
    "Schedule": ("steps", "seed"),
    "Step": ("after_ms", "lasts_ms", "fault"),
    "ScheduleRun": ("is_over", "wait", "schedule"),
    "SteadyWatch": ("answers", "failed", "recovers_within"),
    "Acknowledged": ("send", "note", "ok", "failed", "unknown", "keys", "check"),
    "Outcome": ("FAILED", "UNKNOWN", "OK"),
    "Span": (
        *("trace_id", "span_id", "parent_id", "name", "kind", "service", "duration_ms", "status"),
        *("status_message", "attributes", "resource", "scope", "links", "events", "exceptions"),
    ),
}
_GROUPS = {
    "The stack": (*("Stack", "Service", "Kubernetes", "baggage_header"),),
    "The database": (
        *("Postgres", "Session", "Snapshot", "Costs", "StatementCost", "SequentialScan"),
    ),
    "Faults": ("Faults", "Fault", "ActiveFault", "Schedule", "Step", "ScheduleRun", "schedules"),
    "Generated examples": ("explore", "bounded", "concurrency", "latencies"),
    "Traces": ("CurrentTrace", "Expectation", "Span", "trace_headers"),
    "What a test asks meanwhile": (
        *("steady", "SteadyWatch", "SteadyAnswer", "recovers_within", "Acknowledged", "Outcome"),
    ),
}
_HEAD = """# API

What your tests import from `nomock`, with types: `from nomock import Faults, Stack`. Whatever is
not on this page is private, and may change in any version. The fixtures are `stack` (a `Stack`),
`faults` (`Faults`), `trace` (`CurrentTrace`), `postgres` (`Postgres`) and `acknowledged`
(`Acknowledged`):

```python
from nomock import Faults, Stack


def test_the_shop_should_answer_when_the_database_is_slow(stack: Stack, faults: Faults) -> None:
    with faults.latency("shop->postgres", latency_ms=800):
        assert stack["shop"].http.get("/").status_code == 200
```

Fixtures of your own are typed by what they give, as `mypy --strict` wants it:

```python
from collections.abc import Iterator

import pytest
from nomock import ActiveFault, Faults, Service, Stack


@pytest.fixture
def shop(stack: Stack) -> Service:
    return stack["shop"]


@pytest.fixture
def slow_database(faults: Faults) -> Iterator[ActiveFault]:
    with faults.latency("shop->postgres", latency_ms=800) as fault:
        yield fault
```

This page is made from the docstrings, which your editor and `help()` show, too.
"""


def page() -> str:
    """Return the text of the page."""
    parts = [_HEAD]
    for title, names in _GROUPS.items():
        parts.append(f"## {title}\n")
        for name in names:
            parts += _described(name)
    parts.append("## Errors\n\nEach with its meaning and cure in [messages](messages.md).\n")
    errors = [name for name in nomock.__all__ if is_error(getattr(nomock, name))]
    parts.append("\n".join(f"- `{name}`: {_summary(getattr(nomock, name))}" for name in errors))
    return "\n".join(parts) + "\n"


def is_error(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, nomock.NomockError)


def members_of(kind: type) -> Iterator[tuple[str, Any]]:
    """Yield name and value of what is public of a class, in the order of its definition."""
    classes = [base for base in reversed(kind.__mro__) if base.__module__.startswith("nomock.")]
    seen = {name: inspect.getattr_static(kind, name) for base in classes for name in vars(base)}
    annotated = {name: None for base in classes for name in vars(base).get("__annotations__", {})}
    for name in MEMBERS.get(kind.__name__) or [n for n in annotated | seen if n[0] != "_"]:
        yield name, seen.get(name)


def _described(name: str) -> Iterator[str]:
    thing = getattr(nomock, name)
    if not isinstance(thing, type):
        yield f"### `{name}{_signature(thing)}`\n\n{_text(thing)}\n"
        return
    yield f"### `{name}`\n\n{_text(thing)}\n"
    attributes = []
    for member, value in members_of(thing):
        if callable(value) or isinstance(value, classmethod):
            shown = f"{name}[name]" if member == "__getitem__" else f"{member}{_signature(value)}"
            yield f"#### `{shown}`\n\n{_text(value)}\n"
        else:
            attributes.append(f"- `{member}`: {_about(thing, member, value)}")
    if attributes:
        yield "\n".join(attributes) + "\n"


def _signature(function: Any) -> str:
    """Return a signature as the source has it: annotations and defaults are not evaluated."""
    signature = inspect.signature(function)
    shown = []
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not {"*", "*args"} & set(shown):
            shown.append("*")
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
        text = f"{stars.get(parameter.kind, '')}{parameter.name}: {parameter.annotation}"
        if parameter.default is not parameter.empty:
            text += f" = {parameter.default!r}"
        shown.append(text.replace("'", '"'))
    return f"({', '.join(shown)}) -> {signature.return_annotation}"


def _text(thing: Any) -> str:
    """Return a docstring as Markdown: its sections as lists, its examples as code."""
    text = _ticks(inspect.getdoc(thing) or "")
    text = re.sub(r"^(Args|Raises|Example):\n+", r"\1:\n\n", text, flags=re.MULTILINE)
    text = re.sub(r"^    (\w+): ", r"- `\1`: ", text, flags=re.MULTILINE)
    return re.sub(r"^        (?=\S)(?!.*\n    \S)", "  ", text, flags=re.MULTILINE)


def _ticks(text: str) -> str:
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def _summary(thing: Any) -> str:
    return _ticks((inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " "))


def _about(kind: type, member: str, value: Any) -> str:
    """Return what is said of an attribute: by its property, or by the text below it."""
    if isinstance(value, property) or hasattr(value, "func"):
        return _summary(value)
    for base in kind.__mro__:
        if base.__module__.startswith("nomock."):
            below = re.search(
                rf'^ +(?:self\.)?{member}\b[^\n]*\n +"""(.*?)"""',
                inspect.getsource(base),
                re.MULTILINE | re.DOTALL,
            )
            if below:
                return _ticks(" ".join(below[1].split()))
    return ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
