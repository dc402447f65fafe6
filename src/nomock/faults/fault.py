"""The interface of a fault: one class a kind, one file a kind.

A fault is a frozen dataclass whose arguments are JSON values, because another process may have to
heal it: before it begins, its arguments and what healing needs are written to the journal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, TypedDict

from nomock.errors import ConfigError, FaultError
from nomock.faults.stack_control import StackControl
from nomock.project import Project

State = Any
"""What healing needs to know of a fault: a TypedDict of each kind, in JSON values alone."""

Direction = Literal["to", "from", "both"]
"""What a fault meets, seen from the server: what is sent to it, what comes from it, or both."""


class NoState(TypedDict):
    """The state of a kind of fault that heals without knowing anything."""


ANEW = "nomock down, then nomock up: containers and networks are made anew, volumes stay"
"""How what is not known is undone."""

EXPIRES_S = 300.0
MOST_MS = 600_000
"""Ten minutes: longer than a test, and than any time-out that one can look at."""
_DAY_S = 86400


@dataclass(frozen=True, kw_only=True)
class Fault(ABC):
    """What a test does to an edge or a service, and how it is undone."""

    kind: ClassVar[str]
    """The name of the kind, and of the method of ``faults`` that makes one."""

    expect_traffic: bool = True
    """Whether a test is an error when this fault had no effect."""
    expires_s: float = EXPIRES_S
    """When it heals by itself, in seconds, where its mechanism can do that."""

    @property
    @abstractmethod
    def where(self) -> str:
        """What it is done to: ``instances->postgres``, or a service."""

    @property
    def name(self) -> str:
        """How it is called in messages and coverage contexts: ``latency instances->postgres``."""
        return f"{self.kind} {self.where}"

    @property
    def arguments(self) -> dict[str, Any]:
        """What makes the same fault again: ``type(fault)(**fault.arguments)``."""
        return asdict(self)

    def validate(self, control: StackControl) -> None:
        """Raise ConfigError, or one of its kinds, for what cannot be done; change nothing."""
        if not 1 <= self.expires_s <= _DAY_S:
            rule = f"it is a number of seconds from 1 to {_DAY_S}"
            raise wrong(self, "expires_s", self.expires_s, rule)
        self.validate_kind(control)

    def validate_kind(self, control: StackControl) -> None:  # noqa: B027 - not every kind can be asked wrongly
        """Raise ConfigError, or one of its kinds, for arguments that this kind cannot have."""

    def exclusive_parts(self, control: StackControl) -> frozenset[str]:
        """Return the edges and services that no other test may use while the fault is active."""
        return frozenset({self.where})

    def conflicts_with(self, other: Fault) -> bool:
        """Tell whether this fault and another one cannot be active at the same time."""
        return (self.kind, self.where) == (other.kind, other.where)

    def prepare(self, control: StackControl) -> State:
        """Get what it needs, such as the watchdog, and return what ``heal`` will need to know.

        Raises where that is not to be had; changes nothing that would have to be healed.
        """
        return NoState()

    @abstractmethod
    def begin(self, control: StackControl, state: State) -> Any:
        """Break what the fault breaks, and return what ``observe_effect`` needs to know of that.

        Healing cannot depend on it: it is in no journal, and the process may end any time.
        """

    @abstractmethod
    def observe_effect(self, control: StackControl, state: State, begun: Any) -> str:
        """Return what shows the effect, "" where there was none; asked right before healing."""

    @abstractmethod
    def heal(self, control: StackControl, state: State) -> None:
        """Undo the fault: also one half begun, a second time, or begun by another process."""

    def by_hand(self, project: Project) -> str:
        """Say what may be broken still where it was never healed, and how to undo it by hand."""
        return f"{self.where} may be broken still: {ANEW}"


def wrong(fault: Fault, argument: str, value: object, rule: str) -> ConfigError:
    """Return the error of an argument that cannot be."""
    return ConfigError(f"{argument} cannot be {value!r}", where=f"fault {fault.name}", seen=rule)


def expired(fault: Fault, failed: str) -> FaultError:
    """Return the error of one whose time was over too early; ``failed``: what was not undone."""
    return FaultError(
        f"it expired after {fault.expires_s:g} s, before its block ended",
        where=f"fault {fault.name}",
        seen=failed or "its watchdog healed it then",
        todo="end the block sooner, or let the fault last longer: expires_s",
    )


def whole_number(fault: Fault, argument: str, *, least: int, most: int) -> None:
    """Raise ConfigError for an argument that is no whole number from least to most."""
    value = getattr(fault, argument)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise wrong(fault, argument, value, f"it is a whole number from {least} to {most}")
