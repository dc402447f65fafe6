"""An engine that dies while tests run ends the run once; the next run goes on from there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from tempfile import TemporaryDirectory

import pytest
from places import HARNESS
from tiny import Tiny, ask, idle

from nomock.adapters.engine import Engine

GONE = "the container engine is gone"


@pytest.fixture
def proxied_engine(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """A process that all requests to the engine pass, which this test's runs can end."""
    with TemporaryDirectory() as folder:  # a short one, as sockets want
        socket = f"{folder}/engine.sock"
        script = HARNESS / "support/engine_proxy.py"
        command = [sys.executable, str(script), socket, Engine().address.removeprefix("unix://")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
                tiny.write("engine.pid", str(process.pid))
                monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
                yield process
            finally:
                process.kill()


TESTS = """
    import os, signal
    from pathlib import Path
    from threading import Event
    import pytest

    def lose(how):
        os.kill(int(Path("engine.pid").read_text()), how)
        Path("lost").touch()

    def test_before(stack): pass

    def test_loses(stack, faults):
        with faults.stop("one"):
            lose(signal.SIGKILL)
        assert False

    @pytest.mark.parametrize("number", range({left}))
    def test_left(stack, number):
        while not Path("lost").exists():
            Event().wait(0.02)
        assert "never" in stack["one"].logs()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "left"), [(["-n0"], 4), (["-n2"], 12)], ids=["serial", "parallel"]
)
def test_the_run_should_end_once_when_its_engine_dies(
    tiny: Tiny, proxied_engine: subprocess.Popen[str], arguments: list[str], left: int
) -> None:
    tiny.compose(one=idle("echo never; exec sleep infinity"))
    tiny.tests(TESTS.format(left=left))
    result = tiny.run(*arguments)
    text = result.stdout.str()
    assert result.ret == 6
    assert "1 passed" in text or arguments == ["-n2"]  # the summary tells what ran before
    assert text.count(f"{GONE} (unix://") == 1  # why the session ends
    assert text.count("does not answer any more") == 1
    result.stdout.re_match_lines(
        [
            rf"=+ {GONE} =+",
            r"engine at unix://.*/engine.sock: it does not answer any more, last answer \d+ s "
            "before; the tests that were left did not run",
            "  no container engine answers",
            r"  \[Errno 111\] Connection refused",
            "-> start it .*, then run again: the next run heals what this one left broken",
        ],
        consecutive=True,
    )
    outcomes = result.parseoutcomes()
    assert sum(outcomes.get(kind, 0) for kind in ("passed", "failed", "errors")) < left

    proxied_engine.wait()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DOCKER_HOST")
        assert "it does not answer any more" in tiny.nomock("diagnose").stdout.str()
        # The next run heals what this one could not.
        again = tiny.run("-k", "before or left", "-n0")
        again.assert_outcomes(passed=1 + left, deselected=1)
        again.stdout.fnmatch_lines(["*healing stop one, left by *test_loses"])


def test_the_run_should_end_soon_when_its_engine_hangs(
    tiny: Tiny, proxied_engine: subprocess.Popen[str]
) -> None:
    tiny.compose(one=idle("echo never; exec sleep infinity"))
    tiny.tests("""
        import os, signal
        from pathlib import Path

        def test_hangs(stack):
            os.kill(int(Path("engine.pid").read_text()), signal.SIGSTOP)
            assert False

        def test_left(stack): pass
    """)
    result = tiny.run("-n0")
    assert result.ret == 6
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "engine at unix://*: it does not answer any more, last answer * s before; *",
            "  the engine did not answer within * s",
            "  GET /_ping",
            "-> restart it *",
            f"*Interrupted: {GONE} (unix://*",
        ]
    )


def test_the_run_should_go_on_when_a_test_fails_for_another_engine(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    tiny.tests("""
        from nomock.adapters.engine import Engine

        def test_asks_another(stack):
            Engine("unix:///nonexistent").containers("any")

        def test_passes(stack): pass
    """)
    result = tiny.run("-n0")
    result.assert_outcomes(failed=1, passed=1)
    assert GONE not in result.stdout.str()
    assert ask("GET", "/info")
