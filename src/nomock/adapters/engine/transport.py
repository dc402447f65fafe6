"""One request to the engine and its answer, with what can go wrong as errors of our own."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from nomock.adapters.compose_cures import cure_of_endpoint
from nomock.adapters.engine.answers import API, Answers, oldest_api, said, shown
from nomock.adapters.engine.connection import Connection, endpoint
from nomock.adapters.engine.locator import Locator
from nomock.adapters.engine.passing import passes
from nomock.errors import (
    EngineBusyError,
    EngineError,
    EngineForbiddenError,
    EngineMissingError,
)

_ANSWER_TIMEOUT_S = 20.0
# One that works on a question gives a sign of life meanwhile; one that hangs is not waited for.
_LIFE_AFTER_S = 4.0
_LIFE_WITHIN_S = 5.0
# Once it is known to be gone nobody waits for it again: what is still asked is asked in passing.
_GONE_TIMEOUT_S = 1.0
_PAUSE_S = 0.25
# Podman says it with status 500 while a container is being removed.
_GONE_IN_PODMAN = "does not exist in database"


class Transport(Answers):
    """Asks one engine; it keeps no connection open and may be shared."""

    def __init__(
        self,
        address: str | None = None,
        *,
        timeout_s: float = _ANSWER_TIMEOUT_S,
        host: str | None = None,
    ) -> None:
        """``host``: where published ports are reached, None where the engine's address tells."""
        self.address = endpoint() if address is None else address
        self.answered_s: float | None = None
        """When it answered last, by the monotonic clock."""
        self.locator = Locator(self.address, host)
        self._timeout_s = timeout_s
        self._api = API

    def gone(self, within_s: float) -> EngineError | None:
        """Ask for a sign of life until there is one, for so long; return what was seen instead.

        From then on every other question is given up soon, as the one to an engine that is gone.
        """
        deadline = monotonic() + within_s
        while True:
            left_s = max(deadline - monotonic(), 0.1)
            try:
                with self._request("GET", "/_ping", timeout_s=left_s) as response:
                    if response.status < 500:
                        return None
                    self._answer(response, response.read(), "GET /_ping")
            except EngineError as error:
                if monotonic() + _PAUSE_S > deadline:
                    self._timeout_s = _GONE_TIMEOUT_S
                    return error
            Event().wait(_PAUSE_S)

    @contextmanager
    def _request(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, **extra: Any
    ) -> Iterator[http.client.HTTPResponse]:
        timeout_s = extra.get("timeout_s", self._timeout_s)
        connection = extra.get("connection") or Connection(self.address, timeout_s)
        if query:
            path += "?" + urlencode(query)
        body = json.dumps(extra["json"]) if "json" in extra else None
        headers = {"Content-Type": "application/json"} if body else extra.get("headers", {})
        began = False
        try:
            connection.request(method, f"/v{self._api}{path}", body, headers)
            if timeout_s is None or timeout_s > _LIFE_AFTER_S + _LIFE_WITHIN_S:
                self._look_for_life(connection, f"{method} {path}")
            response = connection.getresponse()
            began, self.answered_s = True, monotonic()
            yield response
        except PermissionError as error:
            raise EngineForbiddenError(
                "permission denied on the engine's socket",
                where=f"engine at {self.address}",
                seen=str(error),
                todo="join the group docker (sudo usermod -aG docker $USER, log in again), "
                "or run as root",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            stdio = connection.stdio
            if isinstance(error, TimeoutError) or (stdio and stdio.timed_out):
                raise EngineError(
                    f"the engine did not answer within {timeout_s:g} s",
                    where=f"engine at {self.address}",
                    seen=f"{method} {path}",
                    todo="look at the engine's own log; restart it",
                ) from error
            seen = (stdio.said if stdio else "") or str(error).strip() or type(error).__name__
            if began:
                raise EngineError(
                    f"the engine broke off its answer to {method} {path.partition('?')[0]}",
                    where=f"engine at {self.address}",
                    seen=shown(seen),
                    todo="look whether it runs: docker version; and at its own log",
                ) from error
            raise EngineMissingError(
                "no container engine answers",
                where=f"engine at {self.address}",
                seen=shown(seen),
                todo=cure_of_endpoint(seen)
                or "start it (Docker Desktop, or: systemctl start docker), or choose another: "
                "docker context use, DOCKER_HOST",
            ) from error
        finally:
            connection.close()

    def _look_for_life(self, connection: Connection, asked: str) -> None:
        """Ask for a sign of life if the answer is not there soon; raise EngineError without one."""
        if connection.answers_within(_LIFE_AFTER_S):
            return
        try:
            with self._request("GET", "/_ping", timeout_s=_LIFE_WITHIN_S) as response:
                response.read()
        except EngineMissingError:
            raise
        except EngineError as error:
            raise EngineError(
                f"the engine hangs: for {_LIFE_AFTER_S + _LIFE_WITHIN_S:g} s it gave no answer, "
                "and no sign of life",
                where=f"engine at {self.address}",
                seen=f"{asked}\n{error.seen}",
                todo=error.todo or "look at the engine's own log; restart it",
            ) from error

    def _call(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, **extra: Any
    ) -> Any:
        """Ask, and return the answer; raise EngineError for a refusal.

        ``done``: what the engine says where that has been done although it was refused before.
        """
        response, body, again = self._patiently(method, path, query, **extra)
        if again and "done" in extra and response.status >= 400 and extra["done"] in said(body):
            return None
        return self._answer(response, body, f"{method} {path}")

    def _patiently(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, **extra: Any
    ) -> tuple[http.client.HTTPResponse, bytes, bool]:
        """Ask until the answer is none of the refusals that pass.

        Return it with its body, and whether it was asked again. Raises EngineBusyError when the
        time for the question is over.
        """
        timeout_s = extra.get("timeout_s", self._timeout_s)
        deadline, pause, again = monotonic() + timeout_s, Event(), False
        while True:
            with self._request(method, path, query, **extra) as response:
                body = response.read()
            oldest = oldest_api(body) if response.status == 400 else None
            if oldest is not None and oldest != self._api:
                self._api = oldest  # an engine of the future, which has forgotten what is spoken
                continue
            if response.status < 400 or not passes(response.status, said(body)):
                return response, body, again
            if monotonic() > deadline:
                raise EngineBusyError(
                    f"the engine refused {method} {path} for {timeout_s:g} s ({response.status})",
                    where=f"engine at {self.address}",
                    seen=said(body),
                    todo="its machine may have too much to do: run fewer tests at once, and again",
                )
            again = True
            pause.wait(_PAUSE_S)

    def _all(
        self, path: str, query: Mapping[str, Any] | None = None, **extra: Any
    ) -> list[Mapping[str, Any]]:
        """Return a list of objects; raise EngineError for anything else."""
        found = self._call("GET", path, query, **extra)
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self._nonsense(f"GET {path}", found)
        return found

    def _created(self, path: str, asked: object, query: Mapping[str, Any] | None = None) -> str:
        """Let the engine make something and return its id."""
        found = self._call("POST", path, query, json=asked)
        with self._reading(f"POST {path}", found):
            return str(found["Id"])

    def _found(self, path: str) -> Mapping[str, Any] | None:
        """Return the object that the engine has under a path; None where it has none."""
        with self._request("GET", path) as response:
            body = response.read()
            if response.status == 404:
                return None
            if response.status == 500 and _GONE_IN_PODMAN in said(body):
                return None
            found = self._answer(response, body, f"GET {path}")
            if not isinstance(found, dict):
                raise self._nonsense(f"GET {path}", found)
            return found
