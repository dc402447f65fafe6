"""The proxy of the HTTP faults (http-fault-proxy): its rules, over its control port."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nomock.adapters import http
from nomock.errors import HttpFaultsError
from nomock.target import Address

CONTROL_PORT = 8475
_TIMEOUT_S = 2.0
_UNPROCESSABLE = 422
_NOT_FOUND = 404


class WrongRule(Exception):  # noqa: N818 - the caller knows what it was made of, and says that
    """The proxy refuses a rule; the text is its own and says why."""


class HttpFaults:
    """The control port at one address. Rules are JSON objects, docs/faults-http.md says which."""

    def __init__(self, host: str, port: int, *, timeout_s: float = _TIMEOUT_S) -> None:
        self.where = f"HTTP fault proxy at {Address(host, port)}"
        self._base = f"http://{Address(host, port)}"
        self._timeout_s = timeout_s

    def check(self, rule: Mapping[str, Any]) -> None:
        """Raise WrongRule where it would not take this rule; nothing is added."""
        self._ask("POST", "/check", rule)

    def put(self, rule_id: str, rule: Mapping[str, Any]) -> None:
        """Add a rule, in place of one of the same id; raise WrongRule."""
        self._ask("PUT", f"/rules/{quote(rule_id, safe='')}", rule)

    def rules(self) -> dict[str, dict[str, Any]]:
        """Return id -> rule, with `matched` and `hits`; not those that have expired."""
        return {rule["id"]: rule for rule in self._ask("GET", "/rules")}

    def remove(self, rule_id: str) -> None:
        """Remove a rule, if it is there."""
        self._ask("DELETE", f"/rules/{quote(rule_id, safe='')}", absent_is_fine=True)

    def _ask(
        self, method: str, path: str, body: object = None, *, absent_is_fine: bool = False
    ) -> Any:
        try:
            status, text = http.ask(method, f"{self._base}{path}", body, timeout_s=self._timeout_s)
        except OSError as error:  # TimeoutError, too
            raise HttpFaultsError(
                "it does not answer",
                where=self.where,
                seen=f"{method} {path}: {error}",
                todo="start it: nomock up; why it ended: nomock logs httpfaults",
            ) from error
        if status == _UNPROCESSABLE:
            raise WrongRule(json.loads(text)["error"])
        if status >= 400 and not (absent_is_fine and status == _NOT_FOUND):
            raise HttpFaultsError(
                f"{method} {path} was refused",
                where=self.where,
                seen=f"{status} {text[:200]}",
                todo="nomock logs httpfaults",
            )
        return json.loads(text)
