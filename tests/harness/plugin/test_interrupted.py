"""A start-up that was interrupted is completed by the next run, not taken for a whole one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from printing import until
from tiny import NOMOCK, Tiny, check, idle


@pytest.mark.slow
@pytest.mark.parametrize(
    "interrupt",
    [
        lambda pid: os.killpg(pid, signal.SIGINT),
        lambda pid: os.killpg(pid, signal.SIGKILL),
        lambda pid: os.kill(pid, signal.SIGKILL),
    ],
    ids=["Ctrl-C", "all killed", "pytest killed"],
)
def test_the_next_run_should_complete_the_stack_when_its_start_was_interrupted(
    tiny: Tiny, interrupt: Callable[[int], None]
) -> None:
    late = idle(
        "until test -e /data/go; do sleep 0.1; done; touch /tmp/ready; exec sleep infinity",
        healthcheck=check("test -e /tmp/ready"),
        volumes=["./data:/data:ro"],
    )
    tiny.write("data/any", "")
    tiny.compose(late=late, after=idle(depends_on={"late": {"condition": "service_healthy"}}))
    tiny.tests("def test_all(stack): assert len(stack) == 2")
    command = [sys.executable, "-m", "pytest"]
    with subprocess.Popen(
        command,
        cwd=tiny.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        until(process, "0/2 ready")
        interrupt(process.pid)
        process.wait()
    assert tiny.states().get("after") != "running"

    tiny.write("data/go", "")
    result = tiny.run()
    result.assert_outcomes(passed=1)
    assert not any(line.endswith(": attached") for line in result.outlines)
    assert tiny.states() == {"late": "running", "after": "running"}
    assert tiny.stack().differences() == {}


def test_nothing_should_be_left_when_an_owned_start_is_interrupted(tiny: Tiny) -> None:
    never = idle(healthcheck=check("exit 1"))
    tiny.compose(never=never)
    tiny.tests("def test_all(stack): pass")
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "--stack=own"],
        cwd=tiny.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        until(process, "0/1 ready")
        os.killpg(process.pid, signal.SIGINT)
        process.communicate()
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert tiny.containers() == {}


def test_the_command_line_should_say_so_when_it_is_interrupted(tiny: Tiny) -> None:
    tiny.compose(never=idle(healthcheck=check("exit 1")))
    with subprocess.Popen(
        [NOMOCK, "up"],
        cwd=tiny.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        until(process, "0/1 ready")
        os.killpg(process.pid, signal.SIGINT)
        rest, _ = process.communicate()
    assert (process.returncode, rest) == (130, "interrupted; the next run goes on from here\n")
