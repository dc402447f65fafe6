"""Writes that keep coming while something is broken, and what must be true of them afterwards."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import httpx

from helpers.eventually import eventually
from helpers.orders import Orders, rows
from helpers.waits import SLOWER_S, Waits
from nomock import Acknowledged, Outcome, Postgres

Name = Callable[[], str]
Write = Callable[[str], httpx.Response]

THREADS = 3

LEFT = (
    "SELECT i.name, i.state, count(r) AS resources FROM instances.instances i"
    " LEFT JOIN instances.resources r USING (instance_id) WHERE tenant_id = %s"
    " GROUP BY 1, 2 HAVING i.state <> 'running' OR count(r) <> 1"
)
FOUND = (
    "SELECT i.name FROM instances.instances i"
    " LEFT JOIN instances.jobs j USING (instance_id) WHERE tenant_id = %s"
)
# Of this lane's database: those of others may be on the same server.
UNSETTLED = (
    "SELECT usename, state, wait_event_type, query FROM pg_stat_activity"
    " WHERE usename = %s AND datname = current_database() AND state <> 'idle'"
)
# What tells an orphan, which nobody uses any more, from one that is in use.
EACH = (
    "SELECT pid, client_port, backend_start::time(1)::text, state, state_change::time(1)::text,"
    " left(query, 60) FROM pg_stat_activity WHERE usename = %s ORDER BY state_change"
)
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND datname = current_database()"


class Load:
    """Many writes, each of a name that no other has, and what they were answered."""

    def __init__(self, write: Write, unique_name: Name, book: Acknowledged, waits: Waits) -> None:
        self.book = book
        self.waits = waits
        self.statuses: Counter[int | None] = Counter()
        self._write = write
        self._unique_name = unique_name

    def once(self) -> None:
        """Write what nobody has written before."""
        self._send(self._unique_name())

    def acknowledges(self, more: int) -> None:
        """Return when as many more writes have been acknowledged."""
        self._gets(Outcome.OK, more)

    def meets_trouble(self, more: int) -> None:
        """Return when as many more writes have got no answer that says what became of them."""
        self._gets(Outcome.UNKNOWN, more)

    def repeat_unknown(self) -> None:
        """Repeat what nobody knows of whether it was done, as a client does."""
        for name in self.book.keys(Outcome.UNKNOWN):
            self._send(name)

    def _send(self, name: str) -> None:
        reply = self.book.send(name, lambda: self._write(name))
        self.statuses[reply.status_code if reply is not None else None] += 1

    def _gets(self, end: Outcome, more: int) -> None:
        before = len(self.book.keys(end))
        eventually(
            lambda: len(self.book.keys(end)) >= before + more,
            # Each thread may have to wait, and get what it should at its next try but one.
            within_s=3 * self.waits.answer_s,
            reason=f"{more} more writes should be {end.name}, of {self.book}",
        )


def check_orders(load: Load, orders: Orders, postgres: Postgres, at_least: int) -> None:
    """See that each order that was acknowledged, in the end, was done, and once."""
    load.repeat_unknown()
    tenant = orders.tenant.tenant_id
    eventually(
        lambda: not rows(postgres, LEFT, tenant),
        within_s=load.waits.done_s,
        reason="every order should run, with one resource",
    )
    assert load.book.keys(Outcome.UNKNOWN) == []
    # A row for each job: an order that was queued twice would be there twice.
    load.book.check((name for (name,) in rows(postgres, FOUND, tenant)), at_least=at_least)
    # A service that cannot do its work says so, and nothing else.
    assert load.statuses.keys() <= {202, 503}, load.statuses


@contextmanager
def loaded(write: Write, unique_name: Name, book: Acknowledged, waits: Waits) -> Iterator[Load]:
    """Write from several threads for as long as the block runs."""
    load, over = Load(write, unique_name, book, waits), Event()

    def go_on() -> None:
        for count in itertools.count(1):
            load.once()
            if over.wait(count * SLOWER_S):
                break

    with ThreadPoolExecutor(THREADS) as threads:
        going = [threads.submit(go_on) for _ in range(THREADS)]
        try:
            yield load
        finally:
            over.set()
    for each in going:
        each.result()


def settles(postgres: Postgres, within_s: float, **connections: int) -> None:
    """See that roles have no transaction left open, and no more connections than they should."""
    unsettled: list[Any] = []

    def settled() -> bool:
        unsettled.clear()
        for role, most in connections.items():
            unsettled.extend(rows(postgres, UNSETTLED, role))
            ((count,),) = rows(postgres, COUNT, role)
            if count > most:
                unsettled.append((role, count, rows(postgres, EACH, role)))
        return not unsettled

    try:
        eventually(settled, within_s=within_s, reason="the pools should be at their baseline")
    except AssertionError as error:
        error.add_note(f"not settled: {unsettled}")
        raise
