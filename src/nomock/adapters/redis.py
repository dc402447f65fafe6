"""A Redis of the stack (redis-py, of the extra ``nomock[redis]``): its keys, found and deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nomock.errors import CleanupError, ConfigError

_AT_ONCE = 500
_NEVER = -1
_LENGTHS = {"list": "LLEN", "stream": "XLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN"}


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


def lasting(client: Any) -> dict[bytes, tuple[str, int]]:
    """Return key -> its type, and how many entries it has, of those that do not expire."""
    names = sorted({key for some in keys(client, "*") for key in some})
    asked = client.pipeline(transaction=False)
    for name in names:
        asked.pttl(name).type(name)
    answers = asked.execute()
    kinds = {
        name: kind.decode()
        for name, left_ms, kind in zip(names, answers[::2], answers[1::2], strict=True)
        if left_ms == _NEVER
    }
    asked = client.pipeline(transaction=False)
    for name, kind in kinds.items():
        asked.execute_command(_LENGTHS.get(kind, "EXISTS"), name)
    # What goes away between two questions has no length, and is no text that can be counted.
    lengths = asked.execute(raise_on_error=False)
    return {
        name: (kind, length)
        for (name, kind), length in zip(kinds.items(), lengths, strict=True)
        if isinstance(length, int) and length
    }


def delete(client: Any, names: Sequence[bytes | str]) -> int:
    """Delete keys without holding others up (UNLINK); return how many there were."""
    return int(client.unlink(*names)) if names else 0
