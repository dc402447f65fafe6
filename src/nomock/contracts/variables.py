"""The variables of one service or container: what it is told against what it reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from nomock.contracts.finding import Finding
from nomock.contracts.host import UNKNOWN
from nomock.contracts.known import BY_OTHERS, is_read_by_packages, known_image
from nomock.contracts.near import near
from nomock.contracts.reading import Reading
from nomock.contracts.reads import Read
from nomock.contracts.values import Surroundings, faults_of

Some = TypeVar("Some", bound=Reading)


def findings_of(
    readings: Sequence[Some], around: Callable[[Some, set[str]], Surroundings]
) -> tuple[list[Finding], int]:
    """Return what of all variables does not fit, and how many were looked at.

    ``around`` returns what the values of one may name; it gets the names of all variables.
    """
    shared = _shared(readings)
    named = {name for one in readings for name in (*one.settings, *(r.name for r in one.reads))}
    found: list[Finding] = []
    for one in readings:
        found += _of_image(one)
        misspelt = [*_unread(one, shared, readings)]
        meant = {finding.cure.removesuffix("?") for finding in misspelt}
        found += misspelt
        found += [finding for finding in _missing(one) if finding.variable not in meant]
        found += _types(one)
        found += _values(one, around(one, named))
    looked_at = {(o.service.name, n) for o in readings for n in o.settings}
    looked_at |= {(o.service.name, r.name) for o in readings for r in o.reads}
    return once(found), len(looked_at)


def once(found: Iterable[Finding]) -> list[Finding]:
    """Return findings without those that say the same, the certain ones first in each service."""
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda f: (f.service, not f.is_certain))


def _shared(readings: Iterable[Reading]) -> set[Hashable]:
    """Return what sets a variable for several: of an anchor, of an env_file, of a template."""
    users: dict[Hashable, set[str]] = defaultdict(set)
    for one in readings:
        for name in one.settings:
            users[one.origin(name)].add(one.service.name)
    return {origin for origin, names in users.items() if len(names) > 1}


def _missing(one: Reading) -> Iterator[Finding]:
    """Yield what a service cannot do without and is not told."""
    if not one.program.entries or not one.is_whole:
        return  # nobody knows which of its files run, or all that it is told
    by_name: dict[str, Read] = {}
    for read in one.reads:
        if read.is_required and not read.is_pattern and not one.has(read):
            if not read.is_at_start and _asks_before(one, read):
                continue
            before = by_name.get(read.name)
            if before is None or (read.is_at_start and not before.is_at_start):
                by_name[read.name] = read
    for name, read in by_name.items():
        when = "to start" if read.is_at_start else "at some time"
        yield Finding(
            one.service.name,
            name,
            f"{name} is not set, and it needs it {when}",
            "",
            read.place,
            f"set it in {one.set_in} of {one.service.name}",
            read.is_at_start,
        )


def _unread(one: Reading, shared: set[Hashable], readings: Iterable[Reading]) -> Iterator[Finding]:
    """Yield what is set and read by nobody: a misspelt name, or a rest of what was."""
    known = known_image(one.service.image) if not one.service.is_built else None
    if known is not None or not one.reads:
        return
    wanted = {r.name for r in one.reads if not r.is_pattern and not one.has(r)}
    for name in one.settings:
        where, is_shared = one.places[name], one.origin(name) in shared
        if one.reads_of(name) or name in BY_OTHERS | one.used | one.image.words:
            continue
        if is_shared and any(o.reads_of(name) for o in readings):
            continue
        meant = near(name, wanted)
        if not meant and (is_read_by_packages(name) or one.program.is_dynamic or is_shared):
            continue
        reader = next((r.place for r in one.reads if r.name == meant), "")
        yield Finding(
            one.service.name,
            name,
            f"{name} is set, and nothing reads it",
            where,
            reader,
            f"{meant}?" if meant else "remove it, unless a package reads it by itself",
            bool(meant),
        )


def _types(one: Reading) -> Iterator[Finding]:
    """Yield values that the code cannot take for what it takes them for."""
    for name, value in one.settings.items():
        if not value or UNKNOWN in value:
            continue  # many take an empty one for a variable that is not set
        for read in one.reads_of(name):
            if trouble := read.kind.trouble(value):
                yield Finding(
                    one.service.name,
                    name,
                    f"{name} has a value that will not do: {trouble}",
                    one.places[name],
                    read.place,
                    f"the code wants: {read.kind.name}"
                    if read.kind.name != "truth"
                    else "compare the text in the code, or leave the variable out",
                    read.is_at_start,
                )
                break


def _values(one: Reading, around: Surroundings) -> Iterator[Finding]:
    for name, value in one.settings.items():
        for told in faults_of(name, value, around):
            fault = told.without(one.secrets.get(name, ()))
            reader = next((read.place for read in one.reads_of(name)), "")
            yield Finding(
                one.service.name,
                name,
                f"{name} {fault.what}",
                one.places[name],
                reader,
                fault.cure,
                fault.is_certain,
            )


def _of_image(one: Reading) -> Iterator[Finding]:
    """Yield what an image that is known does not read, and what it cannot do without."""
    known = known_image(one.service.image)
    if known is None or one.service.is_built:
        return
    own = one.service.config
    is_own_start = not own.get("entrypoint") and not own.get("command")
    if is_own_start and one.is_whole and known.one_of and not known.one_of & one.settings.keys():
        names = sorted(known.one_of)
        yield Finding(
            one.service.name,
            names[0],
            f"none of {', '.join(names)} is set, and {one.service.image} does not start so",
            "",
            "",
            "set one of them",
        )
    for name, where in one.places.items():
        if name.startswith(known.prefix) and name not in known.names:
            meant = near(name, known.names)
            yield Finding(
                one.service.name,
                name,
                f"{name} is set, and {one.service.image} does not read it",
                where,
                "",
                f"{meant}?" if meant else "remove it",
                bool(meant and meant not in one.settings),
            )


def _asks_before(one: Reading, read: Read) -> bool:
    """Tell whether the same file also reads a variable so that it may be missing."""
    others = one.reads_of(read.name)
    return any(not other.is_required and other.file == read.file for other in others)
