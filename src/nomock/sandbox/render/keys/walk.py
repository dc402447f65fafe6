"""A walk over all keys of a resolved compose file, along the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nomock.evidence.redact import Redactor
from nomock.sandbox.render.fate import Becomes, Lost
from nomock.sandbox.render.keys.known import Known
from nomock.sandbox.render.keys.table import TABLE
from nomock.sandbox.render.plan import Plan, ServicePlan
from nomock.sandbox.render.report import Line, shortened

_ANY = "*"
_SERVICES = "services"
# Compose itself makes nothing of it.
_EXTENSION = "x-"
_UNKNOWN = Lost("nomock does not know this key", "it is left out")


def lines_of(plan: Plan) -> Iterator[Line]:
    """Yield a line for each key that has no translation, in the order of the file."""
    config = plan.ground.config
    for name, service in plan.services.items():
        if service.label != name:
            yield Line(
                name,
                "(its name)",
                name,
                "no name of Kubernetes' DNS",
                f"it is {service.label} there; who asks for {name} does not find it",
            )
        yield from _walk(service.config, (_SERVICES, name), plan, service)
    for key, value in config.items():
        if key != _SERVICES:
            yield from _walk(value, (key,), plan, None)


def _walk(
    value: Any, path: tuple[str, ...], plan: Plan, service: ServicePlan | None
) -> Iterator[Line]:
    if _says_nothing(value, path):
        return
    row = _row(path)
    entry = TABLE.get(row)
    if isinstance(value, list) and value:
        for item in value:
            yield from _walk(item, path, plan, service)
        return
    if entry is not None:
        fate = entry.of(value, Known(plan, service, path[-1]))
        if isinstance(fate, Lost):
            yield _line(path, value, fate)
            return
        if not (isinstance(fate, Becomes) and _has_rows_below(row)):
            return
    elif not _has_rows_below(row):
        if not path[-1].startswith(_EXTENSION):
            yield _line(path, value, _UNKNOWN)
        return
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _walk(part, (*path, str(key)), plan, service)


def _says_nothing(value: Any, path: tuple[str, ...]) -> bool:
    """Tell whether a value is as good as none; an empty command takes the image's away."""
    if value == [] and path[-1] in {"command", "entrypoint"}:
        return False
    return value is None or value is False or value in ("", [], {})


def _row(path: tuple[str, ...]) -> str:
    """Return the row of the table that a path has, or the longest beginning that it might have."""
    found = ""
    for part in path:
        named, general = (f"{found}.{p}" if found else p for p in (part, _ANY))
        found = named if named in TABLE or _has_rows_below(named) else general
        if found == general and general not in TABLE and not _has_rows_below(general):
            return named
    return found


def _has_rows_below(row: str) -> bool:
    return any(other.startswith(f"{row}.") for other in TABLE)


def _line(path: tuple[str, ...], value: Any, fate: Lost) -> Line:
    if path[0] == _SERVICES:
        service, key = path[1], ".".join(path[2:])
    else:
        service, key = "-", ".".join(path)
    if isinstance(value, list) and not value:
        shown = "[]"
    else:
        shown = shortened(Redactor().values(value) if isinstance(value, Mapping) else value)
    return Line(service, key, Redactor().text(shown), fate.why, fate.meaning)
