"""A PostgreSQL connection that answers as the test says, and remembers what it was asked."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import Any


class Cursor:
    """What a statement gave; awaitable methods and plain ones, as psycopg has both."""

    def __init__(self, rows: list[Any], rowcount: int | None = None) -> None:
        self.rows = rows
        self.rowcount = len(rows) if rowcount is None else rowcount

    def fetchone(self) -> Any:
        return self.rows[0] if self.rows else None

    def fetchall(self) -> list[Any]:
        return self.rows

    def __iter__(self) -> Any:
        return iter(self.rows)


class AsyncCursor(Cursor):
    async def fetchone(self) -> Any:  # type: ignore[override]
        return super().fetchone()

    async def fetchall(self) -> list[Any]:  # type: ignore[override]
        return super().fetchall()


class Script:
    """Answers by a part of the statement; what has no answer gives no rows."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self._answers: list[tuple[str, Any]] = []
        self.transactions = 0
        self.rolled_back = 0

    def on(self, part: str, *rows: Any, rowcount: int | None = None) -> None:
        """Answer statements that contain `part` with these rows; the last one told wins."""
        self._answers.insert(0, (part, (list(rows), rowcount)))

    def fails(self, part: str, error: BaseException) -> None:
        """Raise an error for statements that contain `part`."""
        self._answers.insert(0, (part, error))

    def sent(self, part: str) -> list[Any]:
        """Return the parameters of each statement that contained `part`."""
        return [parameters for statement, parameters in self.calls if part in statement]

    def _answer(self, statement: Any, parameters: Any) -> tuple[list[Any], int | None]:
        self.calls.append((str(statement), parameters))
        for part, answer in self._answers:
            if part in str(statement):
                if isinstance(answer, BaseException):
                    raise answer
                return answer
        return [], None


class AsyncConnection(Script):
    async def execute(self, statement: Any, parameters: Any = None) -> AsyncCursor:
        return AsyncCursor(*self._answer(statement, parameters))

    @asynccontextmanager
    async def handed_out(self, pool: Any) -> Any:
        """Stand in for `shared.database.connection`."""
        self.transactions += 1
        yield self


class Connection(Script):
    def execute(self, statement: Any, parameters: Any = None) -> Cursor:
        return Cursor(*self._answer(statement, parameters))

    @contextmanager
    def transaction(self) -> Any:
        import psycopg

        self.transactions += 1
        try:
            yield
        except psycopg.Rollback:
            self.rolled_back += 1
        except BaseException:
            self.rolled_back += 1
            raise
