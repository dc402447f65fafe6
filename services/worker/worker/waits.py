"""How long the worker waits, and PostgreSQL for it."""

from dataclasses import dataclass

from shared import settings
from shared.waits import whole_s


@dataclass(frozen=True)
class Waits:
    """Read once, when the worker starts."""

    # A job that takes longer is given up, and tried again over new connections: the database may be
    # behind a network that drops everything, and tells nobody.
    job_s: float
    # The wait for a notification ends after this time, too: for the heartbeat, and for a job that
    # was held by a worker that has died since, about which nobody notifies.
    turn_s: float
    # For a new connection.
    connect_s: int
    # The pause before it connects anew, the first time.
    reconnect_s: float
    # After how long PostgreSQL notices that a client has gone for which a statement runs.
    client_check_s: float

    @classmethod
    def from_environment(cls) -> "Waits":
        """Read them; what is missing or will not do stops the start."""
        turn_s = settings.seconds("TURN_S")
        return cls(
            settings.seconds("JOB_S", above_s=turn_s, why="the TURN_S: a job may take some turns"),
            turn_s,
            whole_s(settings.seconds("DATABASE_S")),
            settings.seconds("RECONNECT_S"),
            settings.seconds("CLIENT_CHECK_S"),
        )

    @property
    def lock_s(self) -> float:
        """For a lock: shorter than for a statement."""
        return 0.8 * self.job_s

    @property
    def statement_s(self) -> float:
        """For a statement: shorter than for the job."""
        return 0.9 * self.job_s

    @property
    def cluster_s(self) -> float:
        """For an instance in a cluster to run: shorter than the job, with time for its removal."""
        return 0.6 * self.job_s

    @property
    def idle_s(self) -> float:
        """After how long PostgreSQL ends a transaction with which nobody goes on."""
        return 1.25 * self.job_s

    def pause_s(self, losses: int) -> float:
        """Before it connects anew, when so many connections were lost one after the other."""
        return self.reconnect_s * (1, 2, 5, 10)[min(losses, 3)]
