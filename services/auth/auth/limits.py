"""What all processes share for a minute, in Redis: rate limits, and what codes stand for."""

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

from auth.errors import OAuthError

CODE_LIFETIME_S = 60
WINDOW_S = 60


class Limits:
    """Rate limits and authorization codes; raises `Unavailable` when Redis does not answer."""

    def __init__(self, url: str) -> None:
        # One retry, since the connection in the pool may have died while it was idle.
        self.redis = Redis.from_url(
            url,
            socket_timeout=1.0,
            socket_connect_timeout=1.0,
            retry=Retry(NoBackoff(), 1),
            decode_responses=True,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self.redis.aclose()

    async def spend(self, key: str, limit: int) -> None:
        """Count one use of `key` in this minute; refuse with 429 what is over `limit`."""
        now = time.time()
        window = f"rate:{key}:{int(now // WINDOW_S)}"
        async with _answering(), self.redis.pipeline(transaction=True) as pipe:
            pipe.incr(window)
            pipe.expire(window, WINDOW_S)
            used, _ = await pipe.execute()
        if used > limit:
            retry = {"Retry-After": str(WINDOW_S - int(now % WINDOW_S))}
            raise OAuthError("too_many_requests", f"more than {limit} a minute", 429, retry)

    async def keep_code(self, code: str, data: dict[str, str]) -> None:
        """Keep what an authorization code stands for, for a minute."""
        async with _answering():
            await self.redis.set(_key(code), json.dumps(data), ex=CODE_LIFETIME_S)

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
