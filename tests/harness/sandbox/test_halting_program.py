"""The program that halts and kills a container's processes, in a container of an engine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from tiny import IMAGE, TOOLS_IMAGE, docker

from nomock.adapters.kubernetes.halting import _program
from nomock.polling import wait_until

# Starts processes all the time, in two others.
BUSY = "while true; do date > /dev/null; done & while true; do date > /dev/null; done & wait"


@pytest.fixture
def container() -> Iterator[str]:
    id_ = docker("run", "--detach", IMAGE, "sh", "-c", BUSY).strip()
    try:
        yield id_
    finally:
        docker("rm", "--force", id_)


class Among:
    """The program, among the processes of a container."""

    def __init__(self, container: str) -> None:
        rights = ("--cap-drop", "ALL", "--cap-add", "SYS_PTRACE", "--user", "0")
        run = [
            "docker",
            "run",
            "--rm",
            "-i",
            "--network",
            "none",
            "--pid",
            f"container:{container}",
        ]
        self.process = subprocess.Popen(
            [*run, *rights, TOOLS_IMAGE, "python3", "-IS", "-c", _program()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, word: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.communicate()


def states(container: str) -> set[str]:
    """How the processes of the container itself are: ``t`` is halted by who traces it."""
    listed = docker("top", container, "-o", "pid,stat").splitlines()[1:]
    return {line.split()[1][0] for line in listed}


def test_all_should_halt_and_go_on_when_whoever_asked_has_gone(container: str) -> None:
    among = Among(container)
    assert among.ask("halt") == "done"
    assert states(container) == {"t"}
    among.process.kill()  # and the client with it, as when a run is killed
    among.end()
    assert wait_until(lambda: "t" not in states(container), within_s=20)


def test_the_first_process_should_be_killed_when_it_heeds_no_signal(container: str) -> None:
    among = Among(container)
    assert among.ask("kill") == "done"
    assert docker("wait", container).strip() == "137"
    among.end()
