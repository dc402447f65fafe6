"""What all processes share for a while, in Redis: rate limits, and what codes stand for."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from shared import hashes
from shared.errors import Unavailable
from shared.waits import whole_ms, whole_s

from auth.errors import OAuthError
from auth.waits import Waits


class Limits:
    """Rate limits and authorization codes; raises `Unavailable` when Redis does not answer."""

    def __init__(self, url: str, waits: Waits) -> None:
        self.waits = waits
        # One retry, since the connection in the pool may have died while it was idle.
        self.redis = Redis.from_url(
            url,
            socket_timeout=waits.redis_s,
            socket_connect_timeout=waits.redis_s,
            retry=Retry(NoBackoff(), 1),
            decode_responses=True,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self.redis.aclose()

    async def spend(self, key: str, limit: int) -> None:
        """Count one use of `key` in this window; refuse with 429 what is over `limit`."""
        now, window_s = time.time(), self.waits.rate_window_s
        window = f"rate:{key}:{int(now // window_s)}"
        async with _answering(), self.redis.pipeline(transaction=True) as pipe:
            pipe.incr(window)
            pipe.pexpire(window, whole_ms(window_s))
            used, _ = await pipe.execute()
        if used > limit:
            retry = {"Retry-After": str(whole_s(window_s - now % window_s))}
            said = f"more than {limit} in {window_s:g} s"
            raise OAuthError("too_many_requests", said, 429, retry)

    async def keep_code(self, code: str, data: dict[str, str]) -> None:
        """Keep what an authorization code stands for, until it expires."""
        async with _answering():
            lasts_ms = whole_ms(self.waits.code_lifetime_s)
            await self.redis.set(_key(code), json.dumps(data), px=lasts_ms)

    async def find_code(self, code: str) -> dict[str, Any] | None:
        """Return what the code stands for; None for one that is unknown, expired or forgotten."""
        async with _answering():
            kept = await self.redis.get(_key(code))
        return json.loads(kept) if kept else None

    async def forget_code(self, code: str) -> None:
        """Let the code be good for nothing any more."""
        async with _answering():
            await self.redis.delete(_key(code))


def _key(code: str) -> str:
    return f"code:{hashes.digest(code)}"


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise Unavailable("redis", f"{type(error).__name__}: {error}") from error
