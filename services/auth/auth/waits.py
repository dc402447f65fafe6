"""How long `auth` waits, and how long what it makes lasts in Redis."""

from dataclasses import dataclass

from shared import settings
from shared.waits import DatabaseWaits


@dataclass(frozen=True)
class Waits:
    """Read once, when the service starts."""

    database: DatabaseWaits
    # One try of Redis; there are two.
    redis_s: float
    code_lifetime_s: float
    # Uses are counted, and limited, in windows of this length.
    rate_window_s: float

    @classmethod
    def from_environment(cls) -> "Waits":
        """Read them; what is missing or will not do stops the start."""
        return cls(
            DatabaseWaits.from_environment(connection_share=1.0),
            settings.seconds("REDIS_TIMEOUT_S"),
            settings.seconds("CODE_LIFETIME_S"),
            settings.seconds("RATE_WINDOW_S"),
        )
