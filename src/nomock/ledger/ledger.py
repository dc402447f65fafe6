"""The fixture ``ledger``: what tests make is written down first, and undone after its test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nomock.baggage import current_test
from nomock.errors import LedgerError
from nomock.ledger.book import Book
from nomock.ledger.undo import Deletion, Key, Statement, Undo
from nomock.stack import Stack

InProcess = Callable[[], object]


@dataclass
class _Made:
    """A thing that was written down."""

    number: int
    kind: str
    key: str
    undo: Undo | InProcess | None
    owner: object
    """The fixture of a wider scope that makes it; None for the test that runs."""


class Ledger:
    """What the tests of one process make on a stack: written down, and undone in reverse order.

    When a test is over what it made is undone, and what a fixture of a wider scope made is when
    that ends. Of what cannot be undone the entry stays, and the next run that begins tries again;
    so it does with all of a run that was killed.
    """

    def __init__(self, stack: Stack, book: Book) -> None:
        self.stack = stack
        self.owner: object = None
        """The fixture of a wider scope that is being made."""
        self._book = book
        self._made: list[_Made] = []

    def __repr__(self) -> str:
        return f"<Ledger of {self.stack.name}: {len(self._made)} open>"

    def record(self, kind: str, key: str, undo: Undo | InProcess) -> None:
        """Write down what is about to be made, and how it is undone; it is on the disk then.

        Args:
            kind: What it is, such as ``client``.
            key: Which one: its name or id.
            undo: What ``sql``, ``http`` or ``redis`` returns, which another process can do after a
                kill; or a function, which only this one can: after a kill it is said what was left.

        Raises:
            LedgerError: It cannot be written: the disk may be full. The test fails by it before it
                has made anything.

        Example:

            ledger.record("client", name, ledger.sql("delete from clients where name = %s", name))
        """
        told = undo.told() if isinstance(undo, Undo) else None
        number = self._book.add(kind, key, current_test() or "", told)
        self._made.append(_Made(number, kind, key, undo, self.owner))

    @staticmethod
    def sql(statement: str, *values: Any) -> Undo:
        """Return an undo by a statement in the stack's PostgreSQL; ``%s`` stands for a value."""
        return Statement(statement, tuple(_plain(value) for value in values))

    @staticmethod
    def http(
        service: str, path: str, *, method: str = "DELETE", headers: Mapping[str, str] = {}
    ) -> Undo:
        """Return an undo by a request to a service; 404 and 410 say that it is gone already.

        ``$NAME`` in a header's value is a variable of the environment, so that the ledger holds
        no secret.
        """
        return Deletion(service, path, method, dict(headers))

    @staticmethod
    def redis(key: str, *, service: str = "", db: int = 0) -> Undo:
        """Return an undo that deletes a key; ``service``: the Redis, where there are several."""
        return Key(key, service, db)

    def asked(self, kind: str, key: str) -> Callable[[Undo | None], None]:
        """Write down that something may be made by a request; return what to call when it is.

        That takes its undo, None where nothing was made.
        """
        number = self._book.add(kind, key, current_test() or "", None, asked=True)
        made = _Made(number, kind, key, None, self.owner)
        self._made.append(made)

        def answered(undo: Undo | None) -> None:
            made.undo = undo
            if undo is None:
                self._made.remove(made)
                self._book.done(number)
            else:
                self._book.tell(number, undo.told())

        return answered

    def open(self) -> None:
        """Let others see that this run is alive; raise LedgerError."""
        self._book.open()

    def end(self, owner: object = None) -> None:
        """Undo what the test made, or a fixture of a wider scope; go on past what fails.

        Raises LedgerError at the end where any was not undone: its entry stays.
        """
        self._undo([made for made in reversed(self._made) if made.owner is owner])

    def end_all(self) -> None:
        """Undo whatever is not undone, as ``end`` does."""
        self._undo(self._made[::-1])

    def close(self) -> None:
        """Let the file go."""
        self._book.close()

    def _undo(self, mine: list[_Made]) -> None:
        failed = []
        for made in mine:
            self._made.remove(made)
            try:
                if isinstance(made.undo, Undo):
                    made.undo.run(self.stack)
                elif made.undo is not None:
                    made.undo()
            except Exception as error:  # whatever it is, the others are undone, too
                failed.append(f"{made.kind} {made.key}: {str(error) or repr(error)}")
            else:
                self._book.done(made.number)
        if failed:
            raise LedgerError(
                f"{len(failed)} of {len(mine)} that it made could not be undone",
                where="ledger",
                seen="\n".join(failed),
                todo="mend what it says; the next run tries again, and so does nomock cleanup "
                "--remove",
            )


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: that of a UUID or a date is its text."""
    return value if value is None or isinstance(value, str | int | float) else str(value)
