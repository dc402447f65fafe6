"""Names of test data say whose they are, are nobody else's, and fit."""

from __future__ import annotations

import pytest

from nomock import names
from nomock.cleanup.kind import Found
from nomock.cleanup.sweep import Choice


def test_a_name_should_fit_and_say_its_run_worker_and_test_when_it_is_made() -> None:
    run = names.new_run()
    test = "tests/test_a.py::test_a_client_should_do_what_no_client_ever_did[ä\n-1]"
    name = names.make("client", run, 2, test)
    assert name.startswith(f"TEST {run}.2 client test_a_client_should")
    assert len(name) <= names.LENGTH
    assert names.run_of(name) == run
    assert len({names.make("x", run, 2, test, 32) for _ in range(5000)}) == 5000
    assert all(len(names.make("x", run, 22, test, 32)) <= 32 for _ in range(5000))
    assert names.make("ä\n", run, 0, "", 63).isprintable()
    with pytest.raises(ValueError, match="32 at the least"):
        names.make("x", run, 2, test, 20)


def test_the_age_of_a_run_should_be_unknown_only_when_the_clock_was_set_back_or_no_run_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = names.new_run()
    age = names.age_s(run)
    assert age is not None
    assert 0 <= age < 60
    monkeypatch.setattr(names, "time", lambda: 1_000_000_000.0)
    assert names.age_s(run) is None
    assert names.age_s("") is None


def test_what_was_found_should_be_kept_when_the_choice_does_not_mean_it() -> None:
    mine, other, old = names.new_run(), names.new_run(), "tkx3f2a9q"

    def why(choice: Choice, run: str) -> str:
        return choice.kept(Found("rows", "t", run, 1, ""))

    assert why(Choice(), mine) == why(Choice(), "") == ""
    assert why(Choice(alive={mine}), mine) == "its run is alive"
    assert why(Choice(run=mine, alive={mine}), mine) == "its run is alive"
    assert why(Choice(run=mine), other) == "of another run"
    assert why(Choice(run=mine), mine) == ""
    assert why(Choice(users="process 1: pytest"), "") == "it may be of a run that is alive"
    assert why(Choice(users="process 1: pytest"), other) == ""
    assert why(Choice(older_than_s=3600), mine) == "younger"
    assert why(Choice(older_than_s=3600), old) == ""
    assert why(Choice(older_than_s=3600), "") == "its age is not known"
