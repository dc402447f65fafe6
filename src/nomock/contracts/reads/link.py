"""Bring the files of a service together: what it reads, and what of that whenever it starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nomock.contracts.reads.kinds import TEXT, Kind
from nomock.contracts.reads.libraries import read_by_library
from nomock.contracts.reads.lookup import Lookup, Reader
from nomock.contracts.reads.model import Argument, ClassSeen, Module, RawCall, RawRead, Read, Unit
from nomock.contracts.reads.names import UNKNOWN
from nomock.contracts.reads.settings_classes import fields_of, is_settings

_LONGEST_CHAIN = 6
_SURE, _IMPORTED, _NAMED = 2, 1, 0
"""How a file is loaded: whenever the service starts; by an import in a function or a branch; or
perhaps, since its name stands in a text."""


@dataclass(frozen=True)
class _Place:
    """A function in its file."""

    module: Module
    unit: Unit

    @property
    def key(self) -> tuple[str, str]:
        return str(self.module.path), self.unit.name


class Program:
    """The Python of a service: some files, of which it starts with a few.

    ``entries`` are those with which it starts, each by the dotted names that it may have; where
    none is found all files count as its own, and nothing as read at the start.
    """

    def __init__(self, modules: Iterable[Module], entries: Iterable[Sequence[str]]) -> None:
        self.lookup = Lookup(modules)
        self.entries: list[Module] = []
        for alternatives in entries:
            found = (self.lookup.module(name) for name in alternatives)
            self.entries += [*filter(None, found)][:1]
        self.level: dict[str, int] = {}
        self.reached: dict[str, Module] = {}
        self._reach()
        self._executed, self._made = self._execute()
        self._callable = self._used()

    @property
    def is_dynamic(self) -> bool:
        """Whether a file of it looks at all variables there are."""
        return any(module.is_dynamic for module in self.reached.values())

    @property
    def sets(self) -> set[str]:
        """The variables that it sets itself."""
        return set().union(*(module.sets for module in self.reached.values()))

    def reads(self) -> Iterator[Read]:
        """Yield what it reads, a variable as often as it does."""
        for module in self.reached.values():
            for unit in module.units.values():
                place = _Place(module, unit)
                is_run = place.key in self._executed
                is_used = place.key in self._callable and self.level[place.key[0]] > _NAMED
                for raw, line in self._of(place, _LONGEST_CHAIN):
                    if not raw.name.parameters and not raw.mapping:
                        yield from _as_read(module, raw, line, is_run, is_used, unit)
                yield from self._by_libraries(place, is_run, is_used)
            for seen in module.classes.values():
                made = self._made.get((str(module.path), seen.name))
                if made is not None and is_settings(self.lookup, module, seen):
                    for read in fields_of(self.lookup, module, seen):
                        yield replace(read, is_at_start=made)

    def _by_libraries(self, place: _Place, is_run: bool, is_used: bool) -> Iterator[Read]:
        for call in place.unit.calls:
            found = self.lookup.find(place.module, call.target, place.unit.name)
            if found and isinstance(found[1], Reader):
                for read in read_by_library(place.module, call, found[1]):
                    yield replace(
                        read,
                        is_at_start=call.is_sure and is_run,
                        is_required=read.is_required and is_used,
                    )

    def _of(self, place: _Place, left: int) -> Iterator[tuple[RawRead, int]]:
        """Yield the reads of a function, those of functions that it hands names to among them."""
        for raw in place.unit.reads:
            yield raw, raw.line
        for call in place.unit.calls if left else ():
            found = self.lookup.find(place.module, call.target, place.unit.name)
            if not found or not isinstance(found[1], Unit) or found[1] is place.unit:
                continue
            inner = found[1]
            if not inner.parameters or not (call.positional or call.keywords):
                continue
            given = _arguments(inner, call)
            for raw, _ in self._of(_Place(found[0], inner), left - 1):
                if raw.name.parameters or raw.mapping:
                    handed = _handed(raw, inner, call, given)
                    if handed is not None:
                        yield handed, call.line

    def _reach(self) -> None:
        """Find the files that are loaded: at each start, later by an import, or by their name."""
        waiting = [(module, _SURE) for module in self.entries]
        self.level = {str(m.path): _IMPORTED for m in self.lookup.modules if not waiting}
        while waiting:
            module, level = waiting.pop()
            if self.level.get(str(module.path), -1) < level:
                self.level[str(module.path)] = level
                waiting += self._imports(module, level)
        self.reached = {str(m.path): m for m in self.lookup.modules if str(m.path) in self.level}

    def _imports(self, module: Module, level: int) -> Iterator[tuple[Module, int]]:
        for of in module.imported.values():
            whole = [of.module, f"{of.module}.{of.attribute}"] if of.attribute else [of.module]
            for name in whole:
                parts = name.split(".")
                for length in range(1, len(parts) + 1):
                    if found := self.lookup.module(".".join(parts[:length]), module):
                        yield found, level if of.is_sure else min(level, _IMPORTED)
        for text in module.strings:
            name, colon, _ = text.partition(":")
            if "." in name and (found := self.lookup.module(name, module)):
                # An entry that names "app.main:app" hands it to a server.
                yield found, level if colon and module in self.entries else _NAMED

    def _execute(self) -> tuple[set[tuple[str, str]], dict[tuple[str, str], bool]]:
        """Return the functions that run at each start; and classes made, with whether then."""
        started = [m for key, m in self.reached.items() if self.level[key] == _SURE]
        waiting = [_Place(m, m.units[""]) for m in started]
        executed = {place.key for place in waiting}
        made: dict[tuple[str, str], bool] = {}
        while waiting:
            place = waiting.pop()
            for call in place.unit.calls:
                found = self.lookup.find(place.module, call.target, place.unit.name)
                if not found or not call.is_sure:
                    continue
                if isinstance(found[1], ClassSeen):
                    made[str(found[0].path), found[1].name] = True
                    init = found[0].units.get(f"{found[1].name}.__init__")
                    found = (found[0], init) if init else found
                if isinstance(found[1], Unit):
                    new = _Place(found[0], found[1])
                    if new.key not in executed:
                        executed.add(new.key)
                        waiting.append(new)
        return executed, made

    def _used(self) -> set[tuple[str, str]]:
        """Return the functions that may be called at all; what of classes is made is noted."""
        waiting = [
            _Place(module, unit)
            for module in self.reached.values()
            for unit in module.units.values()
            if not unit.name or unit.is_decorated
        ]
        used = {place.key for place in waiting}
        while waiting:
            place = waiting.pop()
            for name in [*(call.target for call in place.unit.calls), *place.unit.mentions]:
                found = self.lookup.find(place.module, name, place.unit.name)
                new: list[_Place] = []
                if found and isinstance(found[1], Unit):
                    new = [_Place(found[0], found[1])]
                elif found and isinstance(found[1], ClassSeen):
                    self._made.setdefault((str(found[0].path), found[1].name), False)
                    units = found[0].units.values()
                    # Nobody knows which methods of an object are called: all but those of classes.
                    new = [_Place(found[0], u) for u in units if _is_method(u, found[1])]
                waiting += [one for one in new if one.key not in used]
                used |= {one.key for one in new}
        return used


def _is_method(unit: Unit, seen: ClassSeen) -> bool:
    return unit.name.startswith(f"{seen.name}.") and not unit.is_of_class


def _arguments(unit: Unit, call: RawCall) -> Mapping[str, Argument]:
    given = dict(zip(unit.parameters, call.positional, strict=False))
    return {**given, **{n: a for n, a in call.keywords.items() if n in unit.parameters}}


def _handed(
    raw: RawRead, unit: Unit, call: RawCall, given: Mapping[str, Argument]
) -> RawRead | None:
    """Return a read of a function as one of its caller; None of one of another mapping."""
    if raw.mapping and not given.get(raw.mapping, Argument(UNKNOWN)).is_environment:
        return None
    default = raw.default_parameter
    argument = given.get(default) if default else None
    has_default = raw.has_default
    outer = ""
    if default:
        has_default = default in unit.given_by_default if argument is None else True
        if argument is not None and argument.is_none:
            has_default = False
        if argument is not None and len(argument.name.parameters) == 1:
            outer, has_default = next(iter(argument.name.parameters)), False
    kind: Kind = next((k for k in (raw.kind, unit.returns, call.kind) if k is not TEXT), TEXT)
    return replace(
        raw,
        name=raw.name.given({name: argument.name for name, argument in given.items()}),
        line=call.line,
        is_strict=raw.is_strict or (unit.raises and not has_default and not outer),
        has_default=has_default,
        default_parameter=outer,
        kind=kind,
        is_sure=raw.is_sure and call.is_sure,
        mapping="",
    )


def _as_read(
    module: Module, raw: RawRead, line: int, is_run: bool, is_used: bool, unit: Unit
) -> Iterator[Read]:
    kind = raw.kind if raw.kind is not TEXT else unit.returns if unit.name else TEXT
    literal = raw.name.literal
    name = literal if literal is not None else raw.name.pattern
    if name:
        yield Read(
            name,
            str(module.path),
            line,
            is_required=raw.is_strict and not raw.has_default and is_used,
            is_at_start=raw.is_sure and is_run,
            kind=kind if literal is not None else TEXT,
            is_pattern=literal is None,
        )
