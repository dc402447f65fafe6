"""What plugins of others do around a test: repeat it, limit its time, set another time zone."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tiny import LISTENS, Tiny, idle, server

from nomock.evidence.folder import EvidenceFolder, run_name

# As pytest-rerunfailures, pytest-retry and flaky do it, each within one `pytest_runtest_protocol`.
REPEATS = """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for attempt in (1, 2):
            if attempt == 2:
                item._initrequest()
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                if attempt == 1 and report.failed:
                    report.outcome = "rerun"
                item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True
"""
# As pytest-timeout does it: from here on the time of the test runs.
LIMITS = """
    import pytest
    from pathlib import Path
    from nomock.adapters.engine import Engine

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(item):
        found = Engine().containers("{name}-lane2")
        Path(f"lane-{{item.config.workerinput['workerid']}}").write_text(str(len(found)))
        return (yield)
"""


def test_each_attempt_should_have_evidence_of_its_own_when_a_plugin_repeats_a_test(
    tiny: Tiny,
) -> None:
    tiny.compose(web=server(healthcheck=LISTENS))
    tiny.pytester.makeconftest(REPEATS)
    tiny.tests("""
        from itertools import count
        attempts = count(1)

        def test_fails(stack):
            attempt = next(attempts)
            stack["web"].http.get(f"/attempt-{attempt}")
            assert attempt == 0
    """)
    done = tiny.run("-rN")
    assert done.ret == 1
    (path,) = tiny.path.glob(".nomock/evidence/*/*/evidence.json")
    record = json.loads(path.read_text())
    assert [exchange["url"].rpartition("/")[2] for exchange in record["exchanges"]] == ["attempt-2"]
    assert len(record["failures"]) == 1
    assert not any("attempt-1" in line["message"] for line in record["logs"])


def test_a_lane_should_be_ready_when_the_time_of_its_first_test_begins(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    tiny.pytester.makeconftest(LIMITS.format(name=tiny.name))
    tiny.tests("def test_it(stack): pass")
    done = tiny.run("-n2", "--dist=each", "--nomock-lanes=stack")
    done.assert_outcomes(passed=2)
    assert (tiny.path / "lane-gw1").read_text() == "1"


def test_runs_should_be_in_order_when_one_of_them_is_in_another_time_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = EvidenceFolder(tmp_path / ".nomock")
    kept.write(first := run_name(1_700_000_000, 1), "t.py::test", "{}")
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "America/Chicago")  # Django's, where a project sets none
        time.tzset()
        kept.write(second := run_name(1_700_000_060, 2), "t.py::test", "{}")
    time.tzset()
    assert kept.runs() == [second, first]
