"""Run both suites on each defect: `python -m defects auth-code-twice --budget 10m`.

What was found out is kept: a run that ended early, or was ended, goes on where it was.
"""

from __future__ import annotations

import argparse
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from time import monotonic
from typing import Protocol

from . import suite, table, twin
from .defect import Defect, all_defects
from .kept import Kept
from .result import NoVerdictError, Result

_UNITS_S = {"s": 1, "m": 60, "h": 3600}


class Judge(Protocol):
    """One of the two suites."""

    def judge(self, defect: Defect) -> Result:
        """Say what it makes of a defect."""


def main() -> int:
    """Judge, and show; return 1 where the reference suite missed one."""
    asked = _arguments()
    defects = [each for each in all_defects() if not asked.names or each.name in asked.names]
    if unknown := set(asked.names) - {each.name for each in defects}:
        raise SystemExit(f"no defect is called {', '.join(sorted(unknown))}")
    ends_at = monotonic() + asked.budget
    kept = {"suite": Kept("suite", suite.reads), "twin": Kept("twin", twin.reads)}
    makers: dict[str, Callable[[], AbstractContextManager[Judge]]] = {
        "suite": suite.Suite.made,
        "twin": twin.Twin.made,
    }
    with ThreadPoolExecutor() as threads:
        going, queues = [], []
        for side in [asked.side] if asked.side else list(kept):
            unknown = [each for each in defects if kept[side].find(each) is None]
            left = _Left(defects if asked.again else unknown, ends_at)
            queues.append(left)
            for _ in range(min(len(left), asked.stacks if side == "suite" else 1)):
                going.append(threads.submit(_judge_all, makers[side], left, kept[side]))
        try:
            for each in going:
                each.result()
        finally:
            # Ctrl-C: each ends what it is at, and takes its stack down.
            for left in queues:
                left.end()
    rows = [table.Row(each, kept["suite"].find(each), kept["twin"].find(each)) for each in defects]
    print(table.text(rows))
    with twin.Twin.made() as sound:
        print(f"the twin runs {sound.coverage():.1f} % of the services' statements and branches")
    table.leave_rows(rows)
    return int(any(row.suite and row.suite.found_by is None for row in rows))


class _Left:
    """The defects that are left, each for one thread."""

    def __init__(self, defects: Iterable[Defect], ends_at: float) -> None:
        self._left = list(defects)[::-1]
        self._ends_at = ends_at
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._left)

    def end(self) -> None:
        """Hand out no more."""
        with self._lock:
            self._left.clear()

    def __iter__(self) -> Iterator[Defect]:
        while True:
            with self._lock:
                if not self._left or monotonic() > self._ends_at:
                    return
                defect = self._left.pop()
            yield defect


def _judge_all(
    made: Callable[[], AbstractContextManager[Judge]], defects: Iterable[Defect], kept: Kept
) -> None:
    with made() as judge:
        for defect in defects:
            try:
                result = judge.judge(defect)
            except NoVerdictError as error:
                print(error, flush=True)
                continue
            kept.keep(defect, result)
            print(
                f"{result.seconds:6.1f} s  {defect.name}: {result.found_by or 'missed'}", flush=True
            )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just test-defects", description=__doc__)
    parser.add_argument("names", nargs="*", help="only these defects")
    parser.add_argument("--budget", type=_seconds, default="24h", help="begin no more after 10m")
    parser.add_argument("--side", choices=["suite", "twin"], help="ask only one of both")
    parser.add_argument("--stacks", type=int, default=1, help="how many stacks at once")
    parser.add_argument("--again", action="store_true", help="also what is known")
    return parser.parse_args()


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+)([smh])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: 90s, 10m, 1h")
    return float(found[1]) * _UNITS_S[found[2]]


if __name__ == "__main__":
    raise SystemExit(main())
