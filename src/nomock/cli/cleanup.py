"""``nomock cleanup``: what tests left in the stores of the stack and of its lanes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from nomock.cleanup.kind import Found, Trouble
from nomock.cleanup.sweep import Choice, Sweep, refuse_strangers
from nomock.cli.show import print_json, print_table
from nomock.config import Settings
from nomock.errors import CleanupError
from nomock.lanes.kinds import left_lanes
from nomock.ledger.left import alive_runs
from nomock.names import age_s
from nomock.stack import Stack

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class _Store:
    """The stores of one stack, and what is in them."""

    stack: Stack
    label: str
    """What comes before a place: the name of a lane."""
    sweep: Sweep
    found: list[Found]


def cleanup(settings: Settings, chosen: argparse.Namespace) -> int:
    """List what tests left, or remove it after showing what that is."""
    main = Stack.of(settings)
    if chosen.remove:
        is_narrow = chosen.run_id is not None or chosen.older_than is not None
        refuse_strangers(main, is_narrow=is_narrow)
    stores = list(_stores(main))
    if chosen.remove:
        return _remove(stores, chosen)
    troubles = _told(trouble for store in stores for trouble in store.sweep.troubles)
    rows = [(store, found) for store in stores for found in store.found]
    if chosen.json:
        print_json([_object(store, found) for store, found in rows])
    else:
        _print(rows)
    return 1 if troubles else 0


def _stores(main: Stack) -> Iterator[_Store]:
    sweep = Sweep.of(main)
    yield _Store(main, "", sweep, sweep.look())
    if main.settings.target != "compose":
        return
    for lane in left_lanes(main):
        if lane.has_data():
            sweep = Sweep.of(lane.stack, lane.own_postgres)
            yield _Store(lane.stack, f"{lane.name}: ", sweep, sweep.look())


def _remove(stores: list[_Store], chosen: argparse.Namespace) -> int:
    meant: list[tuple[_Store, Found]] = []
    kept: list[tuple[_Store, Found, str]] = []
    for store in stores:
        choice = _choice(store.stack, chosen)
        for found in store.found:
            why = choice.kept(found)
            if why:
                kept.append((store, found, why))
            else:
                meant.append((store, found))
    if chosen.json:
        objects = [_object(store, found) for store, found in meant]
    else:
        _print(meant)
    for store, found, why in kept:
        print(f"kept: {found.count} {found.kind} of {_where(store, found)}: {why}", file=sys.stderr)
        if why.startswith("it may be"):
            print(f"  {store.stack.holding.others()}", file=sys.stderr)
    if meant:
        _ask(chosen, sum(found.count for _, found in meant))
    count, troubles = 0, list[Trouble]()
    for store in stores:
        done = store.sweep.remove([found for one, found in meant if one is store])
        count += done.count
        troubles += [*store.sweep.troubles, *done.troubles]
    if chosen.json:
        print_json({"removed": count, "found": objects, "troubles": [asdict(t) for t in troubles]})
    else:
        print(f"removed {count} that tests had left")
    _told(troubles)
    return 1 if troubles else 0


def _told(troubles: Iterable[Trouble]) -> list[Trouble]:
    """Print each trouble once, on standard error."""
    each = list(dict.fromkeys(troubles))
    for trouble in each:
        print(trouble, file=sys.stderr)
    return each


def _choice(stack: Stack, chosen: argparse.Namespace) -> Choice:
    alive = alive_runs(stack.settings.state_dir)
    return Choice(chosen.run_id, chosen.older_than, alive, stack.holding.others())


def _ask(chosen: argparse.Namespace, count: int) -> None:
    """Go on if the person says so; raise CleanupError where there is none to ask."""
    if chosen.yes:
        return
    if not sys.stdin.isatty():
        raise CleanupError(
            "nobody is there to be asked; nothing was removed",
            where="nomock cleanup --remove",
            todo="say yes beforehand: nomock cleanup --remove --yes",
        )
    print(f"remove all {count}? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise CleanupError("nothing was removed", where="nomock cleanup --remove")


def _where(store: _Store, found: Found) -> str:
    return f"{store.label}{found.where}"


def _object(store: _Store, found: Found) -> dict[str, object]:
    age = age_s(found.run)
    return {
        "kind": found.kind,
        "stack": store.stack.name,
        "where": found.where,
        "run": found.run,
        "age_s": None if age is None else round(age),
        "count": found.count,
        "example": found.example,
    }


def _print(rows: list[tuple[_Store, Found]]) -> None:
    head = ("count", "kind", "where", "run", "age", "such as")
    body = [
        (
            str(found.count),
            found.kind,
            _where(store, found),
            found.run or "-",
            _age(found.run),
            found.example,
        )
        for store, found in rows
    ]
    if body:
        print_table(head, body)
    print(f"{sum(found.count for _, found in rows)} that tests left")


def _age(run: str) -> str:
    age = age_s(run)
    if age is None:
        return "-"
    for unit, seconds in reversed(_UNITS.items()):
        if age >= seconds:
            return f"{age / seconds:.0f} {unit}"
    return "0 s"
