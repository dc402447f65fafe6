"""The one way in which a service calls another: time-out, retry with backoff, circuit breaker."""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from shared import baggage
from shared.errors import Unavailable
from shared.waits import CallWaits, whole_s

_TRANSIENT = frozenset({502, 503, 504})
_SAFE = frozenset({"GET", "HEAD", "PUT", "DELETE"})

Read = TypeVar("Read")


def read(service: str, reply: httpx.Response, what: Callable[[Any], Read]) -> Read:
    """Return what is made of the JSON in a reply; one that makes no sense is `Unavailable`."""
    try:
        return what(reply.json())
    except Exception as error:  # whatever comes of reading nonsense
        reason = f"answered {reply.status_code} with nonsense: {type(error).__name__}: {error}"
        raise Unavailable(service, reason) from error


class CircuitBreaker:
    """Opens after `limit` failures in a row; after `rest_s` one call may try again."""

    def __init__(self, rest_s: float, limit: int = 5) -> None:
        self.rest_s = rest_s
        self.limit = limit
        self.failures = 0
        self.opened_at = 0.0

    def admits(self) -> bool:
        """Return whether a call may go out now; while open, only one trial each `rest_s`."""
        if self.failures < self.limit:
            return True
        if time.monotonic() - self.opened_at < self.rest_s:
            return False
        self.opened_at = time.monotonic()
        return True

    def record(self, *, success: bool) -> None:
        """Note how a call ended."""
        self.failures = 0 if success else self.failures + 1
        if self.failures == self.limit:
            self.opened_at = time.monotonic()


class Client:
    """An HTTP client of one other service.

    Requests carry the baggage of the request being served. Those that are safe to repeat are
    tried `tries` times within the caller's patience; others are repeated only when they never left.
    Who answers when to come back has tried itself, and is not asked again: tries would multiply.
    Raises `Unavailable` when the service cannot be reached or answers 502, 503 or 504.
    """

    def __init__(
        self,
        service: str,
        base_url: str,
        waits: CallWaits,
        *,
        tries: int = 3,
    ) -> None:
        self.service = service
        self.waits = waits
        self.tries = tries
        self.breaker = CircuitBreaker(waits.rest_s)
        limits = httpx.Limits(
            max_connections=100, max_keepalive_connections=20, keepalive_expiry=waits.idle_s
        )
        # trust_env: a proxy variable of the image must not come between two services.
        self._http = httpx.AsyncClient(
            base_url=base_url, timeout=waits.try_s, limits=limits, trust_env=False
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def request(
        self, method: str, path: str, *, repeatable: bool | None = None, **kwargs: Any
    ) -> httpx.Response:
        """Send a request; `repeatable` says that a POST may be sent twice, as to /introspect."""
        repeatable = method in _SAFE if repeatable is None else repeatable
        headers = dict(kwargs.pop("headers", None) or {})
        if current := baggage.current.get():
            headers["baggage"] = current
        reason = "no try was made"
        try:
            async with asyncio.timeout(self.waits.patience_s):
                for attempt in range(self.tries):
                    if not self.breaker.admits():
                        raise Unavailable(
                            self.service, "circuit open", whole_s(self.breaker.rest_s)
                        )
                    if attempt:
                        await asyncio.sleep(self._pause_s(attempt))
                    reply, reason, again = await self._try(
                        method, path, repeatable, headers=headers, **kwargs
                    )
                    if reply is not None:
                        return reply
                    if not again:
                        break
        except TimeoutError:
            self.breaker.record(success=False)
            reason = f"no answer within {self.waits.patience_s:g} s"
        raise Unavailable(self.service, reason)

    def _pause_s(self, attempt: int) -> float:
        return self.waits.pause_s * 2 ** (attempt - 1) * random.uniform(1, 2)

    async def _try(
        self, method: str, path: str, repeatable: bool, **kwargs: Any
    ) -> tuple[httpx.Response | None, str, bool]:
        """Return the answer; or None, why there is none, and whether to try again."""
        try:
            reply = await self._http.request(method, path, **kwargs)
        except httpx.TransportError as error:
            self.breaker.record(success=False)
            never_left = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            return None, f"{type(error).__name__}: {error}", repeatable or never_left
        self.breaker.record(success=reply.status_code not in _TRANSIENT)
        if reply.status_code in _TRANSIENT:
            again = repeatable and "retry-after" not in reply.headers
            return None, f"answered {reply.status_code}", again
        return reply, "", False
