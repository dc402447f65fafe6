"""The local node as its user has it: by the command line, kubectl and docker."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from places import ROOT
from tiny import NOMOCK

from nomock.adapters.engine import Engine
from nomock.polling import wait_until
from nomock.sandbox.node.project import NODE, project_name
from nomock.target import Container

WITHIN_S = 120.0
BUILT_WITHIN_S = 45 * 60.0  # on a bare machine the first one compiles Kubernetes or Argo CD
LIST = {"apiVersion": "v1", "kind": "List"}
_ASK = "import urllib.request as u; print(u.urlopen('http://{}', timeout=2).status)"


def ask(address: str, who: str = "front", namespace: str = "default") -> tuple[str, ...]:
    """What has a Deployment ask an address, by kubectl, once."""
    asked = ("python3", "-c", _ASK.format(address))
    return ("exec", "-n", namespace, f"deploy/{who}", "--", *asked)


class Node:
    """The node as its user has it: by the command line, kubectl and docker."""

    def __init__(self, cache: Path) -> None:
        self.environ = {**os.environ, "XDG_CACHE_HOME": str(cache)}
        self.kubeconfig = cache / "nomock" / "node" / "kubeconfig"

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin ``nomock sandbox local``."""
        return subprocess.Popen(
            [NOMOCK, "sandbox", "local", *arguments],
            cwd=ROOT,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def local(self, *arguments: str) -> str:
        """Run ``nomock sandbox local`` to its end; return what it said."""
        with self.command(*arguments) as running:
            said, _ = running.communicate(timeout=BUILT_WITHIN_S)
        assert running.returncode == 0, said
        return said

    @property
    def containers(self) -> dict[str, Container]:
        return {c.service: c for c in Engine().containers(project_name())}

    @property
    def registry(self) -> str:
        """Where images are pushed, as the command says it."""
        return next(
            line.split()[1] for line in self.local().splitlines() if line.startswith("registry ")
        )

    def inside(self, *command: str) -> str:
        """Run a command in the node's container; return what it said."""
        return self._succeeded(self._run_inside(command))

    def begin_inside(self, *command: str) -> subprocess.Popen[str]:
        """Begin a command in the node's container."""
        return subprocess.Popen(
            [*self._into(), *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        """Run kubectl in the node; return what it said."""
        return self._succeeded(self._run_inside(["kubectl", *arguments], given))

    def apply(self, *objects: dict[str, Any]) -> None:
        """Create objects, or change them."""
        self.kubectl(
            "apply",
            "-f",
            "-",
            given=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}),
        )

    def succeeds(self, *arguments: str) -> bool:
        """Tell whether kubectl comes to end with 0."""
        return wait_until(lambda: self._ends_well(arguments), within_s=WITHIN_S, pause_s=0.3)

    def fails(self, *arguments: str) -> bool:
        """Tell whether kubectl comes to end with another code than 0."""
        return wait_until(lambda: not self._ends_well(arguments), within_s=WITHIN_S, pause_s=0.3)

    def pull(self, image: str) -> None:
        """Pull an image in the node, as kubelet does."""
        pull = ["ctr", "-n", "k8s.io", "images", "pull", "--hosts-dir", "/etc/containerd/certs.d"]
        self.inside(*pull, image)

    def comes_to(self, ask: Callable[[], bool]) -> bool:
        """Tell whether the answer comes to be true."""
        return wait_until(ask, within_s=WITHIN_S, pause_s=0.05)

    def _ends_well(self, arguments: Sequence[str]) -> bool:
        return self._run_inside(["kubectl", *arguments]).returncode == 0

    def _into(self) -> list[str]:
        config = "KUBECONFIG=/var/lib/node/admin.kubeconfig"
        return ["docker", "exec", "-i", "-e", config, self.containers[NODE].id]

    def _run_inside(
        self, command: Sequence[str], given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._into(), *command],
            input=given or "",
            capture_output=True,
            text=True,
            check=False,
        )

    @staticmethod
    def _succeeded(done: subprocess.CompletedProcess[str]) -> str:
        assert done.returncode == 0, done.stderr
        return done.stdout


def server(name: str, image: str, namespace: str = "default") -> Sequence[dict[str, Any]]:
    """A Deployment that answers HTTP on port 8000, and its Service."""
    named = {"name": name, "namespace": namespace}
    labels = {"app": name}
    command = ["sh", "-c", "echo it serves; exec python3 -u -m http.server 8000"]
    probe = {"tcpSocket": {"port": 8000}, "periodSeconds": 1}
    container = {"name": name, "image": image, "command": command, "readinessProbe": probe}
    pod = {"containers": [container], "terminationGracePeriodSeconds": 1}
    deployment = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    service = {"selector": labels, "ports": [{"port": 80, "targetPort": 8000}]}
    return (
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": named, "spec": deployment},
        {"apiVersion": "v1", "kind": "Service", "metadata": named, "spec": service},
    )
