"""A database cloned from another one in the same server, as that is once it is migrated.

PostgreSQL clones quickly only what nobody is connected to, and the first database has its services.
So a template is made of a dump, once, and each clone of the template. Both say in their comment of
what they were made: a database whose schema or whose services' images have changed is made anew.
https://www.postgresql.org/docs/current/manage-ag-templatedbs.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nomock.stack import Postgres

if TYPE_CHECKING:  # psycopg is imported only by those who connect
    from nomock.adapters.postgres import Connection

# Workers make their clones, and runs the template, at the same moment: any number would do.
_LOCK = 7207_13
_USED = ", used"
# Of our own connections, which no test has left open.
_NAME = "nomock clone"
# A dump that broke off must not be taken for a whole one.
_COPY = """
{ pg_dump --username "$1" --dbname "$2" || echo 'the dump broke off;'; } |
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --output /dev/null --username "$1" --dbname "$3"
"""


class Clone:
    """One clone of the database of a PostgreSQL."""

    def __init__(self, postgres: Postgres, suffix: str, made_by: Sequence[object]) -> None:
        """``made_by``: of what it is made beside its schema: what filled it, say."""
        self._postgres = postgres
        self._made_by = made_by
        self._template = f"{postgres.dbname}_nomock_template"
        self.name = f"{postgres.dbname}_{suffix}"

    def make_template(self, emptied: Callable[[Postgres], None]) -> None:
        """Make the template, or make it anew where the first database has changed.

        ``emptied`` takes out of it what tests made that use the first database meanwhile. Raises
        EngineError where the database refuses, ComposeError where it cannot be dumped.
        """
        postgres, template = self._postgres, self._template
        postgres.clear_snapshots()  # what a killed run left of them is no schema of the user's
        mark = self._mark()
        with self._alone() as connection:
            if _comment(connection, template) != mark:
                _drop(connection, template)
                connection.execute(_sql("create database {} template template0", template))
                names = (postgres.user, postgres.dbname, template)
                self._in_server("sh", "-c", _COPY, "copy", *names)
                emptied(postgres.on_database(template))
                _mark(connection, template, mark)

    def make(self, *, unused: bool = False) -> None:
        """Make it, or make it anew where its template is another one; its data is kept if not.

        ``unused``: make it anew also where tests may have left something. Raises as
        ``make_template``.
        """
        with self._alone() as connection:
            mark = _comment(connection, self._template)
            known = {mark} if unused else {mark, f"{mark}{_USED}"}
            if _comment(connection, self.name) not in known:
                _drop(connection, self.name)
                statement = _sql("create database {} template {}", self.name, self._template)
                connection.execute(statement)
            _mark(connection, self.name, f"{mark}{_USED}")

    def is_as_made(self) -> None:
        """It holds what its template does."""
        with self._alone() as connection:
            mark = _comment(connection, self.name) or ""
            _mark(connection, self.name, mark.removesuffix(_USED))

    def drop(self) -> None:
        """Drop it, whoever is connected to it."""
        with self._postgres.connect(autocommit=True, application_name=_NAME) as connection:
            _drop(connection, self.name)

    @contextmanager
    def _alone(self) -> Iterator[Connection[Any]]:
        """Give a connection while no other process makes a clone of this server's databases."""
        with self._postgres.connect(autocommit=True, application_name=_NAME) as connection:
            connection.execute("select pg_advisory_lock(%s)", [_LOCK])
            yield connection

    def _mark(self) -> str:
        dump = ("pg_dump", "--schema-only", "--username", self._postgres.user, "--dbname")
        schema = self._in_server(*dump, self._postgres.dbname)
        # A line of these is another one in each dump: CVE-2025-8714.
        lines = [x for x in schema.splitlines() if not x.startswith(("\\restrict", "\\unrestrict"))]
        return hashlib.sha256(repr((lines, list(self._made_by))).encode()).hexdigest()

    def _in_server(self, *command: str) -> str:
        password = f"PGPASSWORD={self._postgres.password}"
        return self._postgres.service.exec("env", password, *command)


def _drop(connection: Connection[Any], name: str) -> None:
    connection.execute(_sql("drop database if exists {} with (force)", name))


def _comment(connection: Connection[Any], name: str) -> str | None:
    found = connection.execute(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", [name]
    ).fetchone()
    return found[0] if found else None


def _mark(connection: Connection[Any], name: str, mark: str | None) -> None:
    connection.execute(_sql(f"comment on database {{}} is '{mark}'", name))


def _sql(text: str, *names: str) -> Any:
    from nomock.adapters.postgres import SQL, Identifier

    return SQL(text).format(*map(Identifier, names))
