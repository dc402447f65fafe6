"""Risk: impact, complexity and change of each module, with how deeply it is tested beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import prod


@dataclass(frozen=True)
class Depth:
    """How deeply a module is tested; None: it is not known."""

    mutation_score: float | None = None
    """The share of its mutants that tests killed, 0 to 1."""
    ran: float | None = None
    """The share of the statements in its functions that a test ran, 0 to 1."""
    tests: int | None = None
    """How many tests ran any of them."""
    under_faults: int | None = None
    """How many of these did while a fault was on."""
    not_run: tuple[str, ...] = ()
    """Its functions of which no test ran anything, those with most decisions first."""

    @property
    def share(self) -> float | None:
        """How much of what it does is tested, 0 to 1: by its mutants, else by what ran."""
        return self.ran if self.mutation_score is None else self.mutation_score


@dataclass(frozen=True)
class Module:
    """A source file of services."""

    path: str
    services: tuple[str, ...]
    importers: int
    """How many modules import it, directly or by way of others."""
    callers: int
    """How many services call one that runs it, directly or not."""
    complexity: int
    """The sum of McCabe's numbers of its functions."""
    worst: str
    """Its most complex function."""
    worst_complexity: int
    commits: int | None
    """How many commits touched it; None: no history."""
    lines: int | None
    """How many lines these added or removed."""
    depth: Depth = Depth()
    risk: float = 0.0
    """0 to 1: the geometric mean of its factors, each as a share of the highest one."""

    @property
    def impact(self) -> int:
        """How much relies on it, itself too."""
        return 1 + self.importers + self.callers

    @property
    def untested(self) -> float:
        """The risk that is left: none of it where every mutant is killed."""
        return self.risk * (1 - (self.depth.share or 0.0))

    @property
    def why(self) -> str:
        """In words why it is where it is in the list."""
        return ", ".join(_words(self))


@dataclass(frozen=True)
class Risks:
    """All modules, that first which is to be tested next."""

    modules: tuple[Module, ...]
    notes: tuple[str, ...] = ()
    """What is not known, and by which command it would be."""


def assess(modules: Iterable[Module], notes: Iterable[str] = ()) -> Risks:
    """Return the modules with their risk, in the order in which to test them."""
    modules = [*modules]
    factors = [_factors(module) for module in modules]
    most = [max(column) for column in zip(*factors, strict=True)]
    found = [
        replace(module, risk=prod(f / m for f, m in zip(own, most, strict=True)) ** (1 / len(most)))
        for module, own in zip(modules, factors, strict=True)
    ]
    return Risks(tuple(sorted(found, key=lambda m: (-m.untested, -m.risk, m.path))), tuple(notes))


def _factors(module: Module) -> list[float]:
    # What nobody touched may still break: no factor makes all others nothing.
    return [module.impact, 1 + module.complexity, 1 + (module.commits or 0)]


def _words(module: Module) -> Iterator[str]:
    relying = [
        _count(number, word)
        for number, word in ((module.importers, "module"), (module.callers, "service"))
        if number
    ]
    yield f"{' and '.join(relying)} rely on it" if relying else "nothing imports it"
    worst = f", {module.worst_complexity} in {module.worst}" if module.worst else ""
    yield f"complexity {module.complexity}{worst}"
    if module.commits is not None:
        yield _count(module.commits, "commit")
    depth = module.depth
    if depth.mutation_score is not None:
        yield f"{depth.mutation_score:.0%} of its mutants killed"
    if depth.ran is not None:
        yield f"{depth.ran:.0%} of it ran in {_count(depth.tests or 0, 'test')}"
    if depth.not_run:
        yield f"not {', '.join(depth.not_run)}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
