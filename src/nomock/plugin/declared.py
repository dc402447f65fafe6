"""The options of the plugin, as ``pytest --help`` shows them."""

from __future__ import annotations

import argparse

import pytest

from nomock.plugin import options


def add_all(parser: pytest.Parser) -> None:
    """Add all options, each by its long name."""
    group = parser.getgroup(
        options.GROUP,
        "nomock: tests on the real docker-compose stack (--nomock-NAME is --NAME, too, where "
        "nothing else has that option)",
    )
    group.addoption(
        "--nomock-stack",
        metavar="MODE",
        help="attach (default): use the stack that is there; fresh: start from empty volumes; "
        "own: take it down at the end",
    )
    group.addoption(
        "--nomock-stack-file",
        action="append",
        metavar="FILE",
        help="a compose file; may be given several times",
    )
    group.addoption("--nomock-stack-project", metavar="NAME", help="the compose project's name")
    group.addoption(
        "--nomock-stack-timeout",
        metavar="SECONDS",
        help="how long the stack may take to become ready",
    )
    group.addoption(
        "--nomock-target",
        metavar="KIND",
        help="where the services run: compose (default), or sandbox: the promoted stack",
    )
    group.addoption("--nomock-sandbox", metavar="ID", help="the id of the sandbox")
    group.addoption(
        "--nomock-context",
        metavar="CONTEXT",
        help="the context of the kubeconfig that the sandbox is in; default: this machine's node",
    )
    group.addoption(
        "--nomock-lanes",
        metavar="KIND",
        help="what a worker of pytest-xdist has of the stack: shared (default): one stack for all; "
        "stack: one of its own; database: one of its own in the same PostgreSQL",
    )
    group.addoption(
        "--nomock-reset",
        metavar="WHEN",
        help="never (default); test: each test finds the stack's PostgreSQL as the run found it",
    )
    group.addoption(
        "--nomock-serial",
        choices=("only", "without"),
        help="run only the tests marked serial, or all others",
    )
    group.addoption(
        "--nomock-shuffle",
        type=int,
        metavar="SEED",
        help="run the tests in an order by chance, the same again for the same number",
    )
    group.addoption(
        "--nomock-faults-on-shared",
        action="store_true",
        help="break the stack also while another run uses it",
    )
    group.addoption(
        "--nomock-sidecar-coverage",
        action="store_true",
        help="run the services with the coverage spy, and report which of their lines ran",
    )
    group.addoption(
        "--nomock-allow-unmapped",
        action="store_true",
        help="with the coverage spy: leave out files that are not those here, and name them",
    )
    group.addoption(
        "--nomock-traces",
        action="store_true",
        help="run the services with OpenTelemetry and a backend, so that tests assert on traces",
    )
    group.addoption(
        "--nomock-evidence",
        metavar="WHICH",
        help="which tests leave evidence under .nomock/evidence: failing (default), all, off",
    )
    group.addoption(
        "--nomock-evidence-database",
        action="store_true",
        default=None,  # else it would say no where another source of the setting says yes
        help="evidence has the statements of the stack's PostgreSQL, and who waited for whose lock",
    )
    group.addoption(
        "--nomock-leaks",
        action="store_true",
        help="name what each test leaves: rows, keys, entries of queues, open connections",
    )
    group.addoption(
        "--nomock-live",
        action="store_true",
        help="serve the page of the evidence on loopback while the tests run",
    )
    group.addoption(
        "--nomock-events",
        metavar="FILE",
        help="write what happens as JSON lines: tests begin and end, services log",
    )
    group.addoption(
        "--nomock-affected",
        action="store_true",
        help="run only the tests that what changed since the last covered run needs, and say why",
    )
    group.addoption(
        "--nomock-affected-since",
        metavar="REV",
        help="the same for what changed since a git revision; short: --since",
    )
    # What `nomock test-mutation` starts its workers with; of no use by hand.
    group.addoption("--nomock-mutation-job", metavar="FILE", help=argparse.SUPPRESS)
