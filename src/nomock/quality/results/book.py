"""The file of results: SQLite, written while tests run, by several runs side by side.

Each test is a transaction of its own in the write-ahead log: a process that is killed loses the
test that runs, and nobody waits for a disk. https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, fields
from pathlib import Path
from types import TracebackType

from nomock.errors import QualityError
from nomock.quality.results.rows import Ended, Result, RunFacts, RunTimes
from nomock.statefolder import make_state_dir

VERSION = 1
# "nomk": what tells the file from other people's. https://www.sqlite.org/pragma.html#pragma_application_id
_APPLICATION = 0x6E6F6D6B
# Some 10 MB; the oldest runs go first.
_MOST_RESULTS = 100_000
_PATIENCE_S = 5.0

_FACTS = [field.name for field in fields(RunFacts)]
_TIMES = [field.name for field in fields(RunTimes)]
_ENDED = [field.name for field in fields(Ended) if field.name != "test"]
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS runs (
  id INTEGER PRIMARY KEY, {", ".join(_FACTS)}, {", ".join(_TIMES)});
CREATE TABLE IF NOT EXISTS tests (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS results (
  run INTEGER NOT NULL REFERENCES runs, test INTEGER NOT NULL REFERENCES tests,
  {", ".join(_ENDED)});
CREATE INDEX IF NOT EXISTS results_of_run ON results (run);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
"""


def path_of(state_dir: Path) -> Path:
    """Return where the results of a project are kept."""
    return state_dir / "results.sqlite"


class ResultsBook:
    """The results of a project, open; a context manager.

    Raises QualityError for a file of another version, for one that is no file of ours, and where
    it cannot be read or written.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._tests: dict[str, int] = {}

    @classmethod
    def write(cls, state_dir: Path, most_results: int = _MOST_RESULTS) -> ResultsBook:
        """Open it to write, made if there is none, and drop the oldest runs where it is full.

        Raises StateFolderError, too.
        """
        make_state_dir(state_dir)
        path = path_of(state_dir)
        with _errors(path):
            # Each statement commits by itself, where no transaction is begun.
            connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
        book = cls(path, connection)
        try:
            with _errors(path):
                book._begin(most_results)
        except BaseException:
            book.close()
            raise
        return book

    @classmethod
    def read(cls, state_dir: Path) -> ResultsBook:
        """Open it to read; raises QualityError where there is none."""
        path = path_of(state_dir)
        if not path.exists():
            raise QualityError(
                "no results are kept here yet",
                where=str(path),
                todo="run tests that use the stack, in a git repository: each run adds its own",
            )
        with _errors(path):
            connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
        book = cls(path, connection)
        try:
            with _errors(path):
                book._check()
        except BaseException:
            book.close()
            raise
        return book

    def _begin(self, most_results: int) -> None:
        ask = self._connection.execute
        if ask("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            self._check()
        with suppress(sqlite3.OperationalError):  # another run is just doing it
            ask("PRAGMA journal_mode = WAL")
        ask("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        (count,) = ask("SELECT count(*) FROM results").fetchone()
        if count > most_results:
            self._drop(count - most_results * 3 // 4)

    def _check(self) -> None:
        """Raise QualityError for a file that is not of this version of ours."""
        ask = self._connection.execute
        (application,) = ask("PRAGMA application_id").fetchone()
        (version,) = ask("PRAGMA user_version").fetchone()
        if application != _APPLICATION:
            raise QualityError(
                "this is no file of results", where=str(self._path), todo="move it elsewhere"
            )
        if version != VERSION:
            raise QualityError(
                f"results are kept in version {version} here, and this nomock knows {VERSION}",
                where=str(self._path),
                todo="delete the file, or use the nomock that wrote it",
            )

    def _drop(self, count: int) -> None:
        """Forget at least so many results, whole runs, the oldest first."""
        rows = self._connection.execute("SELECT run, count(*) FROM results GROUP BY run")
        last, dropped = 0, 0
        for run, own in rows.fetchall():
            if dropped >= count:
                break
            last, dropped = run, dropped + own
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("DELETE FROM results WHERE run <= ?", (last,))
        self._connection.execute("DELETE FROM runs WHERE id <= ?", (last,))
        self._connection.execute("DELETE FROM tests WHERE id NOT IN (SELECT test FROM results)")
        self._connection.execute("COMMIT")

    def add_run(self, facts: RunFacts) -> int:
        """Write down that a run began; return its number."""
        with _errors(self._path):
            marks = ", ".join("?" * len(_FACTS))
            text = f"INSERT INTO runs ({', '.join(_FACTS)}) VALUES ({marks})"
            number = self._connection.execute(text, astuple(facts)).lastrowid
        assert number is not None, "it was inserted"
        return number

    def end_run(self, run: int, times: RunTimes) -> None:
        """Write down how long a run took."""
        with _errors(self._path):
            changes = ", ".join(f"{name} = ?" for name in _TIMES)
            own = (*astuple(times), run)
            self._connection.execute(f"UPDATE runs SET {changes} WHERE id = ?", own)

    def add(self, run: int, ended: Ended) -> None:
        """Write down how a test ended."""
        with _errors(self._path):
            test = self._tests.get(ended.test) or self._number_of(ended.test)
            own = [getattr(ended, name) for name in _ENDED]
            marks = ", ".join("?" * (2 + len(own)))
            text = f"INSERT INTO results (run, test, {', '.join(_ENDED)}) VALUES ({marks})"
            self._connection.execute(text, (run, test, *own))

    def _number_of(self, test: str) -> int:
        self._connection.execute("INSERT OR IGNORE INTO tests (name) VALUES (?)", (test,))
        found = self._connection.execute("SELECT id FROM tests WHERE name = ?", (test,))
        number: int = found.fetchone()[0]
        self._tests[test] = number
        return number

    def runs(self) -> Iterator[tuple[RunFacts, RunTimes | None]]:
        """Yield each run as they began; None for the times of one that was killed, or goes on."""
        with _errors(self._path):
            names = ", ".join([*_FACTS, *_TIMES])
            rows = self._connection.execute(f"SELECT {names} FROM runs ORDER BY id").fetchall()
        for row in rows:
            facts, times = row[: len(_FACTS)], row[len(_FACTS) :]
            yield RunFacts(*facts), None if times[0] is None else RunTimes(*times)

    def endings(self, test: str) -> list[tuple[str, str, float]]:
        """Return of a test by its id each git tree, its outcome there, and when that run began."""
        with _errors(self._path):
            return self._connection.execute(
                "SELECT tree, outcome, began_s FROM results JOIN runs ON runs.id = run "
                "WHERE test = (SELECT id FROM tests WHERE name = ?) ORDER BY results.rowid",
                (test,),
            ).fetchall()

    def results(self) -> Iterator[Result]:
        """Yield all results, run by run as they began, in the order in which tests ended."""
        with _errors(self._path):
            runs = self._connection.execute(f"SELECT id, {', '.join(_FACTS)} FROM runs")
            facts = {run: RunFacts(*told) for run, *told in runs.fetchall()}
            names = [f"results.{name}" for name in _ENDED]
            rows = self._connection.execute(
                f"SELECT run, tests.name, {', '.join(names)} FROM results "
                "JOIN tests ON tests.id = test ORDER BY run, results.rowid"
            ).fetchall()
        last: dict[tuple[int, int], str] = {}
        for run, test, *told in rows:
            ended = Ended(test, *told)
            worker = (run, ended.worker)
            if run in facts:  # else it was dropped between the two questions
                yield Result(run, facts[run], ended, last.get(worker, ""))
            last[worker] = test

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def __enter__(self) -> ResultsBook:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise QualityError(
            "results cannot be kept or read",
            where=str(path),
            seen=str(error),
            todo="where the disk is full, make room; a file that is broken may be deleted",
        ) from error
