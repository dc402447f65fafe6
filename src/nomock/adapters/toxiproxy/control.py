"""One question to Toxiproxy's control port: toxiproxy-python, and what it lacks.

It lacks an address for each instance, time-outs, escaped names, an error for 5xx, and PATCH.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import requests
from toxiproxy.api import APIConsumer  # type: ignore[import-untyped]
from toxiproxy.exceptions import (  # type: ignore[import-untyped]
    InvalidToxic,
    NotFound,
    ProxyExists,
)

from nomock.adapters import http
from nomock.errors import ToxiproxyError
from nomock.target import Address


class NoAnswer(Exception):  # noqa: N818 - it happens, and there is a way on
    """Toxiproxy took the question and said nothing in time: it may be stuck."""


class Absent(Exception):  # noqa: N818 - what was asked for, it may be
    """There is no such edge or toxic."""


class Control:
    """The control port at one address."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._address = Address(host, port)
        self.where = f"Toxiproxy at {self._address}"
        self._timeout_s = timeout_s
        # The library keeps the address in its class: each instance has a class of its own.
        parts = {"host": self._address.url_host, "port": port}
        self._consumer = type("Consumer", (APIConsumer,), parts)

    def get(self, *names: str) -> Any:
        """Return what there is under these names."""
        return self._ask("GET", names, {})

    def post(self, *names: str, body: object) -> Any:
        """Add something under these names."""
        return self._ask("POST", names, {"json": body})

    def patch(self, *names: str, body: object) -> Any:
        """Change what has these names."""
        return self._ask("PATCH", names, {"json": body})

    def delete(self, *names: str) -> Any:
        """Remove what has these names."""
        return self._ask("DELETE", names, {})

    def _ask(self, method: str, names: tuple[str, ...], options: dict[str, Any]) -> Any:
        path = "/" + "/".join(quote(name, safe="") for name in names)
        try:
            status, text = self._send(method, path, options)
        except NotFound as error:
            raise Absent(path) from error
        except (ProxyExists, InvalidToxic) as error:
            raise self._refused(method, path, error.args[0].decode()) from error
        except (TimeoutError, requests.Timeout) as error:
            raise NoAnswer(f"{method} {path}: no answer after {self._timeout_s:g} s") from error
        except (ConnectionError, requests.RequestException) as error:
            raise ToxiproxyError(
                "Toxiproxy does not answer",
                where=self.where,
                seen=str(_first_cause(error)),
                todo="start it: nomock up; why it ended: nomock logs toxiproxy",
            ) from error
        if status == 404:
            raise Absent(path)
        if status >= 400:
            raise self._refused(method, path, f"{status} {text}")
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            raise self._refused(method, path, f"{status} {text[:200]}") from error

    def _send(self, method: str, path: str, options: dict[str, Any]) -> tuple[int, str]:
        if method == "PATCH":
            url = f"http://{self._address}{path}"
            return http.ask("PATCH", url, options["json"], timeout_s=self._timeout_s)
        ask = getattr(self._consumer, method.lower())
        # Never through a proxy that the environment names.
        direct = {"no_proxy": self._address.host}
        reply = ask(path, timeout=self._timeout_s, proxies=direct, **options)
        return reply.status_code, reply.text

    def _refused(self, method: str, path: str, seen: str) -> ToxiproxyError:
        return ToxiproxyError(
            f"{method} {path} was refused",
            where=self.where,
            seen=seen,
            todo="nomock logs toxiproxy",
        )


def _first_cause(error: BaseException) -> BaseException:
    """Return the operating system's own word, which is wrapped three times."""
    while cause := error.__cause__ or (
        # requests does not say `from`. What has none has the caller's own trouble for context.
        error.__context__ if isinstance(error, requests.RequestException) else None
    ):
        error = cause
    return error
