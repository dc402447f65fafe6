"""Schemathesis: requests by an OpenAPI document, and what of their answers the document forbids.

Kept by Dmitry Dygalo, the author; MIT. Only generation and checks are used: who sends is the
caller, so that requests carry the test as all others do. The extra ``nomock[contracts]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies
from hypothesis.errors import HypothesisException, Unsatisfiable, UnsatisfiedAssumption
from schemathesis.core.errors import SchemathesisError
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from nomock.adapters.http import NETWORK_ERRORS, was_refused_here
from nomock.errors import OpenApiDocumentError

_MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
# Left out: what asks again without the caller's knowledge (ignored_auth), what needs a sequence of
# requests, and allow_header_conformance, which FastAPI fails in every project.
_CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
]
_MOST_SHOWN = 300
_MOST_REJECTED = 5
"""How often, for each example that is wanted, one may be made up that is none."""

Send = Callable[[str, str, Mapping[str, Any]], Any]
"""Called with a method, a path and the arguments of an httpx request; returns httpx's response."""


@dataclass(frozen=True)
class Breach:
    """An answer that the document forbids."""

    what: str
    request: str
    """The request, as one would write it down, cut where it is long."""


@dataclass
class Operation:
    """One operation of a document, and what came of asking for it."""

    name: str
    """``GET /instances/{id}``."""
    requests: int
    breaches: list[Breach]


def operations(
    document: Mapping[str, Any],
    send: Send,
    *,
    where: str,
    examples: int,
    seed_: int,
    skip: Sequence[str] = (),
) -> Iterator[Operation]:
    """Ask for each operation with as many valid and as many invalid requests, and check answers.

    The same seed asks the same. ``where`` is the document, for the message of OpenApiDocumentError,
    which is raised where it is none.
    """
    try:
        schema = schemathesis.openapi.from_dict(dict(document))
        for result in schema.get_all_operations():
            if not isinstance(result, Ok):
                raise OpenApiDocumentError(where, str(result.err()))
            if result.ok().label not in skip:
                yield _ask_for(result.ok(), send, examples, seed_)
    except (SchemathesisError, HypothesisException) as error:
        raise OpenApiDocumentError(where, str(error)) from error


def _ask_for(operation: Any, send: Send, examples: int, seed_: int) -> Operation:
    done = Operation(operation.label, 0, [])
    for mode in _MODES:
        for strategy in _strategies(operation, mode):
            _run(strategy, lambda case: _try(case, send, done), examples, seed_)
    return done


def _strategies(operation: Any, mode: Any) -> Iterator[Any]:
    """Yield the strategy of a mode; none where there is nothing that could be invalid."""
    has_input = operation.body or any(
        (operation.query, operation.path_parameters, operation.headers, operation.cookies)
    )
    if mode is schemathesis.GenerationMode.POSITIVE or has_input:
        yield operation.as_strategy(generation_mode=mode)


def _run(strategy: Any, ask: Callable[[Any], None], examples: int, seed_: int) -> None:
    rejected = count(1)

    @strategies.composite
    def bounded(draw: Any) -> Any:
        # Where a document forbids nothing, Hypothesis would go on for 500 tries: for seconds. What
        # is no case counts as an example, so that it comes to its end.
        try:
            return draw(strategy)
        except UnsatisfiedAssumption:
            if next(rejected) <= _MOST_REJECTED * examples:
                raise
            return None

    # What is broken is noted and not raised: nothing is shrunk, so that requests stay bounded.
    @seed(seed_)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(bounded())
    def every(case: Any) -> None:
        if case is not None:
            ask(case)

    with suppress(Unsatisfiable):  # there is nothing that the document forbids
        every()


def _try(case: Any, send: Send, done: Operation) -> None:
    told = case.as_transport_kwargs(base_url="http://service")
    path = told["url"].removeprefix("http://service")
    try:
        response = send(told["method"], path, _for_httpx(told))
    except NETWORK_ERRORS as error:
        if not was_refused_here(error):
            done.breaches.append(Breach("no answer", f"{told['method']} {path}: {error!r}"))
        return
    except (UnicodeError, ValueError):
        return  # httpx cannot write it down
    done.requests += 1
    try:
        case.validate_response(response, checks=_CHECKS)
    except FailureGroup as group:
        for failure in group.exceptions:
            _note(done, failure, response)


def _for_httpx(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what requests would be told as httpx is told it."""
    body = told.get("data")
    found = {k: told[k] for k in ("params", "json", "files") if told.get(k) is not None}
    headers = {name: str(value) for name, value in (told.get("headers") or {}).items()}
    if cookies := told.get("cookies"):
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    if body is not None:
        found["data" if isinstance(body, dict) else "content"] = body
    return {**found, "headers": headers}


def _note(done: Operation, failure: Failure, response: Any) -> None:
    """Note a breach, each kind of an operation once: with the first request that showed it."""
    what = f"{failure.title}: {_cut(failure.message)}" if failure.message else failure.title
    if any(breach.what.startswith(failure.title) for breach in done.breaches):
        return
    asked = response.request
    body = asked.content.decode(errors="replace")
    url = asked.url.raw_path.decode(errors="replace")
    shown = f"{asked.method} {url}" + (f" {body}" if body else "") + f" -> {response.status_code}"
    done.breaches.append(Breach(_cut(what), _cut(shown)))


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _MOST_SHOWN else f"{flat[:_MOST_SHOWN]}…"
