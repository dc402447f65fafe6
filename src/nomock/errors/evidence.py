"""What goes wrong with evidence and with traces."""

from __future__ import annotations

from collections.abc import Mapping

from nomock.errors.base import NomockError


class EvidenceError(NomockError):
    """The evidence of a run is not there, or of another version, or cannot be read."""


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
