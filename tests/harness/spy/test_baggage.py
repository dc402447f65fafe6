"""The spy's reading and writing of baggage, with all that may be wrong with what it is sent."""

from __future__ import annotations

import sys

import pytest
from serving import SPY

from nomock.baggage import MOST_BYTES, short, test_of, with_members

sys.path.append(str(SPY))

from nomock_spy.baggage import MOST_BYTES as SPYS_MOST_BYTES
from nomock_spy.baggage import MOST_MEMBERS, Origin, origin_of, with_origin

# pytest would take it for a test; mypy knows no such attribute of a function.
test_of.__test__ = False  # type: ignore[attr-defined]

TEST = "tests/test_a.py::test_b"
OURS = "nomock.test=tests%2Ftest_a.py%3A%3Atest_b"
ORIGIN = Origin(TEST, "")


@pytest.mark.parametrize(
    "test",
    [
        TEST,
        'tests/test_a.py::TestShop::test_b[100 % of a,b;c=d \\ "e"]',
        "tests/tëst_ä.py::test_ß[\N{PILE OF POO}]",
        "tests/test_a.py::test_b[no-break\N{NO-BREAK SPACE}space]",
        short("tests/test_a.py::test_b[" + "ä" * 3000 + "]"),
    ],
)
@pytest.mark.parametrize("fault", ["", "latency instances->postgres + cut a->b"])
def test_the_spy_should_read_what_the_harness_writes_and_write_the_same_when_it_is_a_test(
    test: str, fault: str
) -> None:
    header = with_members("user=1;ttl=9", test, fault)
    assert origin_of(header) == Origin(test, fault)
    assert with_origin("user=1;ttl=9", Origin(test, fault)) == header
    with_run = with_members("user=1;ttl=9", test, fault, "0a1b2c3d")
    assert origin_of(with_run) == Origin(test, fault, "0a1b2c3d")
    assert with_origin("user=1;ttl=9", Origin(test, fault, "0a1b2c3d")) == with_run
    assert with_origin(with_run, ORIGIN) == with_run


@pytest.mark.parametrize(
    "header",
    [
        OURS,
        f"  {OURS}  ",
        f"user=1,{OURS}",
        f"user=1 ,\t{OURS} ; ttl=9;x , tenant=b",
        f",,{OURS},",
        OURS.replace("=", " = "),
        OURS.replace("%3A", "%3a"),
        OURS.replace("%2F", "/"),
        f"{OURS},nomock.test=tests%2Fa.py%3A%3Aother",
        f"not.nomock.test=a%3A%3Ab,{OURS}",
        f"user=\xfc\x01,{OURS}",
    ],
)
def test_the_test_should_be_found_when_the_header_is_an_unusual_one(header: str) -> None:
    assert origin_of(header) == ORIGIN
    assert test_of(header) == TEST


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        "user=1",
        "nomock.test",
        "nomock.test=",
        "nomock.test=;ttl=9",
        "nomock.test=checkout",
        "nomock.testing=a%3A%3Ab",
        "x.nomock.test=a%3A%3Ab",
        "user=nomock.test",
        "Nomock.Test=a%3A%3Ab",
        "nomock.test=a%3A%3Ab%",
        "nomock.test=a%3A%3Ab%4",
        "nomock.test=a%3A%3Ab%4G",
        "nomock.test=a%3A%3Ab%  c",
        "nomock.test=a%3A%3Ab%FF",
        "nomock.test=a%3A%3Ab%ED%A0%80",
        "nomock.test=a::b\xfc",
        "nomock.test=a%3A%3Ab%00",
        "nomock.test=a%3A%3Ab%0A",
        "nomock.test=a%3A%3Ab%7F",
        "nomock.test=a%3A%3Ab%C2%85",
        "nomock.test=a%3A%3Ab,nomock.fault=%1B",
        f"{OURS},user={'x' * MOST_BYTES}",
    ],
)
def test_no_test_should_be_found_when_what_the_header_says_is_not_ours(header: str) -> None:
    assert origin_of(header) is None


def test_a_header_should_be_read_when_it_is_as_long_as_may_be() -> None:
    header = f"{OURS},user="
    header += "x" * (MOST_BYTES - len(header))
    assert origin_of(header) == ORIGIN
    assert origin_of(header + "x") is None
    assert SPYS_MOST_BYTES == MOST_BYTES


@pytest.mark.parametrize(
    ("header", "merged"),
    [
        ("", OURS),
        (" , ", OURS),
        ("user=1", f"user=1,{OURS}"),
        ("user=1;ttl=9 ,", f"user=1;ttl=9,{OURS}"),
        ("user=nomock.test", f"user=nomock.test,{OURS}"),
        ("x.nomock.test=1", f"x.nomock.test=1,{OURS}"),
        ("user=\xfc", f"user=\xfc,{OURS}"),
    ],
)
def test_what_others_put_into_a_header_should_stay_when_the_test_is_added(
    header: str, merged: str
) -> None:
    assert with_origin(header, ORIGIN) == merged


@pytest.mark.parametrize(
    "header", ["nomock.test=a%3A%3Ac;ttl=9", "user=1, nomock.test = a%3A%3Ac", "nomock.test=mine"]
)
def test_a_header_should_stay_as_it_is_when_it_names_a_test(header: str) -> None:
    assert with_origin(header, Origin(TEST, "cut a->b")) == header


def test_the_fault_of_a_header_should_stay_when_it_has_one_and_no_test() -> None:
    assert with_origin("nomock.fault=a", Origin(TEST, "b")) == f"nomock.fault=a,{OURS}"


def test_the_test_should_be_added_when_the_header_has_just_enough_room() -> None:
    header = "user=" + "x" * (MOST_BYTES - len(f"user=,{OURS}"))
    assert len(with_origin(header, ORIGIN)) == MOST_BYTES
    with pytest.raises(ValueError, match="its baggage is full"):
        with_origin(header + "x", ORIGIN)


def test_the_test_should_be_added_when_the_header_has_just_enough_members_left() -> None:
    header = ",".join(f"key{number}=1" for number in range(MOST_MEMBERS - 1))
    assert len(with_origin(header, ORIGIN).split(",")) == MOST_MEMBERS
    for fuller in (f"{header},one=more", header):
        origin = ORIGIN if fuller != header else Origin(TEST, "cut a->b")
        with pytest.raises(ValueError, match="its baggage is full"):
            with_origin(fuller, origin)
