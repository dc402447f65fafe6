"""What a reader of the table has to know to read it right."""

from __future__ import annotations

from collections.abc import Iterator

from nomock.harvest.gather import Gathered


def notes(gathered: Gathered) -> Iterator[str]:
    """Yield a line for each thing that the table does not show."""
    for reason, names in sorted(gathered.without_branches.items()):
        yield f"branches are off: {reason} ({', '.join(sorted(names))})"
    tests = gathered.tests
    for name, service in gathered.services.items():
        if tests and not service.tests and not service.source.one_shot:
            servers = {server for process in service.processes for server in process.servers}
            yield (
                f"{name}: no line of it is credited to a test; "
                + (
                    f"its server, {', '.join(sorted(servers))}, got no request of one"
                    if servers
                    else "the spy knows no server in it (docs/coverage-spy.md: which ones it knows)"
                )
            )
    for name, service in gathered.services.items():
        # Those that were there before the tests have proved themselves.
        failures = [p.canary_failure() for p in service.processes]
        for reason in sorted({failure for failure in failures if failure}):
            yield (
                f"{name}: what {failures.count(reason)} of its {len(failures)} processes ran may "
                f"be missing: {reason}; it was killed as it started, or its spy failed "
                f"(nomock logs {name})"
            )
    for name, service in gathered.services.items():
        for path, reason in sorted(service.unmapped.items()):
            yield f"{name}: left out: {path}: {reason}"
    for number, what in (
        (gathered.found.damaged, "damaged record"),
        (gathered.found.others, "record file of another run"),
    ):
        if number:
            yield f"left out: {number} {what}{'s' if number > 1 else ''}"
