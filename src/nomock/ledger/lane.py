"""The fixture ``lane``: which worker of which run this is, and names for what its tests make."""

from __future__ import annotations

from nomock import names
from nomock.baggage import current_test
from nomock.ledger.ledger import Ledger


class WorkerLane:
    """The part of a run that one worker has: its names are nobody else's."""

    def __init__(self, ledger: Ledger, run: str, worker: int) -> None:
        self._ledger = ledger
        self.run = run
        """The id of the run, the same in all its workers."""
        self.worker = worker
        """The worker's number, from 1 on; 0 without xdist."""

    def __repr__(self) -> str:
        return f"<WorkerLane {self.run}.{self.worker} on {self._ledger.stack.name}>"

    def name(self, what: str = "", *, length: int = names.LENGTH) -> str:
        """Return a name for something that a test makes, which nothing else has.

        It begins with ``TEST ``, by which `nomock cleanup` finds what has it, and says the run,
        the worker and the test.

        Args:
            what: What it is, such as ``client``.
            length: How long it may be; 32 at the least.

        Raises:
            LedgerError: Others cannot be told that this run is alive: the disk may be full.

        Example:

            reply = stack["auth"].http.post("/clients", json={"name": lane.name("client")})
        """
        self._ledger.open()
        return names.make(what, self.run, self.worker, current_test() or "", length)
