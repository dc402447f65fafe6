"""How long `billing` waits, for all that it waits for."""

from dataclasses import dataclass, replace

from shared import settings
from shared.waits import CallWaits, DatabaseWaits, TokenWaits


@dataclass(frozen=True)
class Waits:
    """Read once, when the service starts."""

    database: DatabaseWaits
    auth: CallWaits
    instances: CallWaits
    tokens: TokenWaits
    # After which it looks for tasks unasked, and tries again what failed.
    turn_s: float
    # By how much the time in a webhook may differ from this machine's.
    tolerance_s: float

    @classmethod
    def from_environment(cls) -> "Waits":
        """Read them; what is missing or will not do stops the start."""
        auth = CallWaits.from_environment("AUTH_TIMEOUT_S")
        settings.seconds(
            "INSTANCES_TIMEOUT_S",
            above_s=auth.try_s,
            why="the AUTH_TIMEOUT_S: instances calls auth itself before it answers",
        )
        return cls(
            DatabaseWaits.from_environment(connection_share=0.4),
            auth,
            CallWaits.from_environment("INSTANCES_TIMEOUT_S"),
            TokenWaits.from_environment(),
            settings.seconds("TURN_S"),
            settings.seconds("WEBHOOK_TOLERANCE_S"),
        )

    @property
    def task(self) -> DatabaseWaits:
        """For the database while a task is done: its transaction is open during the calls."""
        calls_s = self.auth.patience_s + self.instances.patience_s
        return replace(self.database, transaction_s=self.database.transaction_s + calls_s)
