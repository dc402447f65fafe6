"""The command line: which commands there are, and the arguments of each."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from nomock.cli.cleanup_line import of_cleanup
from nomock.cli.commands import (
    cleanup,
    contracts,
    coverage_live,
    diagnose,
    edges,
    evidence,
    heal,
    httpfaults,
    images,
    parity,
    promote,
    replay,
)
from nomock.cli.completion import completion
from nomock.cli.docs import docs, explain, schema
from nomock.cli.doctor import doctor
from nomock.cli.init import init, uninstall
from nomock.cli.mcp import mcp
from nomock.cli.mutation_line import add_mutation
from nomock.cli.order import bisect
from nomock.cli.overlay import overlay
from nomock.cli.quality_line import add_quality
from nomock.cli.sandbox_line import add_sandbox, of_heal, of_life, of_programs, of_sandbox
from nomock.cli.stack import compose, down, status, up
from nomock.cli.watch import watch
from nomock.cli.who import place, show_resilience, who_tests


def command_line() -> argparse.ArgumentParser:
    """Return what reads the command line; ``run`` of its answer is the function of the command."""
    parser = argparse.ArgumentParser(
        prog="nomock", description="Tests on the real docker-compose stack."
    )
    parser.add_argument("-f", "--file", action="append", metavar="FILE", help="a compose file")
    parser.add_argument("--project", metavar="NAME", help="the compose project's name")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, run: Callable[..., int], help_text: str, **options: Any
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help_text, description=help_text, **options)
        command.set_defaults(run=run)
        return command

    init_ = add(
        "init", init, "look at the stack, and write what a first test of it needs: once is enough"
    )
    init_.add_argument(
        "folder",
        nargs="?",
        metavar="FOLDER",
        help="which stack, of several below; or its compose file",
    )
    init_.add_argument("--postgres", metavar="SERVICE", help="which is the database, of several")
    of_programs(init_)
    init_.add_argument("--no-start", action="store_true", help="ask only what runs already")
    uninstall_ = add("uninstall", uninstall, "take away what init wrote, but not what was changed")
    for command in (init_, uninstall_):
        command.add_argument(
            "--dry-run", action="store_true", help="show what would be written, as a patch"
        )
    doctor_ = add("doctor", doctor, "what of this project will make trouble in tests, and the cure")
    of_programs(doctor_)
    contracts_ = add(
        "contracts",
        contracts,
        "which variables services read and do not get, and get and do not read",
    )
    contracts_.add_argument(
        "--manifests",
        nargs="+",
        metavar="PATH",
        help="look at rendered manifests of Kubernetes instead of the compose file: folders, files,"
        " or - for standard input",
    )
    of_programs(contracts_)
    add("up", up, "start the stack and wait until it is ready")
    down_ = add("down", down, "stop the stack")
    down_.add_argument("--volumes", action="store_true", help="delete its volumes too")
    of_programs(add("status", status, "how each service is, and whether it is what the files say"))
    of_programs(
        add(
            "images", images, "make each image of images/images.toml available: here, pulled, built"
        )
    )
    for word in ("logs", "exec"):
        # Every argument is compose's own: with a prefix that nobody can type none is an option.
        handed = add(
            word,
            compose,
            f"docker compose {word}, on this project",
            prefix_chars="\0",
            add_help=False,
        )
        handed.set_defaults(command=word)
        handed.add_argument("rest", nargs=argparse.REMAINDER, metavar="SERVICE…")
    watch_ = add(
        "watch",
        watch,
        "run what each change of services and tests needs, until Ctrl-C; takes pytest's arguments",
        prefix_chars="\0",
        add_help=False,
    )
    watch_.add_argument("rest", nargs=argparse.REMAINDER, metavar="…")
    docs_ = commands.add_parser("docs", help="read the docs: a page, or which there are")
    docs_.set_defaults(run=docs)
    docs_.add_argument("page", nargs="?", metavar="PAGE", help="faults, coverage, …")
    schema_ = commands.add_parser(
        "schema", help="the JSON Schema of what a command prints with --json"
    )
    schema_.set_defaults(run=schema)
    schema_.add_argument("of", nargs="?", metavar="COMMAND", help="status, sandbox-list, …")
    completion_ = commands.add_parser(
        "completion", help="what makes a shell complete nomock's words: source it"
    )
    completion_.set_defaults(run=completion)
    completion_.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"))
    help_ = commands.add_parser("help", help="what an error means, and what to do about it")
    help_.set_defaults(run=explain)
    help_.add_argument("error", metavar="ERROR", help="its name, or some of its words")
    overlay_ = add(
        "overlay", overlay, "write the compose file that adds the coverage spy, or traces"
    )
    overlay_.add_argument(
        "services",
        nargs="*",
        metavar="SERVICE",
        help="only these; without one, all that can be covered",
    )
    overlay_.add_argument(
        "--traces", action="store_true", help="the one that adds traces and their backend"
    )
    of_programs(overlay_)
    overlay_.add_argument("--output", metavar="FILE", help="write it there; - prints it")
    overlay_.add_argument(
        "--force", action="store_true", help="replace an overlay that somebody changed"
    )
    diagnose_ = add("diagnose", diagnose, "why did the last run fail, the likeliest cause first")
    of_programs(diagnose_)
    evidence_ = add("evidence", evidence, "where the evidence of the last run is, and the causes")
    evidence_.add_argument(
        "--markdown", action="store_true", help="its failures as Markdown, for a summary of CI"
    )
    replay_ = add(
        "replay", replay, "run a test again as it ran when it failed; what is not the same is said"
    )
    replay_.add_argument("test", metavar="TEST", help="its id, or a part of it")
    replay_.add_argument("--order", action="store_true", help="with the tests that ran before it")
    replay_.add_argument("rest", nargs=argparse.REMAINDER, metavar="…", help="more for pytest")
    order_ = add("test-order", bisect, "find the test that another one depends on or is broken by")
    order_.add_argument("--bisect", metavar="TEST", required=True, help="its id, or a part of it")
    order_.add_argument(
        "--most-runs", type=int, default=50, metavar="N", help="look for fewer no longer: 50"
    )
    order_.add_argument(
        "tests",
        nargs="*",
        metavar="TESTS",
        help="ids or files, in the order to run; without any, those of the last run",
    )
    live = add("coverage-live", coverage_live, "what the running stack has covered so far")
    live.add_argument(
        "--since", metavar="MOMENT", help="only lines since then: 10:15, an ISO time, 5m ago: 5m"
    )
    live.add_argument("--test", metavar="ID", help="only the lines of a test; a part will do")
    of_programs(live)
    live.add_argument("--watch", action="store_true", help="show it again whenever it changed")
    live.add_argument(
        "--allow-unmapped",
        action="store_true",
        help="leave out files that are not those here, and name them",
    )
    who = add("who-tests", who_tests, "the tests that ran a line in the last covered run")
    who.add_argument("place", type=place, metavar="FILE:LINE")
    of_programs(who)
    of_programs(
        add("resilience", show_resilience, "lines that only a fault reached, handlers that nothing")
    )
    edges_ = add("edges", edges, "which faults on which edges the tests have, holes first")
    edges_.add_argument(
        "where", nargs="*", metavar="EDGE", help="the tests of one, 'a->b' in quotes; or a service"
    )
    edges_.add_argument("--tests", action="store_true", help="the tests of each cell")
    of_programs(edges_)
    edges_.add_argument(
        "--init",
        action="store_true",
        help="write the compose file that puts these edges behind Toxiproxy; all, if none is named",
    )
    edges_.add_argument(
        "--force", action="store_true", help="with --init: replace a file that somebody changed"
    )
    add("mcp", mcp, "an MCP server for coding agents, on standard input and output")
    add("httpfaults", httpfaults, "put the proxy of HTTP faults beside the compose file")
    promote_ = add("promote", promote, "build, push and apply the stack as a sandbox")
    of_sandbox(promote_)
    promote_.add_argument(
        "--registry", metavar="NAME", help="where images are pushed; the local node's own if not"
    )
    ways = promote_.add_mutually_exclusive_group()
    ways.add_argument(
        "--direct",
        action="store_const",
        const=None,
        dest="argo",
        help="apply its objects from here, wave by wave; so it is if nothing is said",
    )
    ways.add_argument(
        "--argo",
        nargs="?",
        const="argocd",
        metavar="NAMESPACE",
        help="by an Application of Argo CD, which is in this namespace; in argocd if not",
    )
    promote_.add_argument(
        "--sidecar-coverage",
        action="store_true",
        help="with the coverage spy, for pytest --sidecar-coverage on it",
    )
    promote_.add_argument(
        "--traces", action="store_true", help="with traces, for pytest --traces on it"
    )
    of_life(promote_)
    promote_.add_argument(
        "--render",
        metavar="DIR",
        help="only write its objects there as YAML, a file a service, and what has no translation",
    )
    promote_.add_argument(
        "--strict", action="store_true", help="a key without a translation is an error"
    )
    of_programs(promote_)
    parity_ = add("parity", parity, "what the same tests came to in two runs, and what differs")
    parity_.add_argument(
        "--take", metavar="FILE", help="write the record of the last run, and compare nothing"
    )
    parity_.add_argument("one", nargs="?", metavar="FILE", help="the record of a run")
    parity_.add_argument("other", nargs="?", metavar="FILE", help="that of another one")
    of_programs(parity_)
    of_heal(add("heal", heal, "heal the faults that killed runs left"))
    add_sandbox(commands.add_parser("sandbox", help="sandboxes, and a local node for them"))
    add_mutation(add)
    cleanup_ = add(
        "cleanup", cleanup, 'list what tests left: by [[tool.nomock.cleanup]], or named "TEST …"'
    )
    of_cleanup(cleanup_)
    of_programs(cleanup_)
    add_quality(add)
    return parser
