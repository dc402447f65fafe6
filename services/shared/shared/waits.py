"""How long services wait: few settings, and what is computed from them.

A wait that lies within another one is a share of it. So they keep their order and their proportion
whatever is set, and a log names what was really slow.
"""

import math
from dataclasses import dataclass

from shared import settings


@dataclass(frozen=True)
class DatabaseWaits:
    """What a service waits for in PostgreSQL while a caller waits for the service."""

    # A transaction, from begin to end. When it is over, the service ends the connection.
    transaction_s: float
    # How much of that a caller waits for a free connection before.
    connection_share: float
    # After how long it is tried again to connect, for those who wait for a connection.
    reconnect_s: float
    # After how long PostgreSQL notices that a client has gone for which a statement runs.
    client_check_s: float

    @classmethod
    def from_environment(cls, connection_share: float) -> "DatabaseWaits":
        """Read them; what is missing or will not do stops the start."""
        transaction_s = settings.seconds("DATABASE_S")
        return cls(
            transaction_s,
            connection_share,
            settings.seconds("RECONNECT_S"),
            settings.seconds("CLIENT_CHECK_S"),
        )

    @property
    def lock_s(self) -> float:
        """For a lock: shorter than for a statement."""
        return 0.75 * self.transaction_s

    @property
    def statement_s(self) -> float:
        """For a statement: shorter than for the transaction."""
        return 0.9 * self.transaction_s

    @property
    def idle_s(self) -> float:
        """After how long PostgreSQL ends a transaction with which nobody goes on."""
        return 1.25 * self.transaction_s

    @property
    def connection_s(self) -> float:
        """For a free connection."""
        return self.connection_share * self.transaction_s

    @property
    def check_s(self) -> float:
        """For a sign of life of a connection: there must be time left to get another one."""
        return 0.75 * self.connection_s

    @property
    def connect_s(self) -> int:
        """For a new connection, in whole seconds, as libpq wants it."""
        return whole_s(self.transaction_s)

    @property
    def close_s(self) -> float:
        """For connections in use when the service stops."""
        return 0.2 * self.transaction_s


@dataclass(frozen=True)
class CallWaits:
    """What a service waits for when it calls another one."""

    # One try.
    try_s: float
    # The pause before the second try is as long as this, and doubles with each.
    pause_s: float
    # How long a circuit stays open before one call tries again.
    rest_s: float
    # How long a connection may be idle and be used again.
    idle_s: float

    @classmethod
    def from_environment(cls, name: str) -> "CallWaits":
        """Read them, the try as the variable `name`; what will not do stops the start."""
        transaction_s = settings.seconds("DATABASE_S")
        why = "half of DATABASE_S: who calls is more patient than a transaction"
        return cls(
            settings.seconds(name, above_s=transaction_s / 2, why=why),
            settings.seconds("RETRY_PAUSE_S"),
            settings.seconds("CIRCUIT_REST_S"),
            # Shorter than uvicorn keeps one: a request that is sent at the moment when the other
            # side ends the connection gets no answer. uvicorn reads this variable by itself.
            0.4 * settings.seconds("UVICORN_TIMEOUT_KEEP_ALIVE"),
        )

    @property
    def patience_s(self) -> float:
        """For all tries of a call: two that are not answered."""
        return 2 * self.try_s


@dataclass(frozen=True)
class TokenWaits:
    """Times of those who verify tokens."""

    # How far the clocks of two machines may differ.
    leeway_s: float
    # The keys of auth are fetched no more often than this.
    keys_every_s: float

    @classmethod
    def from_environment(cls) -> "TokenWaits":
        """Read them; what is missing or will not do stops the start."""
        return cls(settings.seconds("CLOCK_LEEWAY_S"), settings.seconds("KEYS_EVERY_S"))


def whole_s(time_s: float) -> int:
    """Return whole seconds, no fewer, for those who know no others."""
    return math.ceil(time_s)


def whole_ms(time_s: float) -> int:
    """Return whole milliseconds, as PostgreSQL and Redis count."""
    return max(1, round(1000 * time_s))
