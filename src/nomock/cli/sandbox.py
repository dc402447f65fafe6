"""``nomock sandbox``: the local node of Kubernetes."""

from __future__ import annotations

import argparse

from nomock.cli.show import progress
from nomock.config import Settings


def local(settings: Settings, chosen: argparse.Namespace) -> int:
    """Start the local node and say how it is reached, or take it down."""
    from nomock.sandbox import node

    with progress() as line:
        if chosen.down:
            was_there = node.stop(line.show, waiting=line.show_waiting)
        else:

            def show_phase(name: str, outcome: str, took_s: float) -> None:
                line.say(f"{name:<8}{outcome:<36}{took_s:7.1f} s")

            found = node.start(
                settings.root,
                line.show,
                waiting=line.show_waiting,
                phase=show_phase,
                argocd=chosen.argo,
            )
    if chosen.down:
        print("the local node is down" if was_there else "there was no local node")
        return 0
    print(f"registry    {found.registry}")
    print(f"kubeconfig  {found.kubeconfig} (context {found.context})")
    print(f"try         kubectl --kubeconfig {found.kubeconfig} get pods -A")
    return 0
