"""A cluster's API, as far as faults ask it: one namespace, whose programs are given by the test.

What a cluster answers is as a real one answers it; the live tests show that.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nomock.adapters.kubernetes.spdy import Frame, Frames

NAMESPACE = "nomock-t"
ANSWERS_DONE = "import sys\nfor line in sys.stdin: print('done', flush=True)"
_KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: u, user: {{token: t}}}}]
contexts: [{{name: tests, context: {{cluster: c, user: u}}}}]
"""
_STDIN, _STDOUT = 3, 5


class FakeCluster:
    """What there is in it: tests change that as they like."""

    def __init__(self) -> None:
        self.annotations = {"nomock/tools-image": "localhost:1/tools@sha256:1"}
        self.pods: dict[str, dict[str, Any]] = {}
        self.deployments: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.services: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, str] = {}
        """By pods: what each logged, with time stamps; it is there when the pod is gone, too."""
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        self.refuses: dict[str, str] = {}
        """The end of a path -> the words with which requests for it are refused."""
        self.begins: Callable[[dict[str, Any]], dict[str, Any]] = lambda container: {
            "running": {"startedAt": "2026-11-30T07:00:00Z"}
        }
        """The state of a container that was added to a pod."""
        self.program = ANSWERS_DONE
        """The Python program of containers that are added. Never their own: it would halt or kill
        the processes of this machine."""
        self.port = 0

    def add(self, service: str, **spec: Any) -> str:
        """Add a Deployment with a pod that runs; return the id of its container."""
        labels = {"nomock/service": service}
        named = {"namespace": NAMESPACE, "labels": labels}
        named["creationTimestamp"] = "2026-11-30T07:00:00Z"  # type: ignore[assignment]
        of_pod = {"containers": [{"name": service, "image": "i"}], "restartPolicy": "Always"} | spec
        running = {"name": service, "ready": True, "state": self.begins({})}
        self.pods[f"{service}-1"] = {
            "metadata": {**named, "name": f"{service}-1", "uid": f"{service}-1"},
            "spec": of_pod,
            "status": {"podIP": "10.1.0.7", "containerStatuses": [running]},
        }
        self.deployments[service] = {
            "metadata": {**named, "name": service},
            "spec": {"replicas": 1, "template": {"spec": of_pod}},
        }
        return f"{NAMESPACE}/{service}-1/{service}"

    def begin(self, pod: str, container: dict[str, Any]) -> None:
        """Add a container to a pod, and begin its program."""
        found, state = self.pods[pod], self.begins(container)
        found["spec"].setdefault("ephemeralContainers", []).append(container)
        told = {"name": container["name"], "state": state}
        found["status"].setdefault("ephemeralContainerStatuses", []).append(told)
        if "running" in state:
            pipe = subprocess.PIPE
            command = [sys.executable, "-c", self.program]
            program = subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0)
            self.programs[container["name"]] = program

    def answer(self, method: str, path: str, asked: Any) -> Any:
        """Return the object of an answer; None where there is nothing."""
        own = f"/namespaces/{NAMESPACE}"
        rest = path.partition(own)[2].strip("/").split("/")
        kind, name = rest[0], rest[1] if len(rest) > 1 else ""
        if path.endswith("/namespaces/kube-system"):
            return {"metadata": {"uid": "cluster-1"}}
        if not kind:
            return {"metadata": {"name": NAMESPACE, "annotations": self.annotations}}
        found: dict[str, Any] = getattr(self, kind, {})
        if method == "POST":
            found[asked["metadata"]["name"]] = asked
        if not name:
            return {"items": [*found.values()]}
        if method == "DELETE":
            return found.pop(name, None)
        if method == "PATCH" and path.endswith("/ephemeralcontainers"):
            self.begin(name, asked["spec"]["ephemeralContainers"][0])
        elif method == "PATCH":
            _merge(found[name], asked)
            if kind == "deployments" and not found[name]["spec"]["replicas"]:
                self.pods.pop(f"{name}-1", None)
        return found.get(name)


@contextmanager
def fake_pods(folder: Path) -> Iterator[FakeCluster]:
    """Serve a cluster; its kubeconfig is in the folder, with the context ``tests``."""
    cluster = FakeCluster()

    class Api(_Api):
        served = cluster

    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        cluster.port = server.server_port
        (folder / "kubeconfig").write_text(_KUBECONFIG.format(port=server.server_port))
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield cluster
        finally:
            server.shutdown()
            for program in cluster.programs.values():
                program.kill()
                program.wait()
                for pipe in (program.stdin, program.stdout):
                    if pipe is not None:
                        pipe.close()


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: FakeCluster

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if words := next((w for end, w in self.served.refuses.items() if path.endswith(end)), ""):
            self._say(403, {"message": words})
            return
        if path.endswith("/attach"):
            self._attach(parse_qs(urlsplit(self.path).query)["container"][0])
            return
        if path.endswith("/log"):
            self._write(200, self.served.logs.get(path.split("/")[-2], "").encode())
            return
        found = self.served.answer(self.command, path, json.loads(body) if body else None)
        self._say(404 if found is None else 200, found or {"message": "not found"})

    do_PATCH = do_DELETE = do_POST = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, *arguments: object) -> None:
        pass

    def _say(self, status: int, told: Any) -> None:
        self._write(status, json.dumps(told).encode())

    def _write(self, status: int, text: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _attach(self, name: str) -> None:
        """Carry what is said to a program and what it says, until either side is gone."""
        program, frames = self.served.programs[name], Frames()
        assert program.stdin is not None and program.stdout is not None
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "SPDY/3.1")
        self.end_headers()
        self.close_connection = True
        while True:
            ready, _, _ = select.select([self.connection, program.stdout], [], [])
            if program.stdout in ready:
                said = os.read(program.stdout.fileno(), 65536)
                self.connection.sendall(
                    frames.sent(_STDOUT, said) if said else frames.ended(_STDOUT)
                )
                if not said:
                    return
            if self.connection in ready:
                received = self.connection.recv(65536)
                if not received:
                    program.stdin.close()
                    return
                for frame in frames.read(received):
                    if isinstance(frame, Frame) and frame.stream == _STDIN:
                        program.stdin.write(frame.data)


def _merge(found: dict[str, Any], change: dict[str, Any]) -> None:
    """Change an object as a merge patch says (RFC 7386)."""
    for key, value in change.items():
        if isinstance(value, dict):
            _merge(found.setdefault(key, {}), value)
        elif value is None:
            found.pop(key, None)
        else:
            found[key] = value
