"""One run at a time changes a stack; whoever waits is told for whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from printing import until
from tiny import Tiny, check, idle

from nomock.errors import LockedError
from nomock.filelock import FileLock

HOLDER = """
import sys
from pathlib import Path
from nomock.filelock import FileLock
lock = FileLock(Path(sys.argv[1]))
lock.acquire(exclusive=sys.argv[2] == "exclusive")
lock.sign("pytest -k journey")
print("held", flush=True)
sys.stdin.read()
"""


def holder(path: Path, how: str) -> subprocess.Popen[str]:
    """Start a process that holds the lock until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize(
    ("held", "wanted", "waits"),
    [
        ("shared", "shared", False),
        ("shared", "exclusive", True),
        ("exclusive", "shared", True),
        ("exclusive", "exclusive", True),
    ],
)
def test_a_lock_should_be_waited_for_when_who_has_it_or_who_wants_it_changes_the_stack(
    tmp_path: Path, held: str, wanted: str, waits: bool
) -> None:
    path = tmp_path / "stack.lock"
    told: list[str] = []
    lock = FileLock(path)
    with holder(path, held) as other:
        holders = f"process {other.pid}: pytest -k journey"
        if waits:
            with pytest.raises(LockedError) as caught:
                lock.acquire(exclusive=wanted == "exclusive", timeout_s=0.1, waiting=told.append)
            assert told == [holders]
            assert str(caught.value) == (
                f"{path}: another run holds it for more than 0.1 s\n"
                f"  {holders}\n"
                "-> let that run end, or end it"
            )
        else:
            lock.acquire(exclusive=wanted == "exclusive", timeout_s=0.1, waiting=told.append)
            assert told == []
        other.kill()
    lock.close()


def test_the_lock_should_be_free_and_the_holder_forgotten_when_it_was_killed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "stack.lock"
    with holder(path, "exclusive") as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
    lock = FileLock(path)
    lock.acquire(exclusive=True, timeout_s=0)
    assert lock.holders() == ""
    lock.close()


def test_a_lock_should_tell_that_its_path_names_another_file_when_it_does(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"
    with pytest.raises(FileNotFoundError):
        FileLock(path, create=False)
    assert not path.exists()
    path.touch()
    lock = FileLock(path, create=False)
    assert lock.is_of_its_path
    path.unlink()
    assert not lock.is_of_its_path
    (tmp_path / "new").touch()
    (tmp_path / "new").rename(path)
    assert not lock.is_of_its_path
    lock.close()


@pytest.mark.slow
@pytest.mark.parametrize("second", ["--stack=fresh", "down"])
def test_a_second_run_should_wait_and_say_for_whom_when_it_would_change_the_stack(
    tiny: Tiny, second: str
) -> None:
    tiny.write("data/any", "")
    late = idle(healthcheck=check("test -e /data/go"), volumes=["./data:/data:ro"])
    tiny.compose(only=late)
    tiny.tests("""
        from pathlib import Path
        from threading import Event

        def test_holds(stack, request):
            if request.config.getoption("--nomock-stack") != "fresh":
                Path("inside").touch()
                while not Path("go").exists():
                    Event().wait(0.05)
            stack["only"].exec("true")
    """)
    start = {
        "cwd": tiny.path,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
        "env": {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        },
    }
    command = {
        "--stack=fresh": [sys.executable, "-m", "pytest", "--stack=fresh"],
        "down": ["nomock", "down"],
    }
    with subprocess.Popen([sys.executable, "-m", "pytest", "-rN"], **start) as first:
        until(first, "0/1 ready")
        tiny.write("data/go", "")
        with subprocess.Popen(command[second], **start) as other:
            lines = until(other, "process ")
            assert lines[-2:] == [
                "waiting for another run of this stack to end:",
                f"  process {first.pid}: starting {tiny.name} for pytest -rN",
            ] or lines[-2:] == [
                "waiting for another run of this stack to end:",
                f"  process {first.pid}: pytest -rN",
            ]
            (tiny.path / "go").touch()
            assert first.wait() == 0, first.communicate()
            said, _ = other.communicate()
            assert other.returncode == 0, said
    assert tiny.states() == ({"only": "running"} if second == "--stack=fresh" else {})


def test_two_runs_should_share_one_start_when_they_begin_together(tiny: Tiny) -> None:
    late = idle(
        "until test -e /data/go; do sleep 0.1; done; touch /tmp/ready; exec sleep infinity",
        healthcheck=check("test -e /tmp/ready"),
        volumes=["./data:/data:ro"],
    )
    tiny.write("data/any", "")
    tiny.compose(late=late)
    tiny.tests("def test_all(stack): print('ID', stack.containers()[0].id)")
    start: dict[str, Any] = {
        "cwd": tiny.path,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
    }
    command = [sys.executable, "-m", "pytest", "-s"]
    with subprocess.Popen(command, **start) as first:
        until(first, "0/1 ready")
        with subprocess.Popen(command, **start) as second:
            lines = until(second, "process ")
            assert lines[-1] == f"  process {first.pid}: starting {tiny.name} for pytest -s"
            tiny.write("data/go", "")
            ends = [process.communicate()[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), ends
    id_ = tiny.containers()["late"]
    assert [end.count(f"ID {id_}") for end in ends] == [1, 1]
    assert "starting late" not in ends[1]
