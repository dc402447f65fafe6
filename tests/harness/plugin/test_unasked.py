"""A service that dies, restarts or turns unhealthy in a green run is a warning at its end."""

from __future__ import annotations

import re

import pytest
from test_window import SICK, fragile, frail
from tiny import Tiny, idle

__all__ = ["fragile"]
TITLE = "what befell the services, and failed no test"
TESTS = """
    import subprocess
    from threading import Event
    import pytest

    def until(true):
        while not true(): Event().wait(0.02)

    def state_of(stack, service):
        return next(c.state for c in stack.containers() if c.service == service)

    def test_dies(stack):
        stack["web"].http.get("/")
        with pytest.raises(Exception):
            stack["web"].http.get("/die/3")
        until(lambda: state_of(stack, "web") == "exited")

    def test_restarts(stack):
        for number in (2, 3):
            with pytest.raises(Exception):
                stack["again"].http.get("/die/7")
            until(lambda: stack["again"].logs().count("serving") == number)

    def test_is_killed_from_outside(stack):
        own = next(c for c in stack.containers() if c.service == "both" and c.number == 2)
        subprocess.run(["docker", "kill", own.id], check=True)

    def test_turns_unhealthy(stack):
        stack["sick"].http.get("/sick")
        until(lambda: any(c.health == "unhealthy" for c in stack.containers()))

    def test_does_it_itself(stack, faults):
        stack["end"].kill()
        stack["end"].start()
        with faults.kill("own"): pass
        with faults.restart("own"): pass
        stack["end"].stop()

    def test_ends_what_may_end(stack):
        stack["meanwhile"].exec("touch", "/tmp/end")
        until(lambda: state_of(stack, "meanwhile") == "exited")

    def test_fails(stack):
        with pytest.raises(Exception):
            stack["told"].http.get("/die/4")
        assert False
"""


def warned(result: pytest.RunResult) -> list[str]:
    """Return the lines of the warning."""
    text = result.stdout.str()
    assert text.count(TITLE) <= 1
    text = text.partition(TITLE)[2].partition("\n=")[0]
    return [line for line in text.splitlines()[1:] if line.strip()]


@pytest.mark.slow
@pytest.mark.parametrize(
    "workers", [["-n0", "-k", "not fails"], ["-n2"]], ids=["one process", "workers"]
)
def test_the_run_should_end_with_a_warning_when_a_service_died_in_a_green_test(
    fragile: Tiny, workers: list[str]
) -> None:
    fragile.compose(
        web=frail(),
        again=frail(restart="always"),
        both=idle("echo up; exec sleep infinity", deploy={"replicas": 2}),
        sick=frail(healthcheck=SICK),
        end=idle(),
        own=idle(),
        told=frail(),
        once=idle("exit 0", restart="no"),
        meanwhile=idle("while ! test -e /tmp/end; do sleep 0.05; done", restart="no"),
    )
    fragile.tests(TESTS)
    result = fragile.run(*workers)
    if "-n0" in workers:
        assert result.ret == 0
        result.assert_outcomes(passed=6, deselected=1)
    else:  # what a failing test has told is not told again
        result.assert_outcomes(passed=6, failed=1)
    lines = warned(result)
    befell = [line for line in lines if not line.startswith((" ", "->"))]
    # What an engine with much to do forgets (of several ends all but the last) is not looked at.
    found = {re.split(r" at \d| while test| \(|, ", line)[0] for line in befell}
    if "sick: is unhealthy" in result.stdout.str():  # a failing test that came after it may tell it
        found.add("sick: turned unhealthy")
    assert found == {
        "web: exited with code 3",
        "again: restarted",
        "both-2: exited with code 137",
        "sick: turned unhealthy",
    }
    tests = {"web": "dies", "again": "restarts", "both-2": "is_killed", "sick": "turns_unhealthy"}
    for line in befell:
        told = f"test_tiny.py::test_{tests[line.partition(':')[0]]}" in line
        assert told or "the engine has forgotten when" in line
    at = next(number for number, line in enumerate(lines) if line.startswith("web"))
    assert lines[at + 1 :][:4] == [
        "  the last that web logged:",
        "    serving",
        "    asked for /",
        "    asked for /die/3",
    ]
    for name in {line.partition(":")[0].partition("-")[0] for line in befell}:
        assert lines.count(f"-> see all of it: nomock logs {name}") == 1


COUNTS = """
import sys

asked = []

def hook(event, arguments):
    if event == "socket.connect" and str(arguments[1]).endswith("docker.sock"):
        asked.append(event)

sys.addaudithook(hook)

def pytest_runtest_logfinish():
    asked.clear()

def pytest_unconfigure():
    print(f"asked {len(asked)} times")
"""


def test_the_engine_should_be_asked_once_more_when_nothing_befell_the_services(
    fragile: Tiny,
) -> None:
    fragile.compose(web=frail(), once=idle("exit 0", restart="no"))
    fragile.tests(
        "def test_stack(stack): assert stack['web'].http.get('/')\ndef test_plain(): pass"
    )
    fragile.write("conftest.py", COUNTS)
    # It is the same stack, by another object: what is done by that is asked for, too.
    fragile.write(
        "test_own.py",
        """if True:
            import pytest

            @pytest.fixture(scope="session")
            def readiness_probes(): return {"web": "tcp:8000"}

            def test_ends_it(stack): stack["web"].restart()
        """,
    )
    result = fragile.run()
    result.assert_outcomes(passed=3)
    assert not warned(result)
    (fragile.path / "test_own.py").unlink()
    for _ in range(20):  # one that was started as long ago as the run lasts is looked into
        result = fragile.run()
        result.assert_outcomes(passed=2)
        assert not warned(result)
        if "asked 1 times" in result.outlines:
            break
    else:
        raise AssertionError(result.outlines)
    assert "asked 0 times" in fragile.run("-k", "plain").outlines


@pytest.mark.slow
def test_only_the_tests_of_its_lane_should_be_named_when_a_service_of_one_dies(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    tiny.tests("""
        import subprocess
        from pathlib import Path
        from threading import Event

        def meet(stack):
            own = next(c for c in stack.containers())
            Path(f"in-{stack.name}").touch()
            while len(list(Path().glob("in-*"))) < 2: Event().wait(0.02)
            if stack.name.endswith("-lane2"):
                subprocess.run(["docker", "kill", own.id], check=True)
                Path("killed").touch()
            while not Path("killed").exists(): Event().wait(0.02)
            Path(f"ran-{stack.name}").touch()

        def test_a(stack): meet(stack)
        def test_b(stack): meet(stack)
    """)
    result = tiny.run("-n2", "--dist=load", "--lanes=stack", "-v")
    result.assert_outcomes(passed=2)
    text = result.stdout.str()
    told = [line for line in text.splitlines() if line.startswith("one: exited with")]
    on_lane_2 = re.search(r"\[gw1\].*PASSED test_tiny.py::(test_[ab])", text)
    assert on_lane_2 is not None
    assert len(told) == 1
    assert re.findall("test_[ab]", told[0]) == [on_lane_2[1]]
    assert f"-> see all of it: nomock --project {tiny.name}-lane2 logs one" in text
