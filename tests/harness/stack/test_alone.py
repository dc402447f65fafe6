"""A command in a container of its own: what it said is whole, and nothing of it is left."""

from __future__ import annotations

import os
import subprocess
from socket import gethostname

from tiny import IMAGE, docker

from nomock.adapters.engine import Engine

LABEL = "nomock.alone"


def left() -> set[str]:
    """The containers of commands, by id."""
    return {*docker("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={LABEL}").split()}


def test_what_a_command_said_should_be_whole_when_it_ends_at_once() -> None:
    before = left()
    many = "import sys; print('o' * 100_000); print('e', file=sys.stderr); sys.exit(3)"
    ended = Engine().run_alone(IMAGE, ["python3", "-c", many], {})
    assert ended.exit_code == 3
    assert ended.output.count("o") == 100_000
    assert ended.output.count("e") == 1
    assert left() <= before


def test_a_container_should_be_removed_by_the_next_command_when_its_process_was_killed() -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    of = [f"{gethostname()}:{dead.pid}", f"{gethostname()}:{os.getpid()}", f"elsewhere:{dead.pid}"]
    made = [docker("create", "--label", f"{LABEL}={one}", IMAGE).strip() for one in of]
    try:
        Engine().run_alone(IMAGE, ["true"], {})
        assert not {made[0]} & left()
        assert {*made[1:]} <= left()
    finally:
        docker("rm", "--force", *made)
