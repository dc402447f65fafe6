"""The stack's PostgreSQL, as tests connect to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nomock.errors import NotReadyError, PostgresError
from nomock.stack.credentials import Credentials, credentials_of
from nomock.stack.postgres_service import postgres_port
from nomock.stack.service import Service

if TYPE_CHECKING:  # psycopg is imported only by those who connect
    from nomock.adapters.postgres import Connection
    from nomock.database.costs import Costs
    from nomock.database.keeper import Snapshots
    from nomock.database.sessions import Session
    from nomock.database.snapshot import Snapshot


class Postgres:
    """Opens connections to the stack's database, with the credentials of its container.

    These are those that its image was told: by the compose file, by files that its environment
    names (``POSTGRES_PASSWORD_FILE``), or by the image itself.
    """

    def __init__(self, service: Service, dbname: str | None = None) -> None:
        """``dbname``: another database than that which its image made."""
        self.service = service
        self._dbname = dbname
        self._read: tuple[str, Credentials] | None = None

    @property
    def user(self) -> str:
        """The superuser."""
        return self._credentials.user

    @property
    def password(self) -> str:
        """The superuser's password; empty where the server asks for none."""
        return self._credentials.password

    @property
    def dbname(self) -> str:
        """The database that its image made, or the lane's own."""
        return self._dbname or self._credentials.dbname

    def on_database(self, dbname: str) -> Postgres:
        """Return the same server with another database in place of this one."""
        return Postgres(self.service, dbname)

    def aside(self) -> Postgres:
        """Return the same database for what asks it beside the tests: no test waits for that."""
        return Postgres(self.service.aside(), self._dbname)

    def connect(
        self, user: str | None = None, password: str | None = None, **options: Any
    ) -> Connection[Any]:
        """Open a connection, as the superuser by default; ``options`` are psycopg's own.

        The connection is a context manager: it commits at the end of its block, or rolls back.
        Raises EngineError where the database refuses; UnpublishedError, UnreachableError or
        NotReadyError where it is not reached.
        """
        from nomock.adapters.postgres import connect

        address = self.service.address(postgres_port(self.service.config))
        own = self._credentials
        return connect(
            self.service.name,
            address,
            **{
                "dbname": self._dbname or own.dbname,
                "user": own.user if user is None else user,
                "password": own.password if password is None else password,
                **options,
            },
        )

    def as_role(
        self,
        role: str,
        password: str | None = None,
        *,
        settings: Mapping[str, str] = MappingProxyType({}),
        **options: Any,
    ) -> Connection[Any]:
        """Open a connection as a role, under its privileges and its row-level security.

        With a password it logs in; without one it is the superuser's, who takes the role on (SET
        SESSION AUTHORIZATION), also one that cannot log in. ``settings`` are the session's from its
        begin, such as ``{"app.tenant": "7"}``; ``options`` are psycopg's own. Raises PostgresError
        where there is no such role or setting, and what ``connect`` raises.
        """
        from nomock.adapters.postgres import DatabaseError, take_role

        user = None if password is None else role
        connection = self.connect(user, password, **{**options, "autocommit": True})
        try:
            take_role(connection, None if user else role, settings)
            connection.autocommit = options.get("autocommit", False)
        except DatabaseError as error:
            connection.close()
            raise PostgresError(
                f"no session as the role {role!r}",
                where=self._where,
                seen=str(error),
                todo="name one of: nomock exec "
                f"{self.service.name} psql -U {self.user} {self.dbname} -c '\\du'",
            ) from error
        return connection

    def wait_for(
        self,
        query: str,
        values: Sequence[Any] | None = None,
        *,
        until: Callable[[list[tuple[Any, ...]]], object] = bool,
        within_s: float = 10.0,
    ) -> list[tuple[Any, ...]]:
        """Ask until the rows are as wanted, by default until there is one, and return them.

        ``values`` are those of the query's ``%s``. Raises RowsError, an AssertionError, with the
        last rows that were seen.
        """
        from nomock.database.waiting import wait_for_rows

        with self.connect(autocommit=True) as connection:
            return wait_for_rows(
                connection, query, values, until, within_s=within_s, where=self._where
            )

    def sessions(self, *names: str, **options: Any) -> AbstractContextManager[tuple[Session, ...]]:
        """Give sessions that a test steps by hand: ``with postgres.sessions("a", "b") as (a, b):``.

        ``options`` are those of ``connect``. What they have not committed is rolled back.
        """
        from nomock.database.sessions import sessions_of

        return sessions_of(lambda **own: self.connect(**{**options, **own}), names)

    @contextmanager
    def costs(self) -> Iterator[Costs]:
        """Count what the statements of a block cost: ``with postgres.costs() as costs: …``.

        After it ``costs.scans`` has the tables that were read whole, ``costs.statements`` the
        slowest statements of all sessions.
        """
        from nomock.database.costs import Costs, Counters

        costs = Costs(self._where)
        with self.connect(autocommit=True) as connection:
            before = Counters.of(connection)
            yield costs
            costs.add(connection, before)

    def snapshot(self) -> Snapshot:
        """Keep the rows and sequences as they are now: ``restore`` brings them back.

        ``with postgres.snapshot(): …`` does so at the end of the block. Raises SnapshotError where
        another run has a snapshot of the same database.
        """
        return self.snapshots.take()

    def restore(self) -> int:
        """Bring the database back to the last snapshot; return how many tables were written to.

        Raises SnapshotError where there is none, where the schema is another one now, or where
        sessions go on writing for longer than 10 s.
        """
        return self.snapshots.last.restore()

    def clear_snapshots(self) -> None:
        """Take away what killed runs left; raise SnapshotError where another run has one."""
        self.snapshots.clear()
        self.close()

    def close(self) -> None:
        """Take away the snapshots that this process has taken."""
        if "snapshots" in self.__dict__:
            self.snapshots.close()

    def snapshot_beneath(self) -> Snapshot:
        """Keep the rows for a command that runs tests: these may take snapshots above it."""
        return self._snapshots(beneath=True).take()

    @cached_property
    def snapshots(self) -> Snapshots:
        """Those that this process has taken of the database."""
        return self._snapshots()

    def _snapshots(self, *, beneath: bool = False) -> Snapshots:
        from nomock.database.keeper import APPLICATION, Snapshots

        def open_connection() -> Connection[Any]:
            return self.connect(autocommit=True, application_name=APPLICATION)

        return Snapshots(open_connection, self._where, beneath=beneath)

    @property
    def _where(self) -> str:
        return f"database {self.dbname}, service {self.service.name}"

    @property
    def _credentials(self) -> Credentials:
        """What the container was told; it is asked once, and again when there is another one."""
        try:
            container_id = self.service.container_id
        except NotReadyError:  # it has none: what the compose file says
            return credentials_of(self.service.config.environment, self._file)
        if self._read is None or self._read[0] != container_id:
            environment = self.service.environment()
            self._read = container_id, credentials_of(environment, self._file)
        return self._read[1]

    def _file(self, path: str) -> str:
        """Return the text of a file in the container, as the server itself was given it."""
        return self.service.exec("cat", path)
