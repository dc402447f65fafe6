"""Kill pytest at random moments while its tests make data: is anything left after the next start?

Figure (issue 17): after 50 kills of a run on two workers with lanes nothing named TEST and no entry
of a ledger is left once the next run has begun, on the stack and its lanes, and a run beside it
lost nothing. Lanes stay, kept warm for the next run by design: what is counted is what is in them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Event
from uuid import uuid4

from ground import postgres_service

from nomock.errors import EngineError
from nomock.lanes.kinds import left_lanes
from nomock.loading import load
from nomock.stack import Postgres, Stack

POSTGRES = postgres_service(fsync=False)
CONFTEST = """
import pytest

@pytest.fixture(scope="session")
def table(postgres):
    with postgres.connect(autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(1)")
        connection.execute("create table if not exists things (name text, key text)")

@pytest.fixture
def make(table, postgres, ledger, lane):
    def make(n):
        key = f"{lane.run}-{lane.worker}-{n}"  # of half of them only the ledger knows
        name = lane.name("thing") if n % 2 else f"thing {key}"
        ledger.record("thing", key, ledger.sql("delete from things where key = %s", key))
        with postgres.connect() as connection:
            connection.execute("insert into things values (%s, %s)", [name, key])
        return name
    return make
"""
MAKING = """
import pytest

@pytest.mark.parametrize("n", range(300))
def test_making(make, n):
    for part in range(5):
        make(n * 5 + part)
"""
NEXT = "def test_next(stack, table): pass"
# A run beside: what it has is there whenever it looks.
BESIDE = """
import pathlib, time

def test_beside(make, postgres):
    mine = [make(n) for n in range(10)]
    pathlib.Path("beside.ready").touch()
    while not pathlib.Path("beside.over").exists():
        with postgres.connect() as connection:
            found = {row[0] for row in connection.execute("select name from things")}
        assert set(mine) <= found
        time.sleep(0.05)
"""


def main() -> None:
    """Count and print; end with 1 where anything was left, or lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--lanes", default="database", help="stack, database or shared")
    parser.add_argument("--seed", type=int, default=17)
    chosen = parser.parse_args()
    name = f"nomock-bench-{uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        services = {"db": POSTGRES}
        text = json.dumps({"name": name, "services": services})
        (folder / "docker-compose.yml").write_text(text, encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "conftest.py").write_text(CONFTEST)
        for test, text in {"making": MAKING, "next": NEXT, "beside": BESIDE}.items():
            (folder / f"test_{test}.py").write_text(text)
        stack = Stack.of(load(folder))
        try:
            clean, lost = kills(folder, stack, chosen)
        finally:
            for lane in left_lanes(stack):
                lane.remove(progress=print, waiting=print)
            stack.down(volumes=True)
            stack.close()
    print(f"nothing left after {clean} of {chosen.kills} kills; lost beside: {lost}")
    sys.exit(clean != chosen.kills or lost > 0)


def kills(folder: Path, stack: Stack, chosen: argparse.Namespace) -> tuple[int, int]:
    """Return after how many kills nothing was left, and how often a run beside lost anything."""
    chance = random.Random(chosen.seed)
    run(folder, "test_next.py")
    beside = start(folder, "test_beside.py")
    try:
        clean = _kills(folder, stack, chosen, chance, beside)
    finally:
        (folder / "beside.over").touch()
        lost = int(beside.wait() != 0)
    return clean, lost


def _kills(
    folder: Path,
    stack: Stack,
    chosen: argparse.Namespace,
    chance: random.Random,
    beside: subprocess.Popen[str],
) -> int:
    clean = 0
    while not (folder / "beside.ready").exists():
        assert beside.poll() is None, "the run beside has ended"
        Event().wait(0.05)
    kept = len(ledgers(folder))
    alive = ledgers(folder)[0].name.partition("-")[0]
    for number in range(chosen.kills):
        making = start(folder, "test_making.py", "-n", "2", "--nomock-lanes", chosen.lanes)
        while len(ledgers(folder)) < kept + 1 and making.poll() is None:
            Event().wait(0.02)
        Event().wait(chance.uniform(0, 3))
        os.killpg(making.pid, signal.SIGKILL)  # all at once: the controller and its workers
        making.wait()
        before = left_of(stack, alive)
        ended = run(folder, "test_next.py")
        left = left_of(stack, alive)
        entries = len(ledgers(folder)) - kept
        is_clean = ended == 0 and left == 0 and entries == 0
        clean += is_clean
        print(
            f"kill {number + 1}: {before} rows before the next start; exit {ended}, "
            f"{left} rows and {entries} ledgers after it",
            flush=True,
        )
    return clean


def left_of(stack: Stack, alive: str) -> int:
    """Return how many rows there are, on the stack and its lanes, of other runs than one.

    A lane that is cloned while that one has rows gets a copy of them.
    """
    databases: list[Postgres] = [stack.postgres]
    for lane in left_lanes(stack):
        if lane.own_postgres or any(c.state == "running" for c in lane.stack.containers()):
            databases.append(lane.own_postgres or lane.stack.postgres)
    count = 0
    for database in databases:
        try:
            connection = database.connect()
        except EngineError:  # it was killed while it began: nobody has been there yet
            continue
        with connection:
            (is_there,) = connection.execute("select to_regclass('things')").fetchone() or (None,)
            if is_there:
                (found,) = connection.execute(
                    "select count(*) from things where not starts_with(key, %s)", [alive]
                ).fetchone() or (0,)
                count += found
    return count


def ledgers(folder: Path) -> list[Path]:
    return list((folder / ".nomock/ledger").glob("*/*.ndjson"))


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def run(folder: Path, test: str) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout)
    return done.returncode


if __name__ == "__main__":
    main()
