"""What a reader of the table has to know to read it right, and what of it is an error."""

from __future__ import annotations

from collections.abc import Iterator

from nomock.coverage.harvest.counting import Counted
from nomock.coverage.harvest.gather import Gathered, ServiceRan
from nomock.coverage.harvest.omitted import Omitted, as_lines, listed, unread
from nomock.errors import CoverageError, StoppedSpyError, UnmappedSourceError


def failures(
    gathered: Gathered, counted: Counted, *, allow_unmapped: bool
) -> Iterator[CoverageError]:
    """Yield what of the app is missing: services, and the files of those that reported some."""
    if gathered.failure is not None:
        yield gathered.failure
    stopped = {
        # A process that has closed its file has another one.
        name: list(dict.fromkeys(f"{p.title}: {p.gave_up}" for p in service.processes if p.gave_up))
        for name, service in gathered.services.items()
    }
    if any(stopped.values()):
        yield StoppedSpyError({name: why for name, why in stopped.items() if why})
    missing = {
        name: {file.path: file for file in _omitted(service, counted) if file.cure}
        for name, service in gathered.services.items()
    }
    if any(missing.values()) and not allow_unmapped:
        yield UnmappedSourceError(
            {
                name: {path: file.reason for path, file in files.items()}
                for name, files in missing.items()
                if files
            },
            [file.cure for files in missing.values() for file in files.values()],
        )


def notes(gathered: Gathered, counted: Counted) -> Iterator[str]:
    """Yield a line for each thing that the table does not show."""
    for name, how in gathered.fileless.items():
        yield f"{name}: it runs {how}, and no file of the app"
    for reason, names in sorted(gathered.without_branches.items()):
        yield f"branches are off: {reason} ({', '.join(sorted(names))})"
    for name, service in gathered.services.items():
        if not service.tests and not service.source.one_shot:
            yield f"{name}: no line of it is credited to a test; {_why_no_test(service)}"
    for name, service in gathered.services.items():
        # Those that were there before the tests have proved themselves.
        failed = [p.canary_failure() for p in service.processes]
        for reason in sorted({failure for failure in failed if failure}):
            yield (
                f"{name}: what {failed.count(reason)} of its {len(failed)} processes ran may "
                f"be missing: {reason}; it was killed as it started, or its spy failed "
                f"(nomock logs {name})"
            )
    for name, service in gathered.services.items():
        for process in service.processes:
            for what in process.lost:
                yield f"{name}: what {process.title} ran may be missing: {what}"
    for name, service in gathered.services.items():
        yield from as_lines(name, _omitted(service, counted))
        if service.unrun.tests:
            yield f"{name}: tests, and no part of the app: {listed(service.unrun.tests)}"
        for path, others in sorted(service.twins.items()):
            yield f"{name}: which of these ran, nothing tells: {path}, counted, or {listed(others)}"
    for number, one, more in (
        (gathered.found.damaged, "damaged record", "damaged records"),
        (gathered.found.others, "record file of another run", "record files of other runs"),
    ):
        if number:
            yield f"left out: {number} {one if number == 1 else more}"


def _why_no_test(service: ServiceRan) -> str:
    servers = {server for process in service.processes for server in process.servers}
    if servers:
        return f"its server, {', '.join(sorted(servers))}, got no request of one that ran a line"
    return "the spy knows no server in it (nomock docs coverage-spy: which ones it knows)"


def _omitted(service: ServiceRan, counted: Counted) -> Iterator[Omitted]:
    """Yield all that is left out of a service: what is not here, and what cannot be read."""
    yield from service.omitted
    ran = service.files()
    for path in ran | service.unrun.own | service.unrun.shared:
        if path in counted.unread:
            yield unread(path, counted.unread[path], service.processes, ran=path in ran)
