"""How many stacks the engine's machine has room for.

A test on a stack waits most of the time: for a time-out, a container, a reply. So there are more
lanes than cores.
"""

from __future__ import annotations

from pathlib import Path

from nomock.errors import ConfigError, NomockError
from nomock.lanes.kinds import KINDS
from nomock.lanes.replica import OTHERWISE
from nomock.project import Store
from nomock.stack import Stack

LANES_A_CORE = 2
# Of the memory that is free, what the lanes may take: tests and builds need some, too.
_SHARE = 0.8
# Until a run has measured what a stack takes.
_GUESS_A_CONTAINER_BYTES = 128 * 1024**2
_GIB = 1024**3


class Room:
    """What the machine has, and what one more stack of a project takes."""

    def __init__(self, main: Stack) -> None:
        """Ask the engine; raises EngineError."""
        machine = main.engine.machine()
        self._main = main
        self.cores = machine.cpus
        self.free_bytes = free_bytes(machine.memory_bytes)
        self.each_bytes = _each_bytes(main)
        self.most = max(1, int(self.free_bytes * _SHARE // self.each_bytes))
        """How many more stacks there is memory for, the first one among them."""

    @property
    def usual(self) -> int:
        """How many lanes there are where nobody says it."""
        return min(LANES_A_CORE * self.cores, self.most)

    def check(
        self, wanted: int, kind: str, *, flag: str = "pytest -n", otherwise: str = OTHERWISE
    ) -> None:
        """Raise ConfigError for more lanes than there is memory for; those that run have theirs.

        ``flag``: how a number is asked for; ``otherwise``: what needs no lanes.
        """
        name, suffix = self._main.name, KINDS[kind].suffix
        names = (name, *(f"{name}-{suffix}{number}" for number in range(2, wanted + 1)))
        running = sum(bool(self._main.engine.containers(one)) for one in names)
        fits = running + self.most
        if wanted > fits:
            raise ConfigError(
                f"{wanted} lanes do not fit into the memory",
                where=f"stack {name}",
                seen=str(self),
                todo=f"{fits} fit: {flag} {fits}; or {otherwise}",
            )

    def __str__(self) -> str:
        free, each = self.free_bytes / _GIB, self.each_bytes / _GIB
        return f"{self.cores} cores, {free:.1f} GiB free, {each:.2f} GiB for each stack"


def measure(main: Stack) -> None:
    """Remember what the containers of a stack take, after tests have run on it."""
    try:
        running = [c for c in main.containers() if c.state == "running"]
        taken = sum(main.engine.pressure(c.id).memory_bytes for c in running)
    except NomockError:
        return
    if taken:
        _store(main).write({"bytes": taken})


def _each_bytes(main: Stack) -> int:
    guess = _GUESS_A_CONTAINER_BYTES * max(1, len(main.project.wanted))
    known = _store(main).read().get("bytes")
    return known if isinstance(known, int) and known > 0 else guess


def _store(main: Stack) -> Store:
    return Store(main.settings.state_dir, f"memory-{main.name}")


def free_bytes(total_bytes: int) -> int:
    """Return what is free on the engine's machine; all it has, where that is another one."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        parts = (line.partition(":") for line in lines)
        found = {name: int(rest.split()[0]) * 1024 for name, _, rest in parts}
    except (OSError, ValueError, IndexError):
        return total_bytes
    is_here = found.get("MemTotal") == total_bytes
    return found.get("MemAvailable", total_bytes) if is_here else total_bytes
