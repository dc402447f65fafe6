"""The pictures of the README: what a terminal shows in real runs, and a warm run beside its peers.

    python bench/pictures.py                 # all: the suite runs once, covered
    python bench/pictures.py red-test warm   # some of them

Each is docs/pictures/NAME-light.svg and NAME-dark.svg. The runs are those of a copy of this
repository, with a stack of its own that is taken down at the end.
"""

from __future__ import annotations

import argparse
import os
import pty
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import warm
from copies import copy_repository
from drawing import bars, terminal
from ground import use_images

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
COLUMNS = 118
RED = "tests/test_migration.py"
RED_TEST = """
def test_an_order_should_be_taken_when_a_migration_runs(orders, postgres, unique_name):
    with postgres.connect() as migration, migration.transaction(force_rollback=True):
        migration.execute("ALTER TABLE instances.instances ADD COLUMN note text")
        reply = orders.place(unique_name())
    assert reply.status_code == 202
"""
LINE = "services/auth/auth/grants.py:33"


def main() -> None:
    """Make the pictures that are asked for."""
    makers: dict[str, Callable[[Path], dict[str, str]]] = {
        "red-test": red_test,
        "coverage": coverage,
        "edges": edges,
        "warm": warm_run,
    }
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *makers], metavar="NAME")
    names = parser.parse_args().names or list(makers)
    use_images()
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nomock-pictures-") as folder:
        copy = Path(folder)
        copy_repository(copy)
        try:
            for name in names:
                for kind, svg in makers[name](copy).items():
                    path = PICTURES / f"{name}-{kind}.svg"
                    path.write_text(svg)
                    print(path.relative_to(ROOT), flush=True)
        finally:
            typed(copy, "nomock down --volumes")  # its lanes, too
            down = ["docker", "compose", "down", "--rmi", "local"]
            subprocess.run(down, cwd=copy, check=True, capture_output=True)


def red_test(copy: Path) -> dict[str, str]:
    """A test that finds a real defect: an order waits for a migration's lock, and is refused."""
    (copy / RED).write_text(RED_TEST)
    try:
        shown = [
            typed(copy, f"pytest {RED} --evidence-database --no-header --tb=short -q"),
            typed(copy, "nomock diagnose", until="evidence:"),
        ]
    finally:
        (copy / RED).unlink()
    return terminal(shown, COLUMNS, "a red test explains itself")


def coverage(copy: Path) -> dict[str, str]:
    """Which lines of which service the suite ran, and the tests of one line."""
    command = "pytest -n logical --dist worksteal --sidecar-coverage"
    run = typed(copy, command, since="service  ", until="report: ")
    return terminal([run, typed(copy, f"nomock who-tests {LINE}", most=10)], COLUMNS, "coverage")


def edges(copy: Path) -> dict[str, str]:
    """Which faults on which edges the tests have."""
    return terminal(
        [typed(copy, "nomock edges", since="tests: how many")],
        COLUMNS,
        "which connection no test has broken",
    )


def warm_run(_: Path) -> dict[str, str]:
    """One trivial test on a stack of two services: nomock, and others."""
    seconds = warm.of_nomock(rounds=5) | warm.of_peers(rounds=3)
    rows = {name: median(times) for name, times in seconds.items()}
    title = "One trivial test on a database and a web server: the whole session, in seconds"
    return bars(title, dict(sorted(rows.items(), key=lambda row: row[1])), "nomock")


def typed(
    folder: Path, command: str, *, since: str = "", until: str = "", most: int = 1000
) -> tuple[str, list[str]]:
    """Run a command as typed in a terminal; return it, and the lines it showed.

    ``since`` is a part of the first line that is wanted, ``until`` one of the line behind the last,
    and ``most`` how many are shown.
    """
    environ = os.environ | {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    for name in ("CI", "NO_COLOR", "VIRTUAL_ENV", "COMPOSE_PROJECT_NAME"):
        environ.pop(name, None)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command.split(), cwd=folder, env=environ, stdout=theirs, stderr=theirs, close_fds=True
    ):
        os.close(theirs)
        said = b""
        while chunk := _read(ours):
            said += chunk
    os.close(ours)
    # A line that was written over stands there as it was last.
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in said.decode().split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    first = next(number for number, line in enumerate(lines) if since in line)
    last = next((number for number, line in enumerate(lines) if until and until in line), None)
    wanted = lines[first:last]
    return command, wanted if len(wanted) <= most else [*wanted[:most], "…"]


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so when the last writer is gone
        return b""


if __name__ == "__main__":
    main()
