"""What evidence costs: a test that passes, one that fails, with and without the database; the page.

Figures (issue 14): at most 3 ms for a test that passes and 300 ms for one that fails, each of which
makes three requests; the page for 500 tests smaller than 20 MB, open in under a second.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from statistics import median
from uuid import uuid4

from copies import name_project
from pairs import in_turns, show

from nomock.evidence.page import page_of
from nomock.loading import load
from nomock.stack import Stack

HERE = Path(__file__).parent
TESTS = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_one(stack, number):
    for part in range(3):
        stack["web"].http.get(f"/{{number}}/{{part}}")
    assert {holds}
"""

WAITS_S = 10
WAITS = f"""
import time

def test_waits(stack):
    time.sleep({WAITS_S})
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--passing", type=int, default=200)
    parser.add_argument("--failing", type=int, default=20)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder, "bench-evidence")
        shutil.copytree(HERE / "stack", here)
        name_project(here, f"nomock-bench-{uuid4().hex[:8]}")
        Path(here, "test_passing.py").write_text(TESTS.format(count=chosen.passing, holds="True"))
        Path(here, "test_failing.py").write_text(TESTS.format(count=chosen.failing, holds="0"))
        nomock = [sys.executable, "-m", "nomock.cli"]
        try:
            subprocess.run([*nomock, "up"], cwd=here, check=True)
            _measure(here, "passes", "test_passing.py", 0, chosen.passing, chosen.rounds)
            _measure(here, "fails", "test_failing.py", 1, chosen.failing, chosen.rounds)
            _page(here)
            _database(here, "passes", "test_passing.py", 0, chosen.passing, chosen.rounds)
            _database(here, "fails", "test_failing.py", 1, chosen.failing, chosen.rounds)
            _server(here)
        finally:
            subprocess.run([*nomock, "down", "--volumes"], cwd=here, check=True)


def _measure(here: Path, how: str, file: str, code: int, count: int, rounds: int) -> None:
    ways = {"without evidence": "--evidence=off", "with evidence": "--evidence=failing"}
    _compare(here, how, file, code, count, rounds, ways)


def _database(here: Path, how: str, file: str, code: int, count: int, rounds: int) -> None:
    ways = {"with evidence": "", "with the database, too": "--evidence-database"}
    _compare(here, how, file, code, count, rounds, ways)


def _server(here: Path) -> None:
    """Measure what the looks cost the server, by its own container's CPU time."""
    Path(here, "test_waits.py").write_text(WAITS)
    with closing(Stack.of(load(here))) as stack:
        engine, server = stack.engine, stack["db"].container_id
        spent_s = []
        for options in ((), ("--evidence-database",)):
            before_s = engine.work(server).cpu_s
            words = [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "test_waits.py",
            ]
            subprocess.run([*words, *options], cwd=here, check=True, capture_output=True)
            spent_s.append(engine.work(server).cpu_s - before_s)
    more_ms = (spent_s[1] - spent_s[0]) * 1000 / WAITS_S
    print(f"\nthe looks at the database: {more_ms:.1f} ms of the server's CPU a second")


def _compare(
    here: Path, how: str, file: str, code: int, count: int, rounds: int, ways: dict[str, str]
) -> None:
    pytest = f"{sys.executable} -m pytest -q -p no:cacheprovider {file}"
    commands = {
        name: ["sh", "-c", f"{pytest} {options}; test $? = {code}"]
        for name, options in ways.items()
    }
    cpu_s: list[float] = []
    figures = in_turns(commands, rounds=rounds, cwd=here, before=lambda: cpu_s.append(_cpu_s()))
    first, second = ways
    show(f"{count} tests, each of which {how}", figures, first)
    without, with_it = figures[first], figures[second]
    wall_ms = median((b - a) / count for a, b in zip(without, with_it, strict=True)) * 1000
    spent = [b - a for a, b in pairwise([*cpu_s, _cpu_s()])][2:]  # without the warm-up
    cpu_ms = median((b - a) / count for a, b in _pairs(spent)) * 1000
    print(f"  a test that {how}: {wall_ms:+.2f} ms {second}, {cpu_ms:+.2f} ms of a CPU")


def _cpu_s() -> float:
    """Return the CPU time of all commands so far: it tells more than a clock on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _pairs(times: list[float]) -> list[tuple[float, float]]:
    """Return the times in pairs."""
    return list(zip(times[::2], times[1::2], strict=True))


def _page(here: Path) -> None:
    """Make the page of 500 tests from one of those that failed, and open it."""
    path = max(here.glob(".nomock/evidence/*/*/evidence.json"))
    record = json.loads(path.read_text(encoding="utf-8"))
    line = {"at_s": 0, "service": "web", "whose": "own", "level": "info", "fields": {}}
    record["logs"] += [{**line, "message": f"line {number} " + "m" * 80} for number in range(200)]
    records = [{**record, "test": {**record["test"], "id": f"t.py::t{n}"}} for n in range(500)]
    page = page_of(record["run"], records)
    print(f"\nthe page of 500 tests with 200 lines each: {len(page) / 1e6:.1f} MB")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("  no browser here: not opened")
        return
    # The last script runs when the list and the first test are there.
    told = "<script>document.body.dataset.openMs = performance.now()</script></body>"
    file = here / "page.html"
    file.write_text(page.replace("</body>", told), encoding="utf-8")
    words = [
        browser,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--dump-dom",
        file.as_uri(),
    ]
    found = []
    for _ in range(5):
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
        found += re.findall(r'data-open-ms="([\d.]+)"', done.stdout)
    print(f"  open after {median(map(float, found)):.0f} ms, median of {len(found)}")


if __name__ == "__main__":
    main()
