"""Why it cannot be told what the services ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nomock.errors.base import NomockError


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

    def __init__(self, reasons: Mapping[str, str], *, is_named: bool = True) -> None:
        """``is_named``: whether somebody named these services, or they are all that there are."""
        self.services = sorted(reasons)
        leave_out = "leave the service out: nomock overlay SERVICE…"
        super().__init__(
            "cannot be covered",
            where=f"coverage of {', '.join(self.services)}",
            seen="\n".join(f"{name}: {reasons[name]}" for name in self.services),
            todo=f"change what the reason names, or {leave_out}"
            if is_named
            else "coverage is of Python in services, and there is none in these: run the tests "
            "without --nomock-sidecar-coverage; or name one that has: nomock overlay SERVICE",
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
