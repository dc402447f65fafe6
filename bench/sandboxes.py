"""Ten sandboxes side by side on the local node: does each answer for itself alone?

    python bench/sandboxes.py               # ten of the reference stack, two promoted at a time
    python bench/sandboxes.py --count 3

Each is promoted from the same images; each database then gets a row of its own, all of them at
once, and shows which rows it has; the services of each try to reach the database of the next. What
is printed: seconds until all are live, rows that stand where they should not (goal 0), doors that
are open between two sandboxes (goal 0), and seconds until all are gone.

Figure (issue 15): ten on one node, without cross-talk. `nomock sandbox local` first.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter

from nomock.loading import load
from nomock.stack import Stack

ROOT = Path(__file__).parent.parent
REACH = """
import socket, sys
socket.getaddrinfo(sys.argv[1], 5432)  # a name that is not known would look like a closed door
try:
    socket.create_connection((sys.argv[1], 5432), timeout=5)
except OSError as error:
    print("closed:", error)
else:
    print("open")
"""


def main() -> None:
    """Promote, look, take down, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10)
    ids = [f"bench-{number}" for number in range(1, parser.parse_args().count + 1)]
    began = perf_counter()
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(partial(nomock, "promote"), ids))  # each error is raised
        print(f"{len(ids)} sandboxes live after {perf_counter() - began:.0f} s", flush=True)
        stacks = {id_: stack_of(id_) for id_ in ids}
        print(f"rows of others: {foreign_rows(stacks)} (goal 0)", flush=True)
        print(f"open doors between sandboxes: {open_doors(stacks)} (goal 0)", flush=True)
    finally:
        began = perf_counter()
        for id_ in ids:
            nomock("down", id_)
        print(f"all gone after {perf_counter() - began:.0f} s")


def nomock(verb: str, id_: str) -> None:
    """Promote a sandbox, or take it down."""
    words = ["promote"] if verb == "promote" else ["sandbox", verb]
    command = [sys.executable, "-m", "nomock.cli", *words, "--id", id_]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
        raise SystemExit(f"{' '.join(words)} --id {id_} failed")


def stack_of(id_: str) -> Stack:
    """Return the promoted stack of an id."""
    return Stack.of(replace(load(ROOT), target="sandbox", sandbox=id_))


def foreign_rows(stacks: dict[str, Stack]) -> int:
    """Write into all databases at once, then count the rows that are in another one's."""

    def write(id_: str) -> None:
        with stacks[id_].postgres.connect() as connection:
            connection.execute("create table bench_row (id text)")
            connection.execute("insert into bench_row values (%s)", [id_])

    def read(id_: str) -> list[str]:
        with stacks[id_].postgres.connect() as connection:
            return [row[0] for row in connection.execute("select id from bench_row").fetchall()]

    with ThreadPoolExecutor(len(stacks)) as pool:
        list(pool.map(write, stacks))
        found = dict(zip(stacks, pool.map(read, stacks), strict=True))
    assert all(id_ in rows for id_, rows in found.items()), found
    return sum(row != id_ for id_, rows in found.items() for row in rows)


def open_doors(stacks: dict[str, Stack]) -> int:
    """Let a service of each reach its own database, and then that of the next; count the latter."""
    ids = [*stacks]
    count = 0
    for id_, other in zip(ids, [*ids[1:], ids[0]], strict=True):
        auth = stacks[id_]["auth"]
        own = auth.exec("python3", "-c", REACH, "postgres")
        assert own == "open\n", own
        door = f"postgres.nomock-{other}.svc.cluster.local"
        count += auth.exec("python3", "-c", REACH, door) == "open\n"
    return count


if __name__ == "__main__":
    main()
