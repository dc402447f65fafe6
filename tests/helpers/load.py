"""Orders that keep coming while something is broken, and what must be true of them afterwards."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

from helpers.eventually import eventually
from helpers.orders import Orders, rows
from nomock.faults.acknowledged import Acknowledged, End

THREADS = 3
# Paced, so that a tenant's quota of 100 outlasts the fault.
PACE_S = 0.1

LEFT = (
    "SELECT i.name, i.state, count(r) AS resources FROM instances.instances i"
    " LEFT JOIN instances.resources r USING (instance_id) WHERE tenant_id = %s"
    " GROUP BY 1, 2 HAVING i.state <> 'running' OR count(r) <> 1"
)
FOUND = (
    "SELECT i.name FROM instances.instances i"
    " LEFT JOIN instances.jobs j USING (instance_id) WHERE tenant_id = %s"
)
UNSETTLED = (
    "SELECT usename, state, wait_event_type, query FROM pg_stat_activity"
    " WHERE usename = %s AND state <> 'idle'"
)
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"


class Load:
    """What the orders of one tenant were answered; each is keyed by its name, in both senses."""

    def __init__(self, orders: Orders, unique_name: Callable[[], str]) -> None:
        self.orders = orders
        self.book = Acknowledged()
        self._unique_name = unique_name

    def order(self) -> None:
        """Place an order that nobody has placed before."""
        self._send(self._unique_name())

    def acknowledges(self, more: int) -> None:
        """Return when as many more orders have been acknowledged."""
        self._gets(End.OK, more)

    def meets_trouble(self, more: int) -> None:
        """Return when as many more orders have got no answer that says what became of them."""
        self._gets(End.UNKNOWN, more)

    def check(self, postgres: Any, at_least: int) -> None:
        """See that each order that was acknowledged, in the end, was done, and once.

        One whose fate is unknown is repeated with its key first, as a client does.
        """
        for name in self.book.keys(End.UNKNOWN):
            self._send(name)
        tenant = self.orders.tenant.tenant_id
        eventually(
            lambda: not rows(postgres, LEFT, tenant),
            within_s=20,
            reason="every order should run, with one resource",
        )
        assert self.book.keys(End.UNKNOWN) == []
        # A row for each job: an order that was queued twice would be there twice.
        self.book.check((name for (name,) in rows(postgres, FOUND, tenant)), at_least=at_least)

    def _send(self, name: str) -> None:
        self.book.send(name, lambda: self.orders.place(name, key=name))

    def _gets(self, end: End, more: int) -> None:
        before = len(self.book.keys(end))
        eventually(
            lambda: len(self.book.keys(end)) >= before + more,
            within_s=20,
            reason=f"{more} more orders should be {end.name}, of {self.book}",
        )


@contextmanager
def loaded(orders: Orders, unique_name: Callable[[], str]) -> Iterator[Load]:
    """Place orders from several threads for as long as the block runs."""
    load, over = Load(orders, unique_name), Event()

    def order() -> None:
        while not over.is_set():
            load.order()
            over.wait(PACE_S)

    with ThreadPoolExecutor(THREADS) as threads:
        ordering = [threads.submit(order) for _ in range(THREADS)]
        try:
            yield load
        finally:
            over.set()
    for each in ordering:
        each.result()


def settles(postgres: Any, **connections: int) -> None:
    """See that roles have no transaction left open, and no more connections than they should."""

    unsettled: list[Any] = []

    def settled() -> bool:
        unsettled.clear()
        for role, most in connections.items():
            unsettled.extend(rows(postgres, UNSETTLED, role))
            ((count,),) = rows(postgres, COUNT, role)
            if count > most:
                unsettled.append((role, count))
        return not unsettled

    try:
        eventually(settled, within_s=10, reason="the pools should be at their baseline")
    except AssertionError as error:
        error.add_note(f"not settled: {unsettled}")
        raise
