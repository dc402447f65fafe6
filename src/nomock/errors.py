"""Every error of nomock: what happened, where, what was last seen, and what to do.

NomockError
├── ConfigError             a setting or a compose file is wrong
│   ├── UnknownServiceError     a service was named that the stack does not have
│   ├── UnknownEdgeError        an edge was named that does not run through Toxiproxy
│   ├── UnpublishedError        a port was asked for that is not published
│   ├── StateFolderError        nomock's own folder cannot be written: the disk may be full
│   └── ForeignStackError       the project name belongs to another compose file
├── EngineError             the container engine does not do what was asked
│   ├── EngineMissingError      no engine answers
│   │   └── EngineGoneError         the one that a run began with does not answer any more
│   ├── EngineForbiddenError    the engine's socket may not be opened
│   ├── EngineBusyError         it went on refusing what it does at another moment
│   └── ComposeError            a compose command failed
│       └── BuildError              an image does not build
├── NotReadyError           the stack did not become ready
│   ├── LaneError               the stack that is one worker's own is not ready
│   ├── ServiceDiedError        a service ended or is unhealthy: no use waiting
│   └── UnreachableError        a port is published where this machine does not reach it
├── LockedError             another run owns the stack and did not let go in time
├── EvidenceError           the evidence of a run is not there, or cannot be read
├── CoverageError           what the services ran cannot be told
│   ├── CanaryError             a service's spy does not report what runs
│   ├── NotCoverableError       a service runs no Python that the spy can record
│   ├── NoCoverageError         a service reported no line
│   ├── StoppedSpyError         a spy could not write what its service ran
│   └── UnmappedSourceError     lines of the app that ran are not in the report
├── TraceError              what the services did for a test cannot be read, or is not as expected
│   ├── NotTraceableError       a service runs no Python that OpenTelemetry can be mounted into
│   ├── TraceBackendError       the backend of traces does not answer, or is not in the stack
│   └── TraceAssertionError     a test's trace is not what it expects
└── FaultError              a fault cannot be put on, or did not do what it is for
    ├── ConflictingFaultsError     two faults contradict each other
    ├── SharedStackError        others use the stack that a fault would break
    ├── ToxiproxyError          Toxiproxy does not answer, or does not do what was asked
    ├── HttpFaultsError         the proxy of the HTTP faults does not, either
    ├── WatchdogError             what does a fault beside a service does not start, or ended
    ├── NotPossibleError        this kind of fault is not possible here: the test is skipped
    ├── NoTrafficError          a fault had no effect, so that the test shows nothing
    ├── EffectUnknownError      it cannot be told whether a fault had an effect
    ├── NotHealedError          a fault could not be undone
    ├── NotSteadyError          a probe did not answer well, in time, or again
    └── UntrueAnswersError      what services answered to writes is not what they did
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "name one of them") -> str:
    """Return what to do about a name that there is not: the one that is nearest to it, if any is.

    >>> did_you_mean("postgers", ["postgres", "redis"])
    "did you mean 'postgres'?"
    """
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise


class NomockError(Exception):
    """The base of all errors: four parts as attributes, one text made of them.

    ``what`` and ``where`` are never empty. ``seen`` is what was last observed, several lines at
    the most; ``todo`` is the next command or change.
    """

    def __init__(self, what: str, *, where: str, seen: str = "", todo: str = "") -> None:
        super().__init__(what, where, seen, todo)
        self.what = what
        self.where = where
        self.seen = seen
        self.todo = todo

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}"]
        if self.seen:
            lines += [f"  {line}" for line in self.seen.rstrip().splitlines()]
        if self.todo:
            lines.append(f"-> {self.todo}")
        return "\n".join(lines)


class ConfigError(NomockError):
    """A setting or a compose file is wrong."""


class UnknownServiceError(ConfigError, KeyError):
    """A service was named that the stack does not have."""

    def __init__(self, name: str, known: Iterable[str], *, where: str) -> None:
        self.name = name
        self.known = sorted(known)
        super().__init__(
            f"there is no service {name!r}",
            where=where,
            seen=f"the services are: {', '.join(self.known)}",
            todo=did_you_mean(name, self.known),
        )

    # KeyError's own __str__ shows the repr of its first argument.
    __str__ = NomockError.__str__


class UnknownEdgeError(ConfigError, KeyError):
    """An edge was named that does not run through Toxiproxy."""

    def __init__(
        self, name: str, known: Iterable[str], services: Iterable[str], *, where: str
    ) -> None:
        """``known``: the edges that do; ``services``: those that an edge may be between."""
        self.name = name
        self.known = sorted(known)
        ends = [end.strip() for end in name.split("->")]
        if len(ends) == 2 and set(ends) <= set(services):
            what = f"the edge {name!r} does not run through Toxiproxy"
            todo = "route this connection through Toxiproxy: nomock docs faults"
        else:
            what = f"there is no edge {name!r}"
            todo = did_you_mean(name, self.known)
        super().__init__(
            what,
            where=where,
            seen=f"the edges are: {', '.join(self.known) or 'none'}",
            todo=todo,
        )

    __str__ = NomockError.__str__


class UnpublishedError(ConfigError):
    """A port was asked for that the compose file does not publish."""

    def __init__(self, service: str, port: str, published: Iterable[str], line: str) -> None:
        """``port``: which, in words; ``line``: what would publish it."""
        super().__init__(
            f"the compose file does not publish {port}",
            where=f"service {service}",
            seen=f"published: {', '.join(published) or 'none'}",
            todo=f"publish it: add to {service} in the compose file  ports: [{line}]",
        )


class ForeignStackError(ConfigError):
    """The project name is taken by a stack of another compose file: refused, not adopted."""

    def __init__(self, project: str, *, theirs: str, ours: str) -> None:
        """``theirs`` and ``ours``: compose files, joined by commas."""
        self.project = project
        if _folders(theirs) == _folders(ours):
            name = (
                "both are of one folder, from which they have the name: a line `name: …` at the "
                "top of each mends it, where no COMPOSE_PROJECT_NAME goes before it"
            )
        else:
            name = (
                "give this one a name of its own: COMPOSE_PROJECT_NAME, or project in [tool.nomock]"
            )
        super().__init__(
            "this project name belongs to a stack of another compose file",
            where=f"stack {project}",
            seen=f"running from {theirs}\nasked for    {ours}",
            todo=f"{name}; or end the other: docker compose -p {project} down",
        )


def _folders(files: str) -> set[str]:
    # A comma may be in a name, too; what follows one between two files is the start of a path.
    return {file.strip().rpartition("/")[0] for file in re.split(r",\s?(?=/)", files)}


class StateFolderError(ConfigError):
    """The folder of nomock's own state cannot be written, or its files not be locked."""

    def __init__(self, folder: object, error: OSError) -> None:
        """``folder``: where it was tried; ``error``: what the system says to it."""
        super().__init__(
            "nomock's own folder cannot be written",
            where=str(folder),
            seen=str(error),
            todo="free space there, or let this user write there",
        )


class EngineError(NomockError):
    """The container engine does not do what was asked."""


class EngineMissingError(EngineError):
    """No engine answers."""


class EngineGoneError(EngineMissingError):
    """The engine that a run began with does not answer any more: no test left could pass."""


class EngineForbiddenError(EngineError):
    """The engine's socket may not be opened by this user."""


class EngineBusyError(EngineError):
    """The engine went on refusing what it does at another moment, until the deadline."""


class ComposeError(EngineError):
    """A compose command failed; ``seen`` has its last lines."""


class BuildError(ComposeError):
    """An image does not build; ``seen`` has the build's last lines."""


class NotReadyError(NomockError):
    """The stack did not become ready before the deadline."""


class LaneError(NotReadyError):
    """The stack that one worker of a run has for itself is not ready."""

    def __init__(self, stack: str, worker: int, why: NomockError) -> None:
        """``why`` is what kept it from that."""
        self.stack = stack
        # Of what stands in the files the cure is that; what did not start has logged why.
        is_of_files = isinstance(why, ConfigError)
        cure = why.todo if is_of_files else f"see all of it: docker compose -p {stack} logs"
        super().__init__(
            "it is not ready, and without it no test of this worker can run",
            where=f"stack {stack}, the lane of worker {worker}",
            seen=f"{why.where}: {why.what}\n{why.seen}",
            todo=f"{cure}; or share one stack: --nomock-lanes shared",
        )


class ServiceDiedError(NotReadyError):
    """A service ended or is unhealthy, so that waiting has no use."""

    def __init__(
        self, service: str, what: str, *, log: str, hints: Sequence[str] = (), todo: str = ""
    ) -> None:
        """``hints``: what else may tell why; ``todo``: more than to read its log."""
        self.service = service
        self.log = log
        logs = f"see all of it: nomock logs {service}"
        super().__init__(
            what,
            where=f"service {service}",
            seen="\n".join([*hints, log or "(it logged nothing)"]),
            todo=f"{logs}; {todo}" if todo else logs,
        )


class UnreachableError(NotReadyError):
    """A port is published where this machine does not reach it."""

    def __init__(
        self,
        service: str,
        port: str,
        *,
        bindings: Iterable[str],
        refused: Mapping[str, str],
        todo: str,
    ) -> None:
        """``bindings``: where it is; ``refused``: address -> why it was not reached there."""
        self.refused = dict(refused)
        super().__init__(
            f"port {port} cannot be reached from here",
            where=f"service {service}",
            seen="\n".join(
                [
                    f"the engine has it on {', '.join(bindings)}",
                    *(f"{address}: {refused[address]}" for address in refused),
                ]
            ),
            todo=todo,
        )


class LockedError(NomockError):
    """Another run owns the stack and did not let go in time."""


class EvidenceError(NomockError):
    """The evidence of a run is not there, or of another version, or cannot be read."""


class CoverageError(NomockError):
    """What the services ran cannot be told."""


class CanaryError(CoverageError):
    """Services whose spy does not report what runs: found out before the first test."""

    def __init__(self, services: Mapping[str, tuple[str, str]]) -> None:
        """``services``: name -> what was seen, and what to do."""
        self.services = sorted(services)
        super().__init__(
            "the spy does not report what runs",
            where=f"coverage of {', '.join(self.services)}",
            seen="\n".join(
                f"{name}: {services[name][0]}\n  -> {services[name][1]}" for name in self.services
            ),
            todo="all causes that there are: nomock docs coverage",
        )


class NotCoverableError(CoverageError):
    """Services run nothing that the spy can record, each for its reason."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.services = sorted(reasons)
        super().__init__(
            "cannot be covered",
            where=f"coverage of {', '.join(self.services)}",
            seen="\n".join(f"{name}: {reasons[name]}" for name in self.services),
            todo="change what the reason names, or leave the service out: nomock overlay SERVICE…",
        )


class NoCoverageError(CoverageError):
    """Services that were to be covered reported no line: never shown as 0 %."""

    def __init__(self, services: Mapping[str, str], *, others: Iterable[str] = ()) -> None:
        """``services``: name -> the reason; ``others`` are those that did report."""
        self.services = sorted(services)
        overlay = " ".join(["nomock overlay", *sorted(others)]) if others else "its file"
        super().__init__(
            "reported no line",
            where=f"coverage of {', '.join(self.services)}",
            seen="\n".join(f"{name}: {services[name]}" for name in self.services),
            todo="where it runs nothing of yours, leave it out of the overlay: "
            f"{overlay}; where its app is an installed package, or its image is built elsewhere, "
            "name the folders of its source: coverage_sources in [tool.nomock]; "
            f"nomock logs {self.services[0]} shows what the spy said; all causes that there are: "
            "nomock docs coverage",
        )


class StoppedSpyError(CoverageError):
    """Spies could not write what their services ran, for a while or for good."""

    def __init__(self, processes: Mapping[str, Sequence[str]]) -> None:
        """``processes``: the service's name -> which of its processes, and why."""
        self.services = sorted(processes)
        super().__init__(
            "the spy could not write all that ran",
            where=f"coverage of {', '.join(self.services)}",
            seen="\n".join(f"{name}: {why}" for name in self.services for why in processes[name]),
            todo="make room on the disk that .nomock is on (df -h .nomock), let the services' "
            "users write there, and run again",
        )


class UnmappedSourceError(CoverageError):
    """Lines of the app ran and are not in the report: their source is not the text that ran."""

    def __init__(self, services: Mapping[str, Mapping[str, str]], cures: Iterable[str]) -> None:
        """``services``: name -> file -> why it is left out; ``cures``: what mends it."""
        self.services = sorted(services)
        super().__init__(
            "lines of the app ran and are not in the report",
            where=f"coverage of {', '.join(self.services)}",
            seen="\n".join(
                f"{name}: {path}: {reason}"
                for name in self.services
                for path, reason in sorted(services[name].items())
            ),
            todo="; ".join([*dict.fromkeys(cures), "to go on without them: --allow-unmapped"]),
        )


class TraceError(NomockError):
    """What the services did for a test cannot be read, or is not as expected."""


class NotTraceableError(TraceError):
    """Services run nothing that OpenTelemetry can be mounted into, each for its reason."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.services = sorted(reasons)
        super().__init__(
            "cannot be traced without a change of their own",
            where=f"traces of {', '.join(self.services)}",
            seen="\n".join(f"{name}: {reasons[name]}" for name in self.services),
            todo="change what the reason names, leave the service out (nomock overlay --traces "
            "SERVICE…), or give it OpenTelemetry itself",
        )


class TraceBackendError(TraceError):
    """The backend of traces does not answer, or is not in the stack."""


class TraceAssertionError(TraceError, AssertionError):
    """A test's trace is not what the test expects; ``seen`` shows it as a tree."""

    def __init__(self, trace_id: str, what: str, *, tree: str, todo: str = "") -> None:
        self.trace_id = trace_id
        super().__init__(what, where="trace", seen=tree, todo=todo)


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
