"""A Redis of the stack (redis-py, of the extra ``nomock[redis]``): its keys, found and deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nomock.errors import CleanupError, ConfigError

_AT_ONCE = 500


@contextmanager
def connected(service: str, address: tuple[str, int], *, password: str, db: int) -> Iterator[Any]:
    """Give a client; raise CleanupError with its own words where it refuses."""
    try:
        import redis
    except ImportError as error:
        raise ConfigError(
            "keys of Redis need a package that is not here",
            where=f"service {service}",
            seen=str(error),
            todo="pip install 'nomock[redis]'",
        ) from error
    client = redis.Redis(
        host=address[0], port=address[1], db=db, password=password or None, socket_timeout=10
    )
    try:
        yield client
    except (redis.RedisError, OSError) as error:
        raise CleanupError(
            "its keys cannot be looked at or deleted to the end",
            where=f"service {service}",
            seen=str(error),
            todo=f"mend what it says, and do it again; nomock logs {service}",
        ) from error
    finally:
        client.close()


def keys(client: Any, pattern: str) -> Iterator[list[bytes]]:
    """Yield the keys of a pattern, some at a time; others are served meanwhile (SCAN).

    What is there from the first to the last is yielded, once or more often.
    """
    cursor = 0
    while True:
        cursor, found = client.scan(cursor, match=pattern, count=_AT_ONCE)
        if found:
            yield found
        if cursor == 0:
            return


def delete(client: Any, names: Sequence[bytes | str]) -> int:
    """Delete keys without holding others up (UNLINK); return how many there were."""
    return int(client.unlink(*names)) if names else 0
