"""What the last covered run tells of single lines, by the command line."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from coverage import CoverageData
from schemas import checked
from tiny import Tiny

from nomock.agents.server import coverage_of
from nomock.coverage.affected import Suite, save_baseline, state_now
from nomock.coverage.harvest.folder import DATA_FILE, RUN_FILE
from nomock.loading import load
from nomock.project import resolve

ORDERS = '''\
"""Orders."""
ATTEMPTS = 3


def order(store,
          name):
    # A comment.
    for _ in range(ATTEMPTS):
        try:
            return store.put(
                name,
                1,
            )
        except TimeoutError:
            store.reconnect()
            continue
        except ValueError as error:
            print(error)
            raise
    return None
'''
CUT = "cut orders->db"
RAN: Mapping[str, tuple[int, ...]] = {
    "": (1, 2, 5),
    "tests/test_a.py::test_order": (8, 9, 10),
    "tests/test_a.py::test_order[other]": (8, 9, 11),
    f"tests/test_b.py::test_slow|fault={CUT}": (8, 9, 10, 14, 15, 16),
}


@pytest.fixture
def covered(tiny: Tiny) -> Tiny:
    """A project whose covered run ran what RAN says."""
    tiny.compose(
        orders={"image": "none", "build": {"context": "./orders"}},
        other={
            "image": "none",
            "build": {"context": "./other", "additional_contexts": {"common": "./common"}},
        },
        third={
            "image": "none",
            "build": {"context": "./third", "additional_contexts": {"common": "./common"}},
        },
    )
    for folder in ("orders", "other", "third", "common"):
        tiny.write(f"{folder}/{folder}.py", ORDERS if folder == "orders" else "A = 1\n")
    tiny.write("common/common.py", "try:\n    import a\nexcept ImportError:\n    a = None\n")
    write_data(tiny.path, RAN)
    return tiny


def write_data(root: Path, ran: Mapping[str, tuple[int, ...]]) -> None:
    folder = root / ".nomock/coverage"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN_FILE).write_text("r1\n")
    (folder / DATA_FILE).unlink(missing_ok=True)
    data = CoverageData(basename=str(folder / DATA_FILE))
    for context, lines in ran.items():
        data.set_context(context)
        data.add_lines({str(root / "orders/orders.py"): lines})
    data.set_context("")
    data.add_lines({str(root / "common/common.py"): [1, 2]})
    data.write()
    settings, suite = load(root, environ={}), Suite(root, (), None)
    save_baseline(folder, state_now(settings, resolve(settings), suite), suite, (), ())


def said(tiny: Tiny, *arguments: str) -> tuple[int, list[str], list[str]]:
    """Return exit code, standard output and standard error."""
    result = tiny.nomock(*arguments)
    plain = [tiny.plain(line) for line in result.outlines]
    return int(result.ret), plain, [tiny.plain(line) for line in result.errlines]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (
            "9",
            [
                "orders/orders.py:9 ran in 3 tests",
                "  tests/test_a.py::test_order",
                "  tests/test_a.py::test_order[other]",
                f"  tests/test_b.py::test_slow  while {CUT}",
            ],
        ),
        (
            "2",
            [
                "orders/orders.py:2 ran in no test",
                "  (at start-up or in the background, for no test)",
            ],
        ),
        (
            "13",
            [
                "orders/orders.py:10-13 ran in 3 tests",
                "  tests/test_a.py::test_order",
                "  tests/test_a.py::test_order[other]",
                f"  tests/test_b.py::test_slow  while {CUT}",
            ],
        ),
        (
            "6",
            [
                "orders/orders.py:5-6 ran in no test",
                "  (at start-up or in the background, for no test)",
            ],
        ),
        (
            "15",
            [
                "orders/orders.py:15 ran in 1 test",
                f"  tests/test_b.py::test_slow  while {CUT}",
            ],
        ),
        ("19", ["orders/orders.py:19 did not run"]),
        ("20", ["orders/orders.py:20 did not run"]),
    ]
    + [
        (
            line,
            [
                f"orders/orders.py:{line} is nothing that runs: "
                "a comment, a docstring or an empty line"
            ],
        )
        for line in ("3", "7")
    ],
)
def test_the_tests_of_a_line_should_be_told_when_a_user_asks(
    covered: Tiny, line: str, answer: list[str]
) -> None:
    assert said(covered, "who-tests", f"orders/orders.py:{line}") == (0, answer, [])


def test_the_tests_of_a_line_should_be_told_when_a_program_asks(covered: Tiny) -> None:
    code, out, _ = said(covered, "who-tests", "orders/orders.py:15", "--json")
    found = checked("who-tests", "\n".join(out))
    assert code == 0
    assert found == {
        "file": "DIR/orders/orders.py",
        "first": 15,
        "last": 15,
        "is_executable": True,
        "by": [{"test": "tests/test_b.py::test_slow", "fault": CUT}],
        "notes": [],
    }
    _, out, _ = said(covered, "resilience", "--json")
    assert checked("resilience", "\n".join(out))["only_under_fault"]


def test_the_statements_of_a_file_should_be_told_when_an_agent_asks(
    covered: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(covered.path)
    found = coverage_of("orders/orders.py")
    assert (found["ran"], found["not_run"]) == ("2,5,8-10,14-16", "17-20")


def test_it_should_be_said_that_lines_may_have_moved_when_the_source_changed(
    covered: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    covered.write("orders/orders.py", ORDERS + "# More.\n")
    monkeypatch.chdir(covered.path / "orders")
    code, out, err = said(covered, "who-tests", f"{covered.path}/orders/orders.py:19")
    assert (code, err) == (0, [])
    assert out == [
        "DIR/orders/orders.py:19 did not run",
        "the file changed since the covered run: its lines may have other numbers now",
    ]
    (covered.path / ".nomock/coverage/blocks.json").unlink()
    assert said(covered, "who-tests", "orders.py:19")[1] == [
        "orders.py:19 did not run",
        "whether the file changed since the covered run is not on record",
    ]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (
            "orders/orders.py:99",
            [
                "DIR/orders/orders.py: there is no line 99",
                "  it has 20 lines",
                "-> name one of them: FILE:LINE",
            ],
        ),
        (
            "orders/orders.py:0",
            [
                "DIR/orders/orders.py: there is no line 0",
                "  it has 20 lines",
                "-> name one of them: FILE:LINE",
            ],
        ),
        (
            "other/other.py:1",
            [
                "DIR/other/other.py: the last covered run has nothing of this file",
                "-> name one that a covered service ran: nomock docs coverage says which those are",
            ],
        ),
        (
            "gone.py:1",
            [
                "DIR/gone.py: there is no such file",
                "-> name one that a covered service ran: nomock docs coverage says which those are",
            ],
        ),
    ],
)
def test_the_error_should_say_what_is_wrong_when_there_is_no_such_line(
    covered: Tiny, place: str, message: list[str]
) -> None:
    assert said(covered, "who-tests", place) == (1, [], message)


@pytest.mark.parametrize("place", ["orders/orders.py", "orders/orders.py:x", ":1", "a:-1"])
def test_the_usage_should_be_shown_when_no_line_is_named(covered: Tiny, place: str) -> None:
    code, out, err = said(covered, "who-tests", place)
    assert (code, out) == (2, [])
    assert err[-1].endswith(f"error: argument FILE:LINE: {place!r} is not FILE:LINE")


@pytest.mark.parametrize("command", [["who-tests", "orders/orders.py:9"], ["resilience"]])
def test_it_should_be_said_how_to_make_a_covered_run_when_there_is_none(
    covered: Tiny, command: list[str]
) -> None:
    data_file = covered.path / ".nomock/coverage" / DATA_FILE
    data_file.write_bytes(b"not a database" * 100)
    code, out, err = said(covered, *command)
    assert (code, out, err[0]) == (
        1,
        [],
        f"DIR/.nomock/coverage/{DATA_FILE}: coverage.py cannot read its data",
    )
    shutil.rmtree(data_file.parent)
    assert said(covered, *command) == (
        1,
        [],
        [
            f"DIR/.nomock/coverage/{DATA_FILE}: there is no covered run to look into",
            "-> make one: pytest --nomock-sidecar-coverage",
        ],
    )


def test_lines_should_be_told_by_service_when_only_a_fault_or_nothing_reached_them(
    covered: Tiny,
) -> None:
    assert said(covered, "resilience") == (
        0,
        [
            "lines that ran only while a fault was on:",
            "  orders: orders/orders.py:14-16",
            "lines of error handlers that never ran:",
            "  orders: orders/orders.py:18-19",
            "  other, third: common/common.py:4",
        ],
        [],
    )
    covered.write("common/common.py", "A = 1\n")
    everywhere = tuple(range(1, len(ORDERS.splitlines()) + 1))
    write_data(covered.path, {"": everywhere, f"a.py::test|fault={CUT}": everywhere})
    assert said(covered, "resilience")[1] == [
        "lines that ran only while a fault was on: none",
        "lines of error handlers that never ran: none",
    ]
