"""The command line of ``nomock sandbox``, and the options that other commands share with it."""

from __future__ import annotations

import argparse

from nomock.cli import sandboxes
from nomock.cli.commands import heal
from nomock.cli.sandbox import local


def add_sandbox(parser: argparse.ArgumentParser) -> None:
    """Add the commands of ``nomock sandbox``."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    local_ = commands.add_parser(
        "local", help="start a Kubernetes and a registry on this machine, one for all checkouts"
    )
    local_.set_defaults(run=local)
    local_.add_argument("--argo", action="store_true", help="with Argo CD beside it")
    local_.add_argument(
        "--down", action="store_true", help="take it away, with all sandboxes in it"
    )
    for name, run, told in (
        ("up", sandboxes.up, "an empty sandbox, and the local node where no context is named"),
        ("status", sandboxes.status, "each service of the sandbox, and whether it is ready"),
        ("list", sandboxes.list_all, "the sandboxes of the cluster"),
        ("logs", sandboxes.logs, "what a service of the sandbox logged last"),
        ("heal", heal, "heal the faults that killed runs left in the sandbox"),
        ("down", sandboxes.down, "remove the sandbox with all that is in it"),
        ("reap", sandboxes.reap, "remove the sandboxes whose time is over"),
    ):
        added = commands.add_parser(name, help=told)
        added.set_defaults(run=run)
        of_sandbox(added)
        if name == "up":
            of_life(added)
        if name in {"status", "list"}:
            of_programs(added)
        if name == "heal":
            of_heal(added)
        if name == "logs":
            added.add_argument("service", metavar="SERVICE")
            added.add_argument("--tail", metavar="N", type=int, help="how many lines; 200 if not")


def of_life(parser: argparse.ArgumentParser) -> None:
    """Add the option that says how long a sandbox lives."""
    parser.add_argument(
        "--hours", metavar="N", type=float, default=8.0, help="how long it may stay; 8 if not"
    )


def of_programs(parser: argparse.ArgumentParser) -> None:
    """Add the option by which a command speaks to programs."""
    parser.add_argument("--json", action="store_true", help="the same for programs and agents")


def of_heal(parser: argparse.ArgumentParser) -> None:
    """Add the option of a command that heals."""
    parser.add_argument(
        "--set-aside",
        action="store_true",
        help="move the journals of what cannot be healed away, and say what may be broken still",
    )


def of_sandbox(parser: argparse.ArgumentParser) -> None:
    """Add the options by which a sandbox is found."""
    parser.add_argument("--id", metavar="ID", help="names the sandbox; the project's name if not")
    parser.add_argument(
        "--context",
        metavar="CONTEXT",
        help="of the kubeconfig, one of the setting contexts; this machine's node if not",
    )
