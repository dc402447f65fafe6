"""``nomock COMMAND``: one function a command; errors end with 1 and their text on stderr."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from nomock.adapters.engine import names_of
from nomock.cli.docs import docs, explain
from nomock.cli.overlay import overlay
from nomock.cli.show import print_table, progress
from nomock.cli.who import place, show_resilience, who_tests
from nomock.config import Settings
from nomock.errors import NomockError, NotHealedError
from nomock.faults.janitor import heal_orphaned
from nomock.loading import load
from nomock.paths import standing
from nomock.project import resolve
from nomock.stack import CONFIGURATION_CHANGED, Stack

_ENDED_BY_SIGPIPE = 141  # as a shell says it: 128 and the signal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()  # here, where a reader that has gone is still an error
    except BrokenPipeError:
        # `nomock status | head -1`. https://docs.python.org/3/library/signal.html#note-on-sigpipe
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        return _ENDED_BY_SIGPIPE


def _run(arguments: Sequence[str] | None) -> int:
    chosen = _parser().parse_args(arguments)
    options = {"files": chosen.file, "project": chosen.project}
    command: Callable[[Settings, argparse.Namespace], int] = chosen.run
    try:
        if chosen.run in (docs, explain):  # they are there whatever the settings are
            reading: Callable[[argparse.Namespace], int] = chosen.run
            return reading(chosen)
        return command(load(standing(), options), chosen)
    except NomockError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the next run goes on from here", file=sys.stderr)
        return 130


def up(settings: Settings, _: argparse.Namespace) -> int:
    """Start what is not there, rebuild what changed, and wait until every service is ready."""
    stack = Stack.of(settings)
    with progress() as line:
        try:
            # Before anybody waits for a service that a killed run left paused.
            heal_orphaned(stack, line.show)
        except NotHealedError as error:  # whether the stack is ready is for its probes to say
            line.say(str(error))
        stack.prepare(
            line.show,
            waiting=line.show_waiting,
            warn=line.show_lasting,
            who="nomock up",
            look_at_bases=True,
        )
    stack.close()
    print(f"stack {stack.name}: {len(stack.project.wanted)} services ready")
    return 0


def down(settings: Settings, chosen: argparse.Namespace) -> int:
    """Stop the stack and remove its containers."""
    stack = Stack.of(settings)
    with progress() as line:
        stack.down(volumes=chosen.volumes, progress=line.show, waiting=line.show_waiting)
    stack.close()
    print(f"stack {stack.name} is down" + (", its volumes removed" if chosen.volumes else ""))
    return 0


def status(settings: Settings, _: argparse.Namespace) -> int:
    """Print each service's state; the exit code is 1 if one is not ready as it should be."""
    stack = Stack.of(settings)
    there = stack.containers()
    differences = stack.new_bases() | stack.differences(there)
    # A covered run leaves its services warm; the next one without coverage starts them anew.
    overlay = settings.root / settings.coverage_overlay
    spied = {c.service for c in there if c.is_of([overlay])} if overlay.exists() else set()
    names, body = names_of(there), []
    for name in stack:
        if name in spied and differences.get(name) == CONFIGURATION_CHANGED:
            differences[name] = ""
        told = differences.get(name, "as it should be") or "with the spy, of a covered run"
        found = [c for c in there if c.service == name]
        for container in found:
            # A container that has ended has the health that it had before.
            state = (container.state == "running" and container.health) or container.state
            ports = ", ".join(container.shown_ports())
            body.append((names[container.id], state, ports, told))
            told = ""  # it is of the service, and stands once
        if not found:
            none = "no container" if stack.project.service(name).replicas else "scaled to 0"
            body.append((name, none, "", told))
    print_table(("service", "state", "ports", stack.name), body)
    return 1 if any(differences.values()) else 0


def images(settings: Settings, _: argparse.Namespace) -> int:
    """Settle each image of images/images.toml: here, pulled or built."""
    from nomock.images import resolve_images

    with progress() as line:
        resolved = resolve_images(settings.root, line.show)
    body = [(s.variable, s.image, s.how, s.detail) for s in resolved]
    print_table(("variable", "image", "how", ""), body)
    return 0


def compose(settings: Settings, chosen: argparse.Namespace) -> int:
    """Hand a command over to docker compose, with this project's files and name."""
    from nomock.adapters.compose import Compose

    project = resolve(settings)
    command = Compose(project.call).command(chosen.command, *chosen.rest)
    sys.stdout.flush()
    if hasattr(signal, "SIGPIPE"):  # Python ignores it, and what it becomes would do so, too
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.chdir(project.call.folder)
    os.execvpe(command[0], command, project.call.environ())


def diagnose(settings: Settings, _: argparse.Namespace) -> int:
    """Print what failed last, how the services are, and what changed since the last green run."""
    from nomock.cli.diagnose import story

    for line in story(settings):
        print(line)
    return 0


def heal(settings: Settings, chosen: argparse.Namespace) -> int:
    """Heal the faults that killed runs left, or give them up, and say which they were."""
    from nomock.cli.heal import heal

    return heal(settings, set_aside=chosen.set_aside)


def httpfaults(settings: Settings, _: argparse.Namespace) -> int:
    """Put the program of the HTTP fault proxy beside the compose file."""
    from nomock.faults.http.program import put_program

    print(put_program(settings.root))
    return 0


def edges(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print which edges and services the tests break in which ways, holes first."""
    from nomock.cli.edges import edges

    return edges(settings, chosen)


def cleanup(settings: Settings, chosen: argparse.Namespace) -> int:
    """List the rows that tests left, or remove them."""
    from nomock import leftovers

    with Stack.of(settings).postgres.connect() as connection:
        if chosen.remove:
            print(f"removed {leftovers.remove(connection)} rows that tests had left")
            return 0
        found = leftovers.find(connection)
    if found:
        print_table(("table", "name"), [(row.table, row.name) for row in found])
    print(f"{len(found)} rows that tests left")
    return 0


def coverage_live(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print what the running stack has covered so far."""
    from nomock.cli.live import coverage_live

    return coverage_live(settings, chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nomock", description="Tests on the real docker-compose stack."
    )
    parser.add_argument("--file", action="append", metavar="FILE", help="a compose file")
    parser.add_argument("--project", metavar="NAME", help="the compose project's name")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, run: Callable[..., int], help_text: str, **options: Any
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help_text, description=help_text, **options)
        command.set_defaults(run=run)
        return command

    add("up", up, "start the stack and wait until it is ready")
    down_ = add("down", down, "stop the stack")
    down_.add_argument("--volumes", action="store_true", help="delete its volumes too")
    add("status", status, "how each service is, and whether it is what the files say")
    add("images", images, "make each image of images/images.toml available: here, pulled or built")
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
        handed.add_argument("rest", nargs=argparse.REMAINDER, metavar="…")
    docs_ = commands.add_parser("docs", help="read the docs: a page, or which there are")
    docs_.set_defaults(run=docs)
    docs_.add_argument("page", nargs="?", metavar="PAGE", help="faults, coverage, …")
    help_ = commands.add_parser("help", help="what an error means, and what to do about it")
    help_.set_defaults(run=explain)
    help_.add_argument("error", metavar="ERROR", help="its name, or some of its words")
    overlay_ = add("overlay", overlay, "write the compose file that adds the coverage spy")
    overlay_.add_argument(
        "services",
        nargs="*",
        metavar="SERVICE",
        help="only these; without one, all that can be covered",
    )
    overlay_.add_argument("--output", metavar="FILE", help="write it there; - prints it")
    overlay_.add_argument(
        "--force", action="store_true", help="replace an overlay that somebody changed"
    )
    add("diagnose", diagnose, "why did the last run fail")
    live = add("coverage-live", coverage_live, "what the running stack has covered so far")
    live.add_argument(
        "--since", metavar="MOMENT", help="only lines since then: 10:15, an ISO time, 5m ago: 5m"
    )
    live.add_argument("--test", metavar="ID", help="only the lines of a test; a part will do")
    live.add_argument("--watch", action="store_true", help="show it again whenever it changed")
    live.add_argument(
        "--allow-unmapped",
        action="store_true",
        help="leave out files that are not those here, and name them",
    )
    who = add("who-tests", who_tests, "the tests that ran a line in the last covered run")
    who.add_argument("place", type=place, metavar="FILE:LINE")
    add("resilience", show_resilience, "which lines only a fault reached, which handlers nothing")
    edges_ = add("edges", edges, "which faults on which edges the tests have, holes first")
    edges_.add_argument(
        "where", nargs="?", metavar="EDGE", help="the tests of one, 'a->b' in quotes; or a service"
    )
    edges_.add_argument("--tests", action="store_true", help="the tests of each cell")
    add("httpfaults", httpfaults, "put the proxy of HTTP faults beside the compose file")
    heal_ = add("heal", heal, "heal the faults that killed runs left")
    heal_.add_argument(
        "--set-aside",
        action="store_true",
        help="move the journals of what cannot be healed away, and say what may be broken still",
    )
    cleanup_ = add("cleanup", cleanup, 'list what tests left: rows whose name starts with "TEST "')
    cleanup_.add_argument("--remove", action="store_true", help="remove it")
    return parser
