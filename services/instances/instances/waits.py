"""How long `instances` waits, for all that it waits for."""

from dataclasses import dataclass

from shared.waits import CallWaits, DatabaseWaits, TokenWaits


@dataclass(frozen=True)
class Waits:
    """Read once, when the service starts."""

    database: DatabaseWaits
    auth: CallWaits
    tokens: TokenWaits

    @classmethod
    def from_environment(cls) -> "Waits":
        """Read them; what is missing or will not do stops the start."""
        return cls(
            # For a connection shorter than for a lock, so that the log names what was really slow.
            DatabaseWaits.from_environment(connection_share=0.4),
            CallWaits.from_environment("AUTH_TIMEOUT_S"),
            TokenWaits.from_environment(),
        )
