"""Records that lie elsewhere, copied as if they were written here: those of this run alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from recorded import CANARY, TEST_A, TEST_B, context, file, lines, records

from nomock.coverage.harvest.copies import Copies
from nomock.coverage.harvest.folder import prepare, read_all
from nomock.coverage.harvest.records import Process, numbers

NAME = "auth.-.auth-7c9.1.0badcafe.ndjson"
RUN = "0a1b2c3d"
APP = "/app/auth/app.py"
BEFORE = records(
    *CANARY,
    file(0, APP),
    lines(0, 1, 2),
    context(1, TEST_A),
    lines(0, 10, context=1),
    run="",
)
SINCE = b"".join(
    records(
        lines(0, 3), context(2, TEST_A), lines(0, 11, context=2), context(3, TEST_B)
    ).splitlines(keepends=True)[1:]
)


def pieces(content: bytes, *, size: int, at: int = 0) -> Iterator[tuple[str, int, bytes]]:
    for begin in range(0, len(content), size):
        yield NAME, at + begin, content[begin : begin + size]


def copied(folder: Path) -> Process:
    (process,) = read_all(folder, RUN).processes
    return process


def ran(process: Process) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for one in process.ran():
        found.setdefault(one.context.test, set()).update(numbers(one.lines))
    return found


def test_a_line_should_be_left_out_when_it_ran_for_a_test_before_the_run(tmp_path: Path) -> None:
    prepare(tmp_path, RUN)
    for size in (1, 7, 10_000):  # wherever a piece ends
        copies = Copies(tmp_path, RUN)
        copies.take(pieces(BEFORE, size=size))
        copies.begin()
        copies.take(pieces(SINCE, size=size, at=len(BEFORE)))
        process = copied(tmp_path)
        assert process.damaged == 0
        assert process.canary_failure() == ""
        assert ran(process) == {"": {1, 2, 3}, TEST_A: {11}}
        prepare(tmp_path, RUN)


def test_all_of_a_process_should_count_when_it_began_during_the_run(tmp_path: Path) -> None:
    copies = Copies(tmp_path, RUN)
    copies.begin()
    copies.take(pieces(BEFORE, size=50))
    assert ran(copied(tmp_path)) == {"": {1, 2}, TEST_A: {10}}
    (path,) = tmp_path.glob("*.ndjson")
    assert path.name == f"auth.{RUN}.auth-7c9.1.0badcafe.ndjson"


def test_a_piece_should_be_taken_once_when_it_comes_again_or_behind_a_gap(tmp_path: Path) -> None:
    copies = Copies(tmp_path, RUN)
    copies.take([(NAME, 0, BEFORE[:100])])
    copies.take([(NAME, 40, BEFORE[40:160]), (NAME, 0, BEFORE[:20])])
    assert copies.offsets("auth-7c9") == {NAME: 160}
    copies.take([(NAME, 170, BEFORE[170:])])  # the ten bytes before come with the next look
    assert copies.offsets() == {NAME: 160}
    copies.take([(NAME, 160, BEFORE[160:])])
    assert copies.offsets("worker-1") == {}
    assert copied(tmp_path).damaged == 0


def test_a_record_should_be_left_for_the_reader_to_tell_when_it_is_broken(tmp_path: Path) -> None:
    copies = Copies(tmp_path, RUN)
    copies.take([(NAME, 0, BEFORE + b"no record\n[]\n")])
    assert copied(tmp_path).damaged == 2
