"""The file of results: what was written is read, by many at once; others' files stay."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from nomock.errors import QualityError
from nomock.quality.results import Ended, ResultsBook, RunFacts, RunTimes, path_of


def ended(test: str, outcome: str = "passed", worker: int = 0, place: int = 0) -> Ended:
    return Ended(test, outcome, 0.25, worker, place, 1.5, "latency of a->b")


def test_results_should_be_read_as_they_were_written_when_workers_ran_them(tmp_path: Path) -> None:
    facts = RunFacts("abc", 5.0, "pytest", 7, 2, "stack", is_covered=True, busy=3, latency_ms=50)
    with ResultsBook.write(tmp_path) as book:
        run = book.add_run(facts)
        told = [ended("a", worker=1), ended("b", worker=2), ended("c", "failed", 1, 1)]
        for one in told:
            book.add(run, one)
        book.end_run(run, RunTimes(9.0, 2.0, is_warm=False))
        book.add_run(RunFacts("abc", 6.0))
    with ResultsBook.read(tmp_path) as book:
        results = list(book.results())
        assert [r.ended for r in results] == told
        assert [r.before for r in results] == ["", "", "a"]
        assert {r.facts for r in results} == {facts}
        assert list(book.runs()) == [
            (facts, RunTimes(9.0, 2.0, is_warm=False)),
            (RunFacts("abc", 6.0), None),
        ]


def test_the_oldest_runs_should_be_forgotten_when_the_file_is_full(tmp_path: Path) -> None:
    for number in range(6):
        with ResultsBook.write(tmp_path, most_results=20) as book:
            run = book.add_run(RunFacts(f"tree {number}", float(number)))
            for test in range(5):
                book.add(run, ended(f"test {number} {test}"))
    with ResultsBook.write(tmp_path, most_results=20) as book:
        results = list(book.results())
    assert {r.facts.tree for r in results} == {f"tree {number}" for number in range(2, 6)}
    names = sqlite3.connect(path_of(tmp_path)).execute("SELECT count(*) FROM tests").fetchone()
    assert names == (20,)


WRITES = """
import sys
from pathlib import Path
from nomock.quality.results import Ended, ResultsBook, RunFacts
with ResultsBook.write(Path(sys.argv[1])) as book:
    run = book.add_run(RunFacts("tree", 0.0))
    print("began", flush=True)
    for number in range(int(sys.argv[2])):
        book.add(run, Ended(f"test {number}", "passed", 0.1, 0, number, 1.0))
        if number == 20:
            print("some", flush=True)
"""


def writer(folder: Path, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITES, str(folder), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_nothing_should_be_lost_when_several_runs_write_at_once(tmp_path: Path) -> None:
    writers = [writer(tmp_path, 200) for _ in range(4)]
    assert [process.wait() for process in writers] == [0] * 4
    for process in writers:
        process.communicate()
    with ResultsBook.read(tmp_path) as book:
        results = list(book.results())
    assert len(results) == 800
    assert {r.run for r in results} == {1, 2, 3, 4}


def test_what_was_written_should_be_kept_when_the_run_is_killed(tmp_path: Path) -> None:
    process = writer(tmp_path, 10_000_000)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["began\n", "some\n"]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with ResultsBook.write(tmp_path) as book:
        assert len(list(book.results())) > 20
        assert [times for _, times in book.runs()] == [None]
        book.add(book.add_run(RunFacts("next", 1.0)), ended("a"))


def other_version(path: Path) -> None:
    with ResultsBook.write(path.parent):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")


def somebody_elses(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")


def no_database(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to look like one" * 100)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (other_version, "results are kept in version 9 here, and this nomock knows 1"),
        (somebody_elses, "this is no file of results"),
        (no_database, "results cannot be kept or read"),
    ],
)
def test_a_file_should_be_refused_and_left_as_it_is_when_it_is_not_ours(
    tmp_path: Path, make: object, what: str
) -> None:
    path = path_of(tmp_path)
    make(path)  # type: ignore[operator]
    before = path.read_bytes()
    for opened in (ResultsBook.write, ResultsBook.read):
        with pytest.raises(QualityError) as refused:
            opened(tmp_path)
        assert (refused.value.what, refused.value.where) == (what, str(path))
        assert refused.value.todo
    assert path.read_bytes() == before


def test_reading_should_say_how_results_come_about_when_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(QualityError, match="no results are kept here yet"):
        ResultsBook.read(tmp_path)
    assert not path_of(tmp_path).exists()
