"""Under xdist: the controller alone starts the stack, and serial tests run alone."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
from stores import POSTGRES
from tiny import Tiny, clear, idle

from nomock.adapters.engine import Engine


def test_only_the_controller_should_start_the_stack_when_tests_run_in_parallel(
    tiny: Tiny, docker_calls: Path
) -> None:
    tiny.compose(only=idle())
    tiny.tests("""
        import os, pytest

        @pytest.mark.parametrize("n", range(4))
        def test_attached(stack, n):
            ids = [c.id for c in stack.containers()]
            with open("seen", "a") as seen:
                seen.write(f"{os.environ['PYTEST_XDIST_WORKER']} {' '.join(ids)}\\n")
    """)
    result = tiny.run("-n2", "--dist=each")
    result.assert_outcomes(passed=8)
    assert result.outlines.count("starting only (not running)") == 1
    ups = [call for call in docker_calls.read_text().splitlines() if " up " in call]
    assert len(ups) == 1
    seen = {tuple(line.split()) for line in (tiny.path / "seen").read_text().splitlines()}
    id_ = tiny.containers()["only"]
    assert seen == {("gw0", id_), ("gw1", id_)}


def test_the_run_should_end_with_the_reason_once_when_the_stack_does_not_start_in_parallel(
    tiny: Tiny,
) -> None:
    tiny.compose(broken=idle("exit 3"))
    tiny.tests("def test_one(stack): pass\ndef test_two(stack): pass")
    result = tiny.run("-n2")
    assert result.ret == 6
    text = result.stdout.str() + result.stderr.str()
    assert text.count("service broken: exited with code 3") == 1


def test_the_controller_should_take_the_stack_down_when_a_parallel_run_owns_it(
    tiny: Tiny,
) -> None:
    tiny.compose(only=idle())
    tiny.tests("def test_one(stack): pass\ndef test_two(stack): pass")
    result = tiny.run("-n2", "--stack=own")
    result.assert_outcomes(passed=2)
    assert result.outlines.count(f"taking {tiny.name} down") == 1
    assert tiny.containers() == {}


MEETING = """
    import pytest
    from pathlib import Path
    from threading import Event
    from time import monotonic

    {marks}
    def test_meeting(me):
        Path(f"in-{{me}}").touch()
        end = monotonic() + {within_s}
        while not (met := Path(f"in-{{1 - me}}").exists()) and monotonic() < end:
            Event().wait(0.02)
        Path(f"met-{{me}}").write_text(str(met))
        while met and not Path(f"met-{{1 - me}}").exists() and monotonic() < end:
            Event().wait(0.02)
        Path(f"in-{{me}}").unlink()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("marks", "within_s", "met"),
    [
        ("parametrize('me', [0, 1])", 20, ["True", "True"]),
        ("parametrize('me', [0, pytest.param(1, marks=pytest.mark.serial)])", 1, ["False"] * 2),
        ("parametrize('me', [0, 1])\n    @pytest.mark.serial", 1, ["False"] * 2),
    ],
    ids=["none serial", "one serial", "both serial"],
)
def test_two_tests_should_meet_only_when_neither_is_serial(
    pytester: pytest.Pytester, marks: str, within_s: int, met: list[str]
) -> None:
    text = MEETING.format(marks=f"@pytest.mark.{marks}", within_s=within_s)
    pytester.makepyfile(text)
    pytester.runpytest_subprocess("-n2", timeout=60).assert_outcomes(passed=2)
    # Both were inside for as long as it takes to meet, so that a broken lock would be seen.
    assert [(pytester.path / f"met-{me}").read_text() for me in (0, 1)] == met


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lanes", "within_s", "met"),
    [("stack", 20, "True"), ("shared", 1, "False")],
    ids=["own stacks", "one stack"],
)
def test_two_tests_that_are_serial_on_their_stack_should_meet_only_when_each_has_one(
    tiny: Tiny, lanes: str, within_s: int, met: str
) -> None:
    tiny.compose(only=idle())
    marks = """@pytest.mark.parametrize("me", [0, 1])
    @pytest.mark.usefixtures("stack")
    @pytest.mark.serial("stack")"""
    tiny.tests(MEETING.format(marks=marks, within_s=within_s))
    tiny.run("-n2", f"--lanes={lanes}").assert_outcomes(passed=2)
    assert [(tiny.path / f"met-{me}").read_text() for me in (0, 1)] == [met] * 2


ON_STACK = """@pytest.mark.serial("stack")
    @pytest.mark.parametrize("me", [{me}])
"""
USES = """    @pytest.mark.usefixtures("stack")
"""
BY_NAME = """@pytest.fixture(autouse=True)
    def asked_by_name(request): request.getfixturevalue("stack")

    @pytest.mark.parametrize("me", [1])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "lanes"),
    [
        (ON_STACK, ON_STACK, "stack"),
        (ON_STACK + USES, BY_NAME, "shared"),
    ],
    ids=["no stack", "the other one asks for it by its name"],
)
def test_a_test_that_is_serial_on_its_stack_should_be_alone_when_the_other_may_use_the_same(
    tiny: Tiny, first: str, second: str, lanes: str
) -> None:
    tiny.compose(only=idle())
    for me, marks in enumerate((first, second)):
        text = MEETING.format(marks=marks.replace("{me}", str(me)), within_s=1)
        tiny.write(f"test_{me}.py", dedent(text))
    tiny.run("-n2", f"--lanes={lanes}").assert_outcomes(passed=2)
    assert [(tiny.path / f"met-{me}").read_text() for me in (0, 1)] == ["False"] * 2


@pytest.mark.slow
@pytest.mark.parametrize(("wanted", "left"), [("only", ["alone"]), ("without", ["any"])])
def test_serial_tests_should_be_run_or_left_out_when_the_option_says_so(
    pytester: pytest.Pytester, wanted: str, left: list[str]
) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.serial
        def test_alone(): pass

        def test_any(): pass
    """)
    for more in ([], ["-n1"]):
        result = pytester.runpytest_subprocess(f"--serial={wanted}", "-v", *more)
        result.assert_outcomes(passed=1, deselected=0 if more else 1)
        result.stdout.fnmatch_lines([f"*test_{left[0]} *PASSED*" if not more else "*PASSED*"])


OVERRIDES = """
    import pytest

    @pytest.fixture(scope="session")
    def compose_files():
        return ["{file}"]

    @pytest.fixture(scope="session")
    def compose_project():
        return "{name}"

    @pytest.fixture(scope="session")
    def readiness_probes():
        return {{"mine": "none"}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [[], ["-n2"]], ids=["serial", "parallel"])
def test_a_stack_of_its_own_should_be_made_when_the_inputs_are_overridden(
    tiny: Tiny, arguments: list[str]
) -> None:
    (tiny.path / ".env").unlink()
    # The run's own stack would not even start.
    tiny.compose(broken=idle("exit 3"))
    tiny.write(
        "other/compose.yml",
        json.dumps({"services": {"mine": idle("echo hello; exec sleep infinity")}}),
    )
    tiny.pytester.makeconftest(OVERRIDES.format(file="other/compose.yml", name=tiny.name))
    tiny.tests("""
        def test_one(stack): assert list(stack) == ["mine"]
        def test_two(stack): assert 0, stack.name
    """)
    result = tiny.run(*arguments)
    result.assert_outcomes(passed=1, failed=1)
    assert tiny.states() == {"mine": "running"}
    assert tiny.stack().project.name != tiny.name
    assert tiny.stack().engine.containers(tiny.stack().name) == []
    # The evidence is of that stack, too.
    assert any("Service logs in the test's window" in line for line in result.outlines)
    assert "broken" not in result.stdout.str().partition("FAILURES")[2]


def test_the_stack_should_be_made_ready_when_a_worker_asks_for_it_by_name(tiny: Tiny) -> None:
    tiny.compose(only=idle())
    tiny.tests("""
        def test_one(request): assert list(request.getfixturevalue("stack")) == ["only"]
        def test_two(request): request.getfixturevalue("stack")["only"].exec("true")
    """)
    tiny.run("-n2").assert_outcomes(passed=2)


@pytest.mark.slow
def test_a_worker_should_break_the_stack_when_the_controller_has_healed_it(tiny: Tiny) -> None:
    tiny.compose(db=POSTGRES)
    tiny.tests("""
        def test_breaks(faults):
            with faults.pause("db", expect_traffic=False):
                pass
    """)
    stack = tiny.stack()
    stack.prepare()
    stack.close()
    left = {"on": 1, "kind": "lock_table", "name": "lock_table orders", "test": "test_left"}
    more = {"arguments": {"table": "orders"}, "state": {"sessions": "nomock-left"}}
    tiny.write(f".nomock/faults/{tiny.name}/1.ndjson", json.dumps(left | more))
    result = tiny.run("-n1")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["healing lock_table orders, left by test_left"])


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [[], ["-n1"]], ids=["serial", "parallel"])
def test_each_test_should_have_the_stack_of_its_own_inputs_when_only_some_override_them(
    tiny: Tiny, arguments: list[str]
) -> None:
    tiny.compose(only=idle())
    tiny.write("other/compose.yml", json.dumps({"services": {"mine": idle()}}))
    tiny.pytester.makeconftest("""
        import pytest

        @pytest.fixture(scope="session")
        def services(stack):
            yield list(stack)
            print("ended")
    """)
    own = """
        def test_own(stack, services): assert list(stack) == services == ["only"]
        def test_own_by_name(request): assert list(request.getfixturevalue("stack")) == ["only"]
    """
    tiny.write("test_a.py", dedent(own))
    other = """
        def test_other(stack, services): assert list(stack) == services == ["mine"]
        def test_other_by_name(request): assert list(request.getfixturevalue("stack")) == ["mine"]
    """
    overrides = OVERRIDES.format(file="other/compose.yml", name=f"{tiny.name}-other")
    tiny.write("test_b.py", dedent(overrides) + dedent(other))
    tiny.write("test_c.py", dedent(own))
    try:
        result = tiny.run("--stack=own", *arguments)
        result.assert_outcomes(passed=6)
        assert tiny.containers() == {}
        assert Engine().containers(f"{tiny.name}-other") == []
    finally:
        clear(f"{tiny.name}-other")


def test_a_stack_should_not_be_changed_when_other_tests_of_its_run_use_it(tiny: Tiny) -> None:
    tiny.compose(only=idle())
    tiny.write("more.yml", json.dumps({"services": {"more": idle()}}))
    tiny.tests("def test_own(stack): assert list(stack) == ['only']")
    tiny.write(
        "test_tiny_more.py",
        dedent("""
        import pytest

        @pytest.fixture(scope="session")
        def compose_files():
            return ["docker-compose.yml", "more.yml"]

        def test_more(stack): pass
        """),
    )
    tiny.write(
        "test_tiny_probes.py",
        dedent("""
        import pytest

        @pytest.fixture(scope="session")
        def readiness_probes():
            return {"only": "none"}

        def test_probes(stack): assert list(stack) == ["only"]
        """),
    )
    result = tiny.run("--stack=own")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            f"*stack {tiny.name}: other tests of this run use it, and it would have to be changed*",
            "*more: not running",
            "*-> override compose_project, too: a stack of its own has a name of its own",
        ]
    )
    assert tiny.containers() == {}


def test_the_workers_of_a_run_should_not_be_another_run_when_each_prepares_the_stack(
    tiny: Tiny,
) -> None:
    tiny.compose(only=idle())
    tiny.tests("""
        import os
        from pathlib import Path
        from threading import Event

        def test_breaks(request):
            request.getfixturevalue("stack")
            me = os.environ["PYTEST_XDIST_WORKER"]
            Path(f"in-{me}").touch()
            while len(list(Path().glob("in-*"))) < 2:
                Event().wait(0.02)
            with request.getfixturevalue("faults").pause("only", expect_traffic=False):
                pass
    """)
    stack = tiny.stack()
    stack.prepare()
    stack.close()
    tiny.run("-n2", "--dist=each").assert_outcomes(passed=2)


@pytest.mark.slow
def test_a_worker_should_meet_no_fault_when_another_was_killed_during_one(tiny: Tiny) -> None:
    tiny.compose(only=idle())
    tiny.tests("""
        import json, os
        from pathlib import Path
        from threading import Event
        from time import monotonic

        def test_killed(stack, faults):
            with faults.pause("only"):
                [journal] = (stack.settings.state_dir / "faults" / stack.name).glob("*.ndjson")
                line = {"on": 9, "kind": "of a later version", "name": "what it did"}
                with journal.open("a") as file:
                    print(json.dumps(line | {"arguments": {}, "state": {}, "test": "t"}), file=file)
                Path("paused").touch()
                os.kill(os.getpid(), 9)

        def test_goes_on(stack):
            while not Path("paused").exists():
                Event().wait(0.02)
            end = monotonic() + 30
            while (now := stack.containers()[0].state) != "running" and monotonic() < end:
                Event().wait(0.02)
            assert now == "running"
    """)
    result = tiny.run("-n2")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["healing pause only, left by *::test_killed"])
    text = result.stdout.str()
    assert text.count("not healed: what it did") == 2  # when it is seen, and in the summary
    assert "INTERNALERROR" not in text
