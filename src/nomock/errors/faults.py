"""What goes wrong with faults, and with what tests check under them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nomock.errors.base import NomockError


class FaultError(NomockError):
    """A fault cannot be put on, or did not do what it is for."""


class ConflictingFaultsError(FaultError):
    """Two faults contradict each other."""

    def __init__(self, wanted: str, on: str) -> None:
        super().__init__(
            "two faults that contradict each other",
            where=f"fault {wanted}",
            seen=f"on already: {on}",
            todo="end the one before the other begins, or break another edge or service",
        )


class SharedStackError(FaultError):
    """Others use the stack that a fault would break."""

    def __init__(self, fault: str, *, stack: str, holders: str) -> None:
        super().__init__(
            "another run uses this stack, and would meet the fault",
            where=f"fault {fault} on stack {stack}",
            seen=holders,
            todo="let that run end, or break it all the same: --faults-on-shared",
        )


class ToxiproxyError(FaultError):
    """Toxiproxy does not answer, or does not do what was asked."""


class HttpFaultsError(FaultError):
    """The proxy of the HTTP faults does not answer, or does not do what was asked."""


class WatchdogError(FaultError):
    """The watchdog beside a service's container cannot begin, guard or undo a fault."""


class NotPossibleError(FaultError):
    """This kind of fault is not possible here; the plugin skips the test with this reason."""


class NoTrafficError(FaultError):
    """Faults had no effect: a test that passed beside them shows nothing."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        one, *more = self.faults
        super().__init__(
            f"the fault {one} met no traffic",
            where="faults of this test",
            seen="\n".join(f"nor did {name}" for name in more),
            todo="send what must meet it while it is on, or say expect_traffic=False",
        )


class EffectUnknownError(FaultError):
    """The effect of faults is unknown, and so is what a green test shows."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        """``faults``: name -> why it is unknown."""
        self.faults = sorted(faults)
        super().__init__(
            f"the effect is unknown: {', '.join(self.faults)}",
            where="faults of this test",
            seen="\n".join(f"{name}: {faults[name]}" for name in self.faults),
            todo="mend that, or say expect_traffic=False where it does not matter",
        )


class NotHealedError(FaultError):
    """Faults could not be undone; the next run tries again."""

    def __init__(
        self,
        faults: Mapping[str, str],
        *,
        where: str = "faults of this test",
        todo: str = "nomock heal",
    ) -> None:
        """``faults``: name -> why it is unknown."""
        self.faults = sorted(faults)
        super().__init__(
            f"not healed: {', '.join(self.faults)}",
            where=where,
            seen="\n".join(f"{name}: {faults[name]}" for name in self.faults),
            todo=todo,
        )


class NotSteadyError(FaultError):
    """A probe did not answer well before a fault, in time during it, or again after it."""


class UntrueAnswersError(FaultError):
    """What services answered to writes is not what they did."""

    def __init__(self, writes: str, wrong: Mapping[str, str]) -> None:
        """``writes``: how many there were; ``wrong``: key -> what became of it."""
        self.wrong = dict(wrong)
        shown = [f"{key}: {wrong[key]}" for key in self.wrong][:20]
        if len(wrong) > len(shown):
            shown.append(f"and {len(wrong) - len(shown)} more")
        super().__init__(
            f"what was answered to {len(wrong)} of them is not true"
            if wrong
            else "too few were acknowledged to show anything",
            where="acknowledged writes",
            seen="\n".join([writes, *shown]),
            todo="a service may answer before it has stored, or store again what is sent again"
            if wrong
            else "write more, or break less; where all may be refused: at_least=0",
        )
