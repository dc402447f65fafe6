"""A database of its own: a replica of all services but PostgreSQL, which all lanes have in common.

Where a stack is large and its data is what tests must not share, this is cheaper than a stack: one
server, in which each lane has a database, cloned from the first one as it is once migrated. The
services of the lane are told that name in place of the first one's, wherever their environment or
command has it. They reach the server over a network that has no way out, so that joining it moves
none of the ports that the server publishes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from nomock.errors import ConfigError
from nomock.lanes.clone import Clone
from nomock.lanes.lane import Lane, Say
from nomock.lanes.replica import replica
from nomock.stack import Postgres, Stack

_NETWORK = "nomock-postgres"
_SCHEMES = r"(?:postgres\w*|postgis|pgsql|psql)(?:\+\w+)?"
# Variables that hold nothing but a database's name, in the images and frameworks that are common.
_NAMES = re.compile(
    r"(^|_)(PGDATABASE|DB_NAME|DB_DATABASE|DATABASE_NAME|POSTGRES(QL)?_(DB|DATABASE))$"
)


class DatabaseLane(Lane):
    """A replica of the services, on a database of its own in the first stack's server."""

    kind = "database"
    suffix = "database"
    begins_when = "ready"

    def _made(self) -> Stack:
        first = self.main.postgres
        stack = replica(self.main, self.name, self._change, without={first.service.name})
        stack.lend(first.service)
        stack.postgres = self.own_postgres
        return stack

    @property
    def own_postgres(self) -> Postgres:
        """Its database in the first stack's server; raises as ``Stack.postgres``."""
        return self.main.postgres.on_database(self._clone.name)

    @classmethod
    def begin(cls, main: Stack, emptied: Callable[[Postgres], None]) -> None:
        """Make the template: what tests write is not to be in it."""
        _clone_of(main, "").make_template(emptied)

    def prepare(self, **how: Any) -> None:
        """Clone the database and join the server to the lane, then start the services."""
        stack = self.stack
        self._clone.make(unused=self.is_reset)
        engine, server = self.main.engine, self.main.postgres.service.container_id
        engine.create_network(self._network)
        if self._network not in engine.networks(server):
            aliases = sorted(self._aliases())
            engine.connect(server, self._network, {"Aliases": aliases})
        stack.prepare(**how)

    def is_as_made(self) -> None:
        """The next run that resets it may take it as it is."""
        self._clone.is_as_made()

    def remove(self, *, progress: Say, waiting: Say) -> None:
        """Take the services down, and drop the database where its server runs."""
        super().remove(progress=progress, waiting=waiting)
        engine = self.main.engine
        servers = [c.id for c in self.main.containers() if c.service == self._server]
        for id_ in servers:
            if self._network in engine.networks(id_):
                engine.disconnect(id_, self._network)
        engine.remove_network(self._network)
        if any(c.state == "running" for c in self.main.containers() if c.id in servers):
            self._clone.drop()

    @property
    def _server(self) -> str:
        return self.main.postgres.service.name

    @property
    def _network(self) -> str:
        return f"{self.name}-postgres"

    @cached_property
    def _clone(self) -> Clone:
        return _clone_of(self.main, f"lane{self.number}")

    def _aliases(self) -> set[str]:
        """Return the names that the server has for the others."""
        networks = self.main.project.services[self._server].config.get("networks") or {}
        own = (name for how in networks.values() for name in (how or {}).get("aliases") or ())
        return {self._server, *own}

    def _change(self, config: dict[str, Any]) -> None:
        services = config["services"]
        server = services.pop(self._server)
        reached = set(server.get("networks") or ())
        dbname, holders = self.main.postgres.dbname, set()
        for name, how in services.items():
            told = _told(how, dbname, self._clone.name)
            if any(how.get(key) != value for key, value in told.items()):
                holders.add(name)
                how.update(told)
            if reached & set(how.get("networks") or ()):
                how["networks"][_NETWORK] = None
        # Where there is none but the server, tests alone use it.
        if services and not holders:
            raise ConfigError(
                f"no service names the database {dbname!r}, so that none can have another one",
                where=f"stack {self.main.name}",
                seen="looked for in environments and commands: postgresql://…/"
                f"{dbname}, dbname={dbname}, PGDATABASE, …DB_NAME",
                todo="let each worker have a whole stack: --nomock-lanes stack",
            )
        # What they would do to the database has been done to the one that is cloned.
        done = self.main.project.one_shots & holders
        for name in done:
            del services[name]
        for how in services.values():
            needs = how.get("depends_on") or {}
            how["depends_on"] = {k: v for k, v in needs.items() if k not in {*done, self._server}}
        config.setdefault("networks", {})[_NETWORK] = {"name": self._network, "external": True}


def _clone_of(main: Stack, suffix: str) -> Clone:
    images = [main.upkeep.built_image(name) for name in main.project.to_build]
    return Clone(main.postgres, suffix, images)


def _told(how: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return what a service is told, with one database's name in place of another's."""
    environment = {
        key: new if value == old and _NAMES.search(key) else _in_value(value, old, new)
        for key, value in (how.get("environment") or {}).items()
    }
    words = {key: how[key] for key in ("command", "entrypoint") if how.get(key)}
    in_words = {key: [_in_value(w, old, new) for w in value] for key, value in words.items()}
    return {"environment": environment, **in_words} if environment else in_words


def _in_value(value: Any, old: str, new: str) -> Any:
    return _in_text(value, old, new) if isinstance(value, str) else value


def _in_text(text: str, old: str, new: str) -> str:
    """Return a text with another database in its URLs and connection strings.

    >>> _in_text("postgresql+asyncpg://u:p@db:5432/app?ssl=0", "app", "app_lane2")
    'postgresql+asyncpg://u:p@db:5432/app_lane2?ssl=0'
    >>> _in_text("host=db dbname=app user=app", "app", "app_lane2")
    'host=db dbname=app_lane2 user=app'
    """
    name = re.escape(old)
    text = re.sub(rf"({_SCHEMES}://[^/\s]*/){name}(?![\w.-])", rf"\g<1>{new}", text)
    return re.sub(rf"(\bdbname\s*=\s*'?){name}(?![\w.-])", rf"\g<1>{new}", text)
