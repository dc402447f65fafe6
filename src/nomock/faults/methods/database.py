"""The faults of the database, which PostgreSQL makes, as methods of ``faults``."""

from __future__ import annotations

from nomock.faults.active import ActiveFault
from nomock.faults.database.end_backends import EndBackends
from nomock.faults.database.fill_slots import FillSlots
from nomock.faults.database.lock_table import LockTable, Mode
from nomock.faults.fault import EXPIRES_S, Fault
from nomock.faults.methods.common import Methods

KINDS: tuple[type[Fault], ...] = (
    EndBackends,
    LockTable,
    FillSlots,
)


class DatabaseMethods(Methods):
    """The faults of the database, which PostgreSQL makes, as methods of ``faults``."""

    def end_backends(
        self,
        role: str | None = None,
        service: str | None = None,
        *,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """End all connections of a role, or of a service, once, as an administrator would.

        Who uses one is told ``57P01 admin_shutdown``; an idle one is found dead at its next use.
        New connections are let in.

        Args:
            role: The role whose connections end.
            service: The service whose connections end: those of the roles in the URLs of its
                environment.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            ConfigError: both or neither are named, or there is no such role.

        Example:

            with faults.end_backends(service="instances"):
                assert http.get("/instances").status_code == 200
        """
        return self.on(
            EndBackends(
                role,
                service,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def lock_table(
        self,
        table: str,
        mode: Mode = "ACCESS EXCLUSIVE",
        *,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Hold a lock on a table, in a transaction of its own.

        Whoever needs a lock that conflicts waits: they are counted every 20 ms. A statement with
        NOWAIT never waits, so it needs ``expect_traffic=False``.

        Args:
            table: The table, with its schema where that is not on the search path.
            mode: The lock, by PostgreSQL's name for it.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            ConfigError: there is no such lock or table.

        Example:

            with faults.lock_table("instances"):
                assert http.post("/instances", json=order).status_code == 503
        """
        return self.on(
            LockTable(
                table,
                mode,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def fill_slots(
        self,
        leave: int = 0,
        *,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Take all free connections of the database: a new one is refused (53300), open ones go on.

        One that becomes free is taken within 20 ms. Those that PostgreSQL keeps for superusers stay
        free.

        Args:
            leave: How many connections can still be made.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            ConfigError: there are not that many.

        Example:

            with faults.fill_slots():
                assert http.get("/instances").status_code == 503
        """
        return self.on(
            FillSlots(
                leave,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )
