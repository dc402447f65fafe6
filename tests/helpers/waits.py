"""How long anything may take: what the services wait for at the most, and what a machine adds.

The services wait as the compose file tells them (`x-waits`), and a test that bounds an answer asks
here. So whoever changes a setting changes the tests with it. What the services promise stands in
docs/services-*.md; that they keep it is for the tests to see, so nothing is taken from their code.

The numbers in this file are the only ones: the suite holds no second of its own
(tests/harness/repo/test_seconds.py).
"""

import math

import pytest

from nomock import Stack

# What a busy machine may add to an answer, whatever the services wait for.
BUSY_S = 5.0
# What happens by itself, and at once, such as a line in a log, takes a few steps of some processes.
SOON_S = 4 * BUSY_S
# A client gives up after this: later than any answer that is in time.
CLIENT_S = 6 * BUSY_S
# A cluster replaces a pod, removes a namespace or spreads a rule: some programs, one after another.
CLUSTER_S = 12 * BUSY_S
# Tokens that end soon: a test may have to wait between its token and its first request, on a slow
# machine or for the fault of another test; then it tries again with a longer one.
LIFETIMES_S = (round(BUSY_S / 2), round(2 * BUSY_S), round(4 * BUSY_S))
# After this Toxiproxy learns that nobody is there any more: Go's default, from the last word on.
KEEP_ALIVE_S = 15.0
# Each pause of a thread that writes is longer than its last one by this: a tenant's quota of 100
# outlasts a fault, and its repeated orders, however long the services take to recover.
SLOWER_S = 0.05


class Waits:
    """The waits of a stack, from its resolved compose file."""

    def __init__(self, stack: Stack) -> None:
        self._settings = stack["instances"].config.environment

    def _setting_s(self, name: str) -> float:
        value = self._settings[name]
        assert value is not None, f"docker-compose.yml gives {name} no value"
        return float(value)

    # What the services wait for, by their documentation

    @property
    def transaction_s(self) -> float:
        """How long a transaction may take in `instances` and `auth`."""
        return self._setting_s("DATABASE_S")

    @property
    def connect_s(self) -> int:
        """How long `instances` tries to make a connection to the database."""
        return math.ceil(self.transaction_s)

    @property
    def connection_s(self) -> float:
        """How long a request waits for a connection of the pool of `instances`."""
        return 0.4 * self.transaction_s

    @property
    def lock_s(self) -> float:
        """How long a request waits for a lock in `instances`."""
        return 0.75 * self.transaction_s

    @property
    def auth_try_s(self) -> float:
        """How long one try to ask `auth` may take."""
        return self._setting_s("AUTH_TIMEOUT_S")

    @property
    def auth_patience_s(self) -> float:
        """How long `instances` and `mcp` wait for `auth`, in all tries."""
        return 2 * self.auth_try_s

    @property
    def instances_patience_s(self) -> float:
        """How long `mcp` waits for `instances`, in all tries."""
        return 2 * self._setting_s("INSTANCES_TIMEOUT_S")

    @property
    def retry_pause_s(self) -> float:
        """How long the pause before a second try is, at its shortest."""
        return self._setting_s("RETRY_PAUSE_S")

    @property
    def circuit_rest_s(self) -> float:
        """How long a circuit stays open before one call tries again."""
        return self._setting_s("CIRCUIT_REST_S")

    @property
    def keys_every_s(self) -> float:
        """How long the keys of `auth` are not fetched again."""
        return self._setting_s("KEYS_EVERY_S")

    @property
    def clock_leeway_s(self) -> float:
        """By how much the clocks of two machines may differ."""
        return self._setting_s("CLOCK_LEEWAY_S")

    @property
    def job_s(self) -> float:
        """How long a job may take the worker."""
        return self._setting_s("JOB_S")

    @property
    def tolerance_s(self) -> float:
        """By how much the time in a webhook may differ from that of `billing`."""
        return self._setting_s("WEBHOOK_TOLERANCE_S")

    # How long a caller waits at the most

    @property
    def refusal_by_auth_s(self) -> float:
        """Until `instances` says no because `auth` hangs."""
        return self.auth_patience_s + BUSY_S

    @property
    def refusal_s(self) -> float:
        """Until `instances` says no, when the database or `auth` hangs."""
        database_s = self.connection_s + self.transaction_s
        return max(database_s, self.auth_patience_s) + BUSY_S

    @property
    def answer_s(self) -> float:
        """Until `instances` answers, whatever hangs: one that takes longer hangs itself."""
        return self.auth_patience_s + self.connection_s + self.transaction_s + BUSY_S

    @property
    def answer_of_agent_s(self) -> float:
        """Until `mcp` answers, whatever hangs: it calls `auth` and then `instances`."""
        return self.auth_patience_s + self.instances_patience_s + BUSY_S

    @property
    def refusal_of_login_s(self) -> float:
        """Until `auth` says no to a login, when a table of its is locked."""
        return 2 * self.transaction_s + BUSY_S

    @property
    def refusal_without_redis_s(self) -> float:
        """Until `auth` says no because Redis hangs, which it tries twice."""
        return 2 * self._setting_s("REDIS_TIMEOUT_S") + BUSY_S

    # How long it takes until all is well again

    @property
    def back_s(self) -> float:
        """Until requests are served, from when nothing is broken any more.

        One may be under way that was sent while it was, then the circuits rest.
        """
        patience_s = self.auth_patience_s + self.instances_patience_s
        return patience_s + self.circuit_rest_s + 2 * BUSY_S

    @property
    def abandoned_s(self) -> float:
        """Until the database ends the statement of a service that was killed.

        That is sooner than the statement would end by itself.
        """
        return self._setting_s("CLIENT_CHECK_S") + BUSY_S

    @property
    def frozen_s(self) -> float:
        """Until the database ends the transaction of an `instances` that is frozen."""
        return 1.25 * self.transaction_s + BUSY_S

    @property
    def done_s(self) -> float:
        """Until the worker has done a job; it may have to connect first."""
        return 10 * self._setting_s("RECONNECT_S") + self.turn_s + SOON_S

    @property
    def turn_s(self) -> float:
        """After which the worker and `billing` look for what is to be done unasked."""
        return self._setting_s("TURN_S")

    @property
    def task_s(self) -> float:
        """How long `billing` tries a task: its calls, and the transaction around them."""
        return self.auth_patience_s + self.instances_patience_s + self.transaction_s

    @property
    def delivered_s(self) -> float:
        """Until a task of `billing` is done, when nothing is broken any more.

        One try may be under way that began before that; the next one comes after a turn.
        """
        return self.task_s + self.turn_s + self.back_s

    @property
    def provisioned_s(self) -> float:
        """Until an instance in a cluster runs, or has failed: its job may take two attempts."""
        return 2 * self.job_s + self.done_s

    @property
    def given_up_s(self) -> float:
        """Until the worker gives up a job in which it hangs."""
        return self.job_s + BUSY_S

    @property
    def redone_s(self) -> float:
        """Until a job is done that another worker holds, which the database does not see go."""
        return 1.25 * self.job_s + self.done_s

    @property
    def settled_s(self) -> float:
        """Until the database has no connection that nobody uses.

        A reset that was lost on the way is not sent again (RFC 9293, 3.5.2): Toxiproxy learns by
        its keep-alive that nobody is there any more.
        """
        return KEEP_ALIVE_S + 1.25 * self.job_s + BUSY_S


@pytest.fixture
def waits(stack: Stack) -> Waits:
    """Return how long anything may take in this stack."""
    return Waits(stack)
