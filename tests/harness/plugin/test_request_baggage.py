"""The baggage that says which test a request belongs to, and which fault was on."""

from __future__ import annotations

from collections.abc import Iterator
from subprocess import run
from sys import executable

import pytest

from nomock.baggage import (
    MOST_BYTES,
    RUN,
    baggage_header,
    current_test,
    label,
    set_current_faults,
    set_current_test,
    short,
    test_and_fault,
    test_of,
    with_members,
)

# pytest would take them for tests; mypy knows no such attribute of a function.
test_of.__test__ = test_and_fault.__test__ = False  # type: ignore[attr-defined]

LONG = "tests/test_a.py::test_b[" + "ä" * 3000 + "]"


@pytest.fixture(autouse=True)
def nothing_runs() -> Iterator[None]:
    """Put the context of this very test aside: it is a plain variable of the process."""
    own = current_test()
    set_current_test(None)
    yield
    set_current_test(own)
    set_current_faults([])


def test_a_header_should_say_the_test_and_its_faults_when_some_are_on() -> None:
    set_current_test("t.py::test_a")
    assert baggage_header("user=1") == f"user=1,nomock.test=t.py%3A%3Atest_a,nomock.run={RUN}"
    set_current_faults(["latency b->c", "cut a->b"])
    assert baggage_header("") == (
        "nomock.test=t.py%3A%3Atest_a,nomock.fault=cut%20a-%3Eb%20%2B%20latency%20b-%3Ec"
        f",nomock.run={RUN}"
    )
    set_current_faults([])
    assert baggage_header(" user=1 , nomock.fault=old,nomock.run=old,nomock.test=old;p=1") == (
        f"user=1,nomock.test=t.py%3A%3Atest_a,nomock.run={RUN}"
    )


def test_a_header_should_say_nothing_of_ours_when_no_test_runs() -> None:
    set_current_faults(["cut a->b"])
    assert baggage_header("user=1,nomock.test=old,nomock.run=old") == "user=1"


def test_a_run_should_have_another_name_when_it_is_another_process() -> None:
    printed = "from nomock.baggage import RUN; print(RUN)"
    others = {
        run([executable, "-c", printed], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    }
    assert len({RUN, *others}) == 3
    assert {len(name) for name in {RUN, *others}} == {8}


def test_a_test_id_should_be_cut_to_one_of_its_own_when_it_is_very_long() -> None:
    header = with_members("user=1", LONG, "f" * 9000, RUN)
    assert len(header) < MOST_BYTES // 2
    assert test_of(header) == short(LONG) == short(LONG)
    assert short(LONG).startswith("tests/test_a.py::test_b[ää")
    assert short(LONG) != short(LONG + "]")
    assert len(short(LONG).rpartition("~")[2]) == 16


def test_a_cut_id_should_keep_its_form_when_already_the_file_is_too_long() -> None:
    cut = short("f" * 5000 + ".py::test_b")
    assert cut.startswith("fff")
    assert "f::~" in cut
    assert len(cut) < 2048


@pytest.mark.parametrize("length", [1, 500, 1990])
def test_a_test_id_should_stay_as_it_is_when_it_is_not_very_long(length: int) -> None:
    usual = "t.py::test_" + "b" * length
    assert short(usual) == usual


def test_what_others_put_into_a_header_should_stay_when_there_is_no_room_for_ours() -> None:
    theirs = "user=" + "1" * (MOST_BYTES - 20)
    with pytest.warns(RuntimeWarning, match="no room for its test: it would be 82"):
        assert with_members(theirs, "t.py::test_a") == theirs
    just_fits = "u=" + "1" * (MOST_BYTES - 2 - len(",nomock.test=t.py%3A%3Atest_a"))
    assert len(with_members(just_fits, "t.py::test_a")) == MOST_BYTES
    set_current_test("t.py::test_a")
    with pytest.warns(RuntimeWarning, match="no room for its test"):
        assert baggage_header(just_fits) == just_fits


@pytest.mark.parametrize("fault", ["", "latency instances->postgres"])
def test_a_context_should_be_read_as_it_was_written_when_it_has_a_fault_or_none(
    fault: str,
) -> None:
    assert test_and_fault(label("t.py::test_a[x|y]", fault)) == ("t.py::test_a[x|y]", fault)
    assert test_and_fault("") == ("", "")
