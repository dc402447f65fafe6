"""The one way in which a service calls another: time-out, retry with backoff, circuit breaker."""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from shared import baggage
from shared.errors import Unavailable

_TRANSIENT = frozenset({502, 503, 504})
_SAFE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
# Idle connections end here first: uvicorn ends them after 5 s, and a request that is sent at that
# moment gets no answer.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=2.0)

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

    def __init__(self, limit: int = 5, rest_s: float = 2.0) -> None:
        self.limit = limit
        self.rest_s = rest_s
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
    tried `tries` times within `deadline_s`; others are repeated only when they never left. Who
    answers when to come back has tried itself, and is not asked again: tries would multiply.
    Raises `Unavailable` when the service cannot be reached or answers 502, 503 or 504.
    """

    def __init__(
        self,
        service: str,
        base_url: str,
        *,
        timeout_s: float = 1.0,
        deadline_s: float = 3.0,
        tries: int = 3,
        backoff_s: float = 0.05,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self.service = service
        self.deadline_s = deadline_s
        self.tries = tries
        self.backoff_s = backoff_s
        self.breaker = breaker or CircuitBreaker()
        # trust_env: a proxy variable of the image must not come between two services.
        self._http = httpx.AsyncClient(
            base_url=base_url, timeout=timeout_s, limits=LIMITS, trust_env=False
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
            async with asyncio.timeout(self.deadline_s):
                for attempt in range(self.tries):
                    if not self.breaker.admits():
                        raise Unavailable(self.service, "circuit open", round(self.breaker.rest_s))
                    if attempt:
                        await asyncio.sleep(self.backoff_s * 2**attempt * random.uniform(0.5, 1))
                    reply, reason, again = await self._try(
                        method, path, repeatable, headers=headers, **kwargs
                    )
                    if reply is not None:
                        return reply
                    if not again:
                        break
        except TimeoutError:
            self.breaker.record(success=False)
            reason = f"no answer within {self.deadline_s} s"
        raise Unavailable(self.service, reason)

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
