"""``nomock sandbox``: the local node of Kubernetes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from nomock.cli.show import progress
from nomock.config import Settings

if TYPE_CHECKING:
    from nomock.sandbox.node import LocalNode


def local(settings: Settings, chosen: argparse.Namespace) -> int:
    """Start the local node and say how it is reached, or take it down."""
    from nomock.sandbox import node

    if chosen.down:
        with progress() as line:
            was_there = node.stop(line.show, waiting=line.show_waiting)
        print("the local node is down" if was_there else "there was no local node")
        return 0
    found = start_node(settings, argocd=chosen.argo)
    print(f"registry    {found.registry}")
    print(f"kubeconfig  {found.kubeconfig} (context {found.context})")
    print(f"try         kubectl --kubeconfig {found.kubeconfig} get pods -A")
    return 0


def start_node(settings: Settings, *, argocd: bool = False) -> LocalNode:
    """Have a local node that is ready, and say each phase."""
    from nomock.sandbox import node

    with progress() as line:

        def show_phase(name: str, outcome: str, took_s: float) -> None:
            line.say(f"{name:<8}{outcome:<36}{took_s:7.1f} s")

        return node.start(
            settings.root, line.show, waiting=line.show_waiting, phase=show_phase, argocd=argocd
        )
