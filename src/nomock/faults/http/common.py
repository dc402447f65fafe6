"""What all faults on HTTP requests have in common: a rule of the HTTP fault proxy."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, TypedDict

from nomock import baggage
from nomock.adapters.httpfaults import WrongRule
from nomock.errors import ConfigError, HttpFaultsError
from nomock.faults.fault import Fault
from nomock.faults.stack_control import StackControl
from nomock.project import Project


class RuleState(TypedDict):
    """How the rule of a fault is found again."""

    rule: str
    """Its name, which no other has."""


@dataclass(frozen=True)
class HttpFault(Fault):
    """A fault on the requests of one edge that this test causes, or with ``everyone`` on all.

    The same test of another run, or of another worker, is another test.

    ``method`` and ``path`` narrow them down; a path that ends in ``*`` is one that begins so.
    ``nth`` is the only one of them that is met, counted from 1 since the fault began.
    """

    edge: str
    method: str | None = field(default=None, kw_only=True)
    path: str | None = field(default=None, kw_only=True)
    nth: int | None = field(default=None, kw_only=True)
    everyone: bool = field(default=False, kw_only=True)

    @property
    def where(self) -> str:
        """The edge."""
        return self.edge

    @abstractmethod
    def action(self) -> Mapping[str, Any]:
        """Return what is done, as the proxy's rules have it."""

    def validate_kind(self, control: StackControl) -> None:
        """Raise UnknownEdgeError, or ConfigError for an argument that cannot be."""
        try:
            control.httpfaults.check(self._rule())
        except WrongRule as wrong:
            control.edge(self.edge)  # says more of an edge that there is not
            raise ConfigError(str(wrong), where=f"fault {self.name}") from wrong

    def exclusive_parts(self, control: StackControl) -> frozenset[str]:
        """Return nothing: no other test meets it; or the edge, if it is for everyone."""
        return frozenset({self.edge}) if self.everyone else frozenset()

    def conflicts_with(self, other: Fault) -> bool:
        """Contradict the same kind on the same requests; another nth is another request."""
        return (
            isinstance(other, HttpFault)
            and (other.kind, other._requests()) == (self.kind, self._requests())
            and (self.nth is None or other.nth is None or self.nth == other.nth)
        )

    def prepare(self, control: StackControl) -> RuleState:
        """Return the name of the rule."""
        return {"rule": f"nomock-{token_hex(8)}"}

    def begin(self, control: StackControl, state: RuleState) -> None:
        """Add the rule."""
        control.httpfaults.put(state["rule"], self._rule())

    def observe_effect(self, control: StackControl, state: RuleState, begun: object) -> str:
        """Return how many requests were met, of how many that were meant."""
        rule = control.httpfaults.rules().get(state["rule"])
        if rule is None:
            raise HttpFaultsError(
                "the rule is gone",
                where=f"fault {self.name}",
                seen=f"it expires after {self.expires_s:g} s, and it ends with the proxy",
                todo="say a longer expires_s, or see why the proxy ended: nomock logs httpfaults",
            )
        return f"{rule['hits']} of {rule['matched']} requests met it" if rule["hits"] else ""

    def heal(self, control: StackControl, state: RuleState) -> None:
        """Remove the rule; one of a proxy that has ended, or left the stack, went with it."""
        try:
            service = control.http_proxy_service
        except ConfigError:
            return  # refused, no run could begin: its journal would be there again each time
        if control.runs(service):
            control.httpfaults.remove(state["rule"])

    def by_hand(self, project: Project) -> str:
        """Say that nothing is to be done: the proxy forgets the rule by itself."""
        return f"nothing: its rule ended {self.expires_s:g} s after it began, or with its proxy"

    def _requests(self) -> tuple[object, ...]:
        return self.edge, self.method, self.path, self.everyone

    def _rule(self) -> dict[str, Any]:
        return {
            "edge": self.edge,
            "test": None if self.everyone else self._test(),
            "run": None if self.everyone else baggage.RUN,
            "method": self.method,
            "path": self.path,
            "nth": self.nth,
            "expires_s": self.expires_s,
            **self.action(),
        }

    def _test(self) -> str:
        test = baggage.current_test()
        if test is None:
            raise ConfigError(
                "no test runs whose requests could be meant",
                where=f"fault {self.name}",
                todo="put it on in a test, or on everyone's requests: everyone=True",
            )
        return baggage.short(test)
