"""`nomock replay`: a failed test again, with the seeds it had, and what is not the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from evidenced import two_services
from tiny import IMAGE, Tiny, idle

from nomock.adapters.engine import Engine
from nomock.cli.replay import find
from nomock.errors import EvidenceError
from nomock.evidence.folder import EvidenceFolder

TESTS = """
    from pathlib import Path

    def test_before(stack): pass

    def test_seeded(stack, faults):
        with faults.schedule(services=["api"], kinds=["pause"], lasts_s=0.5, steps=1,
                             expect_traffic=False) as run:
            run.wait()
        with Path("seeds").open("a") as file:
            print(run.schedule.seed, file=file)
        assert Path("good").exists()
"""


@pytest.mark.slow
def test_a_test_should_have_its_seeds_again_and_say_what_differs_when_it_is_replayed(
    tiny: Tiny,
) -> None:
    two_services(tiny).tests(TESTS)
    tiny.run().assert_outcomes(passed=1, failed=1)
    result = tiny.nomock("replay", "seeded")
    assert result.ret == 1
    result.assert_outcomes(failed=1)
    tiny.write("good", "")
    evidence = min(tiny.path.glob(".nomock/evidence/*/*/evidence.json"))
    found = json.loads(evidence.read_text(encoding="utf-8"))
    found["run"]["pytest"] = "1.0"
    found["services"][0]["image_id"] = "sha256:" + "0" * 64
    evidence.write_text(json.dumps(found), encoding="utf-8")
    result = tiny.nomock("replay", "--order", "test_seeded", "-q")
    assert result.ret == 0
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "replay of test_tiny.py::test_seeded, which failed in *",
            "not the same: pytest is *, it was 1.0",
            "not the same: the image of * was 000000000000, which is not here any more",
        ]
    )
    seeds = (tiny.path / "seeds").read_text(encoding="utf-8").split()
    assert len(seeds) == 3
    assert len(set(seeds)) == 1


@pytest.mark.slow
def test_a_replay_should_run_on_the_images_that_the_test_had_when_they_are_still_here(
    tiny: Tiny,
) -> None:
    tiny.write("app/Dockerfile", f"FROM {IMAGE}\nCOPY . /app\n")
    tiny.write("app/code", "1")
    tiny.compose(app=idle(build="app"), other=idle())
    tiny.tests("""
        def test_red(stack):
            assert stack["app"].exec("cat", "/app/code") != "1"
    """)
    tiny.run().assert_outcomes(failed=1)
    engine, name = Engine(), f"{tiny.name}-app"
    first = engine.image_id(name)
    assert first is not None
    tiny.write("app/code", "2")
    tiny.run().assert_outcomes(passed=1)
    for _ in range(2):
        result = tiny.nomock("replay", "red")
        result.assert_outcomes(failed=1)
        said = f"with the images that it had, until the next run without this: app {first[7:19]}"
        assert result.outlines[1:2] == [said]
    assert [line.split("  ")[-1].strip() for line in tiny.nomock("status").outlines[1:]] == [
        "with the image of a replay",
        "as it should be",
    ]
    tiny.run().assert_outcomes(passed=1)
    # It goes when nothing is left of the test that ran on it.
    shutil.rmtree(tiny.path / ".nomock/evidence")
    assert engine.image_id(first) is not None
    tiny.write("app/code", "3")
    tiny.run().assert_outcomes(passed=1)
    assert engine.image_id(first) is None


@pytest.mark.slow
def test_a_replay_should_have_the_options_of_the_run_when_they_change_what_tests_do(
    tiny: Tiny,
) -> None:
    two_services(tiny).tests("def test_red(stack): assert False")
    tiny.run("--faults-on-shared").assert_outcomes(failed=1)
    shown = "shared: {config.getoption('--nomock-faults-on-shared')}"
    tiny.write("conftest.py", f'def pytest_report_header(config): return f"{shown}"\n')
    tiny.nomock("replay", "red").stdout.fnmatch_lines(["shared: True"])


def test_a_name_should_be_refused_when_no_test_or_several_have_it(tmp_path: Path) -> None:
    folder = EvidenceFolder(tmp_path)
    for name in ("t.py::test_a", "t.py::test_ab"):
        text = json.dumps({"version": 1, "test": {"id": name, "began_s": 1}})
        folder.write("20261130-041102-1", name, text)
    assert find(folder, "t.py::test_a")["test"]["id"] == "t.py::test_a"
    with pytest.raises(EvidenceError, match="2 tests have 'test_a' in their name"):
        find(folder, "test_a")
    with pytest.raises(EvidenceError, match="no test with 'test_c' in its name has left any"):
        find(folder, "test_c")
