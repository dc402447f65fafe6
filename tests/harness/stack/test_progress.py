"""Progress is one live line on a terminal, and a line a step elsewhere."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest
from tiny import Tiny, check, idle

from nomock.progress import Progress

STEPS = ["building web: a", "building web: b", "0/2 ready; waiting for x", "0/2 ready; for y"]


def test_each_step_should_be_one_line_when_lines_cannot_be_rewritten() -> None:
    written: list[str] = []
    progress = Progress(written.append, live_width=None)
    for text in STEPS:
        progress.show(text)
    progress.end()
    assert written == ["building web\n", "0/2 ready; waiting for x\n"]


def test_it_should_be_said_at_intervals_what_a_step_waits_for_when_lines_cannot_be_rewritten() -> (
    None
):
    written: list[str] = []
    now_s = 100.0
    progress = Progress(written.append, live_width=None, clock=lambda: now_s)
    for second in range(100):
        now_s = 100.0 + second
        state = "starting" if second < 50 else "unhealthy"
        progress.show(f"0/1 ready; waiting for web (health: {state})")
    assert written == [
        "0/1 ready; waiting for web (health: starting)\n",
        "0/1 ready; waiting for web (health: starting) (5 s)\n",
        "0/1 ready; waiting for web (health: starting) (10 s)\n",
        "0/1 ready; waiting for web (health: starting) (20 s)\n",
        "0/1 ready; waiting for web (health: starting) (40 s)\n",
        "0/1 ready; waiting for web (health: unhealthy) (70 s)\n",
    ]
    progress.show("building web: a")
    now_s += 4
    progress.show("building web: b")
    now_s += 1
    progress.show("building web: c")
    assert written[6:] == ["building web\n", "building web: c (5 s)\n"]


def test_one_line_should_be_rewritten_and_wiped_when_it_can_be() -> None:
    written: list[str] = []
    progress = Progress(written.append, live_width=16)
    progress.end()  # nothing was shown yet
    for text in STEPS:
        progress.show(text)
    progress.end()
    # What follows within a tenth of a second is of the same step, and left out.
    assert written == ["\rbuilding web: a", "\r0/2 ready; wait", f"\r{'':15}\r"]


def test_the_holders_should_be_named_when_a_run_waits() -> None:
    written: list[str] = []
    progress = Progress(written.append, live_width=None)
    progress.show_waiting("process 1: pytest\nprocess 2: nomock down")
    progress.show_waiting("")
    assert "".join(written) == (
        "waiting for another run of this stack to end:\n"
        "  process 1: pytest\n"
        "  process 2: nomock down\n"
        "waiting for another run of this stack to end:\n"
        "  (it has not said which)\n"
    )


@pytest.mark.slow
def test_the_progress_should_be_one_live_line_when_pytest_has_a_terminal(tiny: Tiny) -> None:
    late = idle(healthcheck=check("test -e /data/go"), volumes=["./data:/data:ro"])
    tiny.write("data/any", "")
    tiny.compose(late=late, never_seen=idle())
    tiny.tests("def test_all(stack): pass")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "--stack=own"],
        cwd=tiny.path,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    ) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
            if b"late (health: starting)" in shown:
                tiny.write("data/go", "")
    os.close(ours)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r\n", "\n")
    (live,) = [line for line in text.split("\n") if "starting late" in line]
    states = [part.strip() for part in live.split("\r") if part.strip()]
    assert states[0] == "starting late (not running), never_seen (not running)"
    assert any("late (health: starting)" in state for state in states)
    assert all(len(part) <= 99 for part in live.split("\r"))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says the other side's end this way
        return b""
