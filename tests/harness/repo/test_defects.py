"""Seeded defects and the mocked twin, as far as that is cheap; `just test-defects` runs them."""

from __future__ import annotations

import pytest
from defects import table, twin
from defects.__main__ import _Left
from defects.copies import copy_to
from defects.defect import KINDS, ROOT, START, Defect, all_defects
from defects.kept import Kept
from defects.result import Result, first_failed

DEFECTS = all_defects()


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    copy_to(folder, "services", "docker-compose.yml")
    return folder


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_defect_should_apply_and_say_what_it_is_when_it_is_seeded(copy, defect):
    with defect.applied(copy):
        pass
    assert defect.kind in KINDS
    assert not defect.seen_in or defect.seen_in.startswith("https://github.com/")
    if defect.turns_red != START:
        file, _, test = defect.turns_red.partition("::")
        text = (ROOT / file).read_text()
        assert not test or f"def {test.partition('[')[0]}(" in text


def test_defects_should_be_of_many_kinds_when_they_are_to_stand_for_real_ones():
    assert len(DEFECTS) >= 40
    assert len({defect.kind for defect in DEFECTS}) >= 11
    assert sum(bool(defect.seen_in) for defect in DEFECTS) >= 20


def test_patch_should_be_refused_when_it_does_not_apply(copy):
    gone = Defect(
        "gone", "# turns red: x\n--- a/services/x.py\n+++ b/services/x.py\n@@ -1 +1 @@\n-a\n+b\n"
    )
    with pytest.raises(SystemExit, match="the patch does not apply"), gone.applied(copy):
        pass


def test_twin_should_be_green_when_nothing_is_seeded():
    with twin.Twin.made() as made:
        ended, printed = made.run()
    assert ended == 0, printed[-4000:]


def test_twin_should_turn_red_when_a_defect_is_in_its_reach():
    (defect,) = (each for each in DEFECTS if each.name == "auth-issuer-missing")
    with twin.Twin.made() as made:
        found = made.judge(defect).found_by
    assert found is not None
    assert found.startswith("test_auth_authorize.py::")


@pytest.mark.parametrize(
    ("printed", "test"),
    [
        (
            "FAILED tests/test_x.py::test_a[b c] - AssertionError: no\n1 failed",
            "tests/test_x.py::test_a[b c]",
        ),
        ("ERROR test_x.py\n1 error", "test_x.py"),
        ("3 passed", None),
    ],
)
def test_first_failed_test_should_be_read_when_pytest_names_it(printed, test):
    assert first_failed(printed) == test


def test_verdict_should_be_asked_anew_only_when_what_it_came_of_changed(tmp_path, monkeypatch):
    monkeypatch.setattr("defects.kept._FOLDER", tmp_path)
    defect, found = DEFECTS[0], Result("tests/test_x.py::test_a", 1.5)
    kept = Kept("suite", lambda _: ["services"])
    assert kept.find(defect) is None
    kept.keep(defect, found)
    assert Kept("suite", lambda _: ["services"]).find(defect) == found
    assert Kept("suite", lambda _: ["docs"]).find(defect) is None
    assert kept.find(Defect(defect.name, defect.text + " ")) is None


def test_no_defect_should_be_begun_when_the_time_is_over_or_it_was_ended():
    assert list(_Left(DEFECTS, ends_at=0)) == []
    left = _Left(DEFECTS, ends_at=float("inf"))
    assert next(iter(left)) == DEFECTS[0]
    left.end()
    assert list(left) == []


def test_table_should_count_by_kind_what_each_suite_found_when_defects_were_tried(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(table, "STATE", tmp_path)
    one, two = (Defect(name, "# kind: a race\n--- a/x") for name in ("one", "two"))
    rows = [
        table.Row(one, Result("tests/t.py::test_a", 2.0), Result(None, 1.0)),
        table.Row(two, Result("tests/t.py::test_b", 3.0), Result("test_m.py::test_c", 1.0)),
        table.Row(DEFECTS[0], None, None),
    ]
    shown = table.text(rows).splitlines()
    assert "missed" in shown[1]
    assert "not asked" in shown[4]
    assert shown[-1].split() == ["all", "2", "2", "1"]
    table.leave_rows(rows)
    told = (tmp_path / "quality/defects.json").read_text()
    assert '"found_by": "tests/t.py::test_a"' in told
    assert '"twin_found_by": null' in told
