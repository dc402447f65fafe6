"""The fixture ``contracts``: whether live services keep what they promise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nomock.contracts.kept import keep
from nomock.contracts.rewriting import without_rewriting
from nomock.errors import ConfigError, ContractError, OpenApiDocumentError

if TYPE_CHECKING:  # an extra, and slow to load
    from nomock.adapters.openapi import Operation
    from nomock.adapters.sqlalchemy import MetaData
    from nomock.contracts.drift import Migrate
    from nomock.stack import Service, Stack

_MOST_LINES = 40


@dataclass(frozen=True)
class OpenApiReport:
    """What came of asking for each operation of a service."""

    service: str
    operations: Sequence[Operation]
    """Each with its name, how many requests were sent, and what was wrong with the answers."""

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return sum(operation.requests for operation in self.operations)

    @property
    def breaches(self) -> list[str]:
        """What was wrong, each with its operation and the first request that showed it."""
        return [
            f"{self.service} {operation.name}: {breach.what} ({breach.request})"
            for operation in self.operations
            for breach in operation.breaches
        ]


class ContractChecks:
    """What services of a stack promise, held against what they do now."""

    def __init__(self, stack: Stack, state_dir: Path) -> None:
        self._stack = stack
        self._state_dir = state_dir

    def openapi(
        self,
        service: str,
        *,
        path: str = "/openapi.json",
        file: str | Path | None = None,
        headers: Mapping[str, str] | None = None,
        examples: int = 10,
        seed: int = 0,
        skip: Sequence[str] = (),
    ) -> OpenApiReport:
        """Ask for each operation of a service, and check each answer against its OpenAPI document.

        The document is what the service answers at ``path``, or a ``file`` of JSON. Each operation
        is asked ``examples`` times with what the document allows, and as often with what it
        forbids; the same ``seed`` asks the same. ``headers`` go with each request: a token.
        ``skip`` are operations to leave out: ``DELETE /instances/{instance_id}``. The requests are
        the test's own: they carry its baggage, so that coverage, faults and traces know them.

        What is made by them is yours to clean up, as of any request. Raises ContractError where an
        answer is none that the document allows, OpenApiDocumentError where there is no document or
        it is invalid, ConfigError where Schemathesis is not installed.
        """
        asked = self._stack[service]
        with without_rewriting():
            operations = _adapter()
            document, where = _document(asked, path, file)
            found = tuple(
                operations(
                    document,
                    _sender(asked, headers or {}),
                    where=where,
                    examples=examples,
                    seed_=seed,
                    skip=skip,
                )
            )
        report = OpenApiReport(service, found)
        if not report.operations:
            raise OpenApiDocumentError(where, "it has no operation that is not left out")
        keep(self._state_dir, f"OpenAPI of {service}", len(report.operations), report.breaches)
        if report.breaches:
            broken = [one.name for one in report.operations if one.breaches]
            raise ContractError(
                f"{len(broken)} of {len(report.operations)} operations break their contract",
                where=where,
                seen="\n".join(report.breaches[:_MOST_LINES]),
                todo=f"mend {service}, or what its document promises",
            )
        return report

    def drift(self, made_by: Migrate | MetaData, *, ignore: Iterable[str] = ()) -> int:
        """Hold the live database against one that is made anew; return how much was compared.

        ``made_by`` is a function that applies all migrations: it is called with a connection to an
        empty database of the same server, which is gone afterwards. Compared are tables, views,
        columns with type, nullability and default, constraints, indexes, policies and triggers.

        Or it is the ``MetaData`` of SQLAlchemy's models: then their tables are compared, by what
        models can say: columns with type, nullability and the defaults that these have, keys,
        checks that they have, and indexes.

        ``ignore`` are tables with their schema: ``public.schema_migrations``. Raises ContractError,
        which names each table with what differs, and EngineError where there can be no database
        beside.
        """
        from nomock.contracts.drift import drift_of, drift_of_models

        if callable(made_by):
            whose, todo = "its migrations", "write the migration that is missing"
            name = "drift of the database"
            found, compared = drift_of(self._stack.postgres, made_by, ignore)
        else:
            whose, todo = "the models", "mend the models, or write the migration that is missing"
            name = "drift of the database from the models"
            found, compared = drift_of_models(self._stack.postgres, made_by, ignore)
        keep(self._state_dir, name, compared, found)
        if found:
            raise ContractError(
                f"the live database is not what {whose} make: {len(found)} differences",
                where=f"database {self._stack.postgres.dbname}",
                seen="\n".join(found[:_MOST_LINES]),
                todo=f"{todo}, or undo what was done by hand",
            )
        return compared


def _adapter() -> Callable[..., Any]:
    try:
        from nomock.adapters.openapi import operations
    except ModuleNotFoundError as error:
        raise ConfigError(
            "Schemathesis is not installed",
            where="contracts.openapi",
            todo="pip install 'nomock[contracts]'",
        ) from error
    return operations


def _document(service: Service, path: str, file: str | Path | None) -> tuple[Any, str]:
    """Return the document of a service, and where it was found."""
    from nomock.adapters.http import NETWORK_ERRORS

    where = str(file) if file is not None else f"{service.name} GET {path}"
    try:
        if file is not None:
            text = Path(file).read_text(encoding="utf-8")
        else:
            reply = service.http.get(path)
            if reply.status_code != 200:
                raise OpenApiDocumentError(where, f"it answered {reply.status_code}")
            text = reply.text
        document = json.loads(text)
    except (*NETWORK_ERRORS, ValueError) as error:
        raise OpenApiDocumentError(where, f"{type(error).__name__}: {error}") from error
    if not isinstance(document, dict):
        raise OpenApiDocumentError(where, "it is no JSON object")
    return document, where


def _sender(service: Service, headers: Mapping[str, str]) -> Callable[..., Any]:
    def send(method: str, path: str, told: Mapping[str, Any]) -> Any:
        # What is made up for a header that is given here, too, gives way, however it is written.
        given = {name.lower() for name in headers}
        made_up = {n: v for n, v in told["headers"].items() if n.lower() not in given}
        return service.http.request(method, path, **{**told, "headers": {**made_up, **headers}})

    return send
