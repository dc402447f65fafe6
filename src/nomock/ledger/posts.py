"""What requests of tests make, by the rules that say so: each is in the ledger before it leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from nomock.cleanup.rules import HttpRule
from nomock.errors import LedgerError
from nomock.ledger.ledger import Ledger
from nomock.ledger.undo import Deletion

Answered = Callable[[int, bytes], None]
"""Called with the status and the body of an answer."""
_FIELD = re.compile(r"\{([^{}]+)\}")


class Posts:
    """The rules of what requests make, for one stack."""

    def __init__(self, rules: Sequence[HttpRule], ledger: Ledger) -> None:
        self._rules = rules
        self._ledger = ledger

    def sending(self, service: str, method: str, path: str, body: bytes) -> Answered | None:
        """Write down what a request is about to make; return what is to hear the answer.

        None where no rule is about it. Raises LedgerError where it cannot be written down.
        """
        rule = self._rule(service, method, path)
        if rule is None:
            return None
        asked = _parsed(body)
        where = f"POST {path} of {service}"
        answered = self._ledger.asked(f"{service} {rule.post}", _named(asked))

        def heard(status: int, answer: bytes) -> None:
            if not 200 <= status < 300:
                answered(None)
                return
            fields = {**_as_fields(_parsed(answer)), "request": asked}
            answered(deletion(rule, fields, where))

        return heard

    def _rule(self, service: str, method: str, path: str) -> HttpRule | None:
        if method != "POST":
            return None
        return next(
            (
                rule
                for rule in self._rules
                if rule.http == service and rule.post and rule.post.rstrip("/") == path.rstrip("/")
            ),
            None,
        )


def deletion(rule: HttpRule, fields: Mapping[str, Any], where: str) -> Deletion:
    """Return the request that deletes something with these fields; raise LedgerError."""
    path = _filled(rule.delete, fields, where, lambda value: quote(value, safe=""))
    headers = {
        key: _filled(value, fields, where, lambda value: value.replace("$", "$$"))
        for key, value in rule.headers.items()
    }
    return Deletion(rule.http, path, "DELETE", headers)


def at(fields: Any, dotted: str) -> Any:
    """Return a field of JSON, ``a.b`` for one in another; None where there is none."""
    for key in dotted.split(".") if dotted else ():
        if isinstance(fields, list) and key.isdecimal() and int(key) < len(fields):
            fields = fields[int(key)]
        elif isinstance(fields, Mapping):
            fields = fields.get(key)
        else:
            return None
    return fields


def _filled(text: str, fields: Mapping[str, Any], where: str, written: Callable[[str], str]) -> str:
    def value(found: re.Match[str]) -> str:
        one = at(fields, found[1])
        if one is None or isinstance(one, dict | list):
            raise LedgerError(
                f"there is no field {found[1]!r} to delete it by",
                where=where,
                seen=f"{', '.join(map(str, fields))}"[:500] or "no field",
                todo=f"name one that is there in the rule: delete or headers has {text!r}",
            )
        return written(str(one))

    return _FIELD.sub(value, text)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return {}


def _as_fields(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def _named(asked: Any) -> str:
    """Return the name that a request gives to what it makes, so far as it has one."""
    values = _as_fields(asked).values()
    return next((v for v in values if isinstance(v, str) and v.startswith("TEST ")), "")
