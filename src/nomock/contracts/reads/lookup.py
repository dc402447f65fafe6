"""Which file, function or class a name in a Python file means."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from nomock.contracts.reads.model import ClassSeen, Module, Unit

# Names lead on from file to file; a circle of imports has no end.
_LONGEST_WAY = 8
_STYLES = {
    "environ.Env": "environ",
    "environ.FileAwareEnv": "environ",
    "environs.Env": "environs",
    "environs.FileAwareEnv": "environs",
    "starlette.config.Config": "config",
    "decouple.config": "config",
    "decouple.Config": "config",
    "decouple.AutoConfig": "config",
}
"""What makes a reader of variables, or is one -> how that is called."""


@dataclass(frozen=True)
class Reader:
    """An object of a library that reads variables: ``env`` of environs, ``config`` of decouple."""

    style: str
    method: str


Target = Unit | ClassSeen | Reader | Module


class Lookup:
    """The files of a service by their dotted names."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules = list(modules)
        self._by_last: dict[str, list[Module]] = defaultdict(list)
        for module in self.modules:
            self._by_last[module.parts[-1] if module.parts else ""].append(module)

    def module(self, name: str, near: Module | None = None) -> Module | None:
        """Return the file of a dotted name: the nearest that ends so, whatever ``sys.path`` is."""
        parts = tuple(name.split("."))
        if not parts[0] or (parts[0] in sys.stdlib_module_names and len(parts) == 1):
            return None
        found = [m for m in self._by_last.get(parts[-1], ()) if m.parts[-len(parts) :] == parts]
        own = near.parts if near else ()
        found.sort(key=lambda m: (-_shared(m.parts, own), len(m.parts), m.path))
        return found[0] if found else None

    def find(self, module: Module, name: str, unit: str = "") -> tuple[Module, Target] | None:
        """Return what a dotted name means in a function of a file, and in which file that is."""
        first, _, rest = name.partition(".")
        if first in {"self", "cls"}:
            owner = unit.rpartition(".")[0]
            name = f"{owner}.{rest}" if rest else owner
            return self._own(module, name)
        return self._find(module, name, unit, _LONGEST_WAY)

    def origin(self, module: Module, name: str) -> str:
        """Return a dotted name with the first part as it was imported: ``pydantic.Field``."""
        first, _, rest = name.partition(".")
        of = module.imported.get(first)
        if of is None:
            return name
        return ".".join(filter(None, [of.module, of.attribute, rest]))

    def _own(self, module: Module, name: str) -> tuple[Module, Target] | None:
        target = module.units.get(name) if name else None
        found = target or module.classes.get(name)
        return (module, found) if found else None

    def _find(
        self, module: Module, name: str, unit: str, left: int
    ) -> tuple[Module, Target] | None:
        if not left:
            return None
        if found := self._own(module, f"{unit}.{name}" if unit else name) or self._own(
            module, name
        ):
            return found
        first, _, rest = name.partition(".")
        if style := _STYLES.get(self.origin(module, first)):
            return (module, Reader(style, rest)) if style == "config" else None
        if called := module.made.get(first):
            if style := _STYLES.get(self.origin(module, called)):
                return module, Reader(style, rest)
            made = self._find(module, called, "", left - 1)
            if made and isinstance(made[1], ClassSeen):
                return self._own(made[0], f"{made[1].name}.{rest}")
            return None
        return self._imported(module, first, rest, left)

    def _imported(
        self, module: Module, first: str, rest: str, left: int
    ) -> tuple[Module, Target] | None:
        of = module.imported.get(first)
        if of is None:
            stars = [
                i for n, i in module.imported.items() if n.startswith(" ") and i.attribute == ""
            ]
            name = ".".join(filter(None, [first, rest]))
            for star in stars:
                inside = self.module(star.module, module)
                if inside is None or inside is module:
                    continue
                if found := self._find(inside, name, "", left - 1):
                    return found
            return None
        whole = ".".join(filter(None, [of.module, of.attribute]))
        words = [*whole.split("."), *filter(None, rest.split("."))]
        # The longest beginning that is a file; what is left of the name is in that.
        for length in range(len(words), 0, -1):
            inside = self.module(".".join(words[:length]), module)
            if inside is not None:
                left_over = ".".join(words[length:])
                if not left_over:
                    return inside, inside
                return self._find(inside, left_over, "", left - 1) if inside is not module else None
        return None


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Return how many parts two names begin with in common."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
