"""A small project as its user has it, and what is typed in its folder: for the local node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from live_node import Node
from tiny import IMAGE, NOMOCK

from nomock.loading import load
from nomock.stack import Stack

# It says so where it is asked to end, which a SIGKILL does not do.
SERVE = """
import http.server, signal, sys
def asked(*_): print("asked to end"); sys.exit()
signal.signal(signal.SIGTERM, asked)
http.server.test(http.server.SimpleHTTPRequestHandler, port=8000)
"""
WEB = f"echo it serves; mkdir -p /tmp/www; cd /tmp/www; exec python3 -u -c '{SERVE}'"
ASKS = "import urllib.request as u; u.urlopen('http://127.0.0.1:8000', timeout=2)"


def project(**more: Any) -> dict[str, Any]:
    """Return a project of a web server that waits for a job, and of a service with a volume."""
    shell = {"image": IMAGE, "user": "10001:10001", "init": True}
    web = {
        **shell,
        "command": ["sh", "-c", WEB],
        "ports": ["127.0.0.1::8000"],
        "environment": {"GREETING": "hello"},
        "healthcheck": {"test": ["CMD", "python3", "-c", ASKS], "interval": "1s"},
        "depends_on": {"job": {"condition": "service_completed_successfully"}},
    }
    job = {**shell, "command": ["sh", "-c", "echo done"]}
    data = {**shell, "command": ["sleep", "infinity"], "volumes": ["kept:/data"], "user": "0:0"}
    services = {"web": web, "job": job, "data": data, **more}
    return {"name": "shop", "services": services, "volumes": {"kept": {}}}


class Shop:
    """The project's folder, and what its user types there."""

    def __init__(self, folder: Path, node: Node) -> None:
        self.folder, self.node = folder, node

    def write(self, config: dict[str, Any]) -> None:
        (self.folder / "compose.yaml").write_text(json.dumps(config))

    def nomock(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(NOMOCK, *arguments)

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.node.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def stack(self) -> Stack:
        return Stack.of(load(self.folder, {"target": "sandbox"}))
