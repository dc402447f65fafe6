"""What the spy adds to the start of a process: of bare Python, `instances`, and Django as the app.

Figures: at most 25 ms (issue 4); 1.25 times where all of Django counts as the app, some 300 files
that are each read and watched (issue 11). The processes start in pairs, in one container that is
pinned to a core.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from ground import python_image

from nomock.loading import load
from nomock.stack import Stack

ROOT = Path(__file__).parents[1]
DJANGO_IMAGE = "nomock-bench-small:3.13"
DJANGO = """
from django.conf import settings
import django
apps = ("admin", "auth", "contenttypes", "messages", "sessions")
settings.configure(INSTALLED_APPS=[f"django.contrib.{app}" for app in apps])
django.setup()
from django.contrib import admin
from django.core.handlers import asgi, wsgi
from django.views import generic
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=21)
    chosen = parser.parse_args()
    servers = ROOT / "tests/harness/apps/servers"
    build = ["docker", "build", "--quiet", "--tag", DJANGO_IMAGE]
    build += ["--build-arg", f"PYTHON_IMAGE={python_image()}", str(servers)]
    subprocess.run(build, check=True, capture_output=True)
    subprocess.run(["docker", "compose", "build", "--quiet", "instances"], cwd=ROOT, check=True)
    instances = Stack.of(load(ROOT)).project.services["instances"]
    environ = instances.config["environment"]
    roots = "/opt/venv/lib/python3.13/site-packages/django"
    for title, image, more, code in (
        ("bare Python", instances.image, environ, "pass"),
        ("instances", instances.image, environ, "import instances.app"),
        ("Django as the app", DJANGO_IMAGE, {"NOMOCK_SPY_ROOTS": roots}, DJANGO),
    ):
        pairs = _pairs(image, more, code, chosen.pairs)
        wall_ms, cpu_ms = median(p[2] - p[0] for p in pairs), median(p[3] - p[1] for p in pairs)
        base_ms, ratio = median(p[0] for p in pairs), median(p[3] / p[1] for p in pairs)
        added = f"the spy adds {wall_ms:.1f} ms, CPU {cpu_ms:.1f} ms, {ratio:.2f} times"
        print(f"{title:<18} {base_ms:6.1f} ms; {added}", flush=True)


def _pairs(image: str, more: Mapping[str, str], code: str, pairs: int) -> list[list[float]]:
    environ = {**more, "PYTHONPATH": "/nomock-spy", "NOMOCK_SPY_OUT": "/data"}
    with tempfile.TemporaryDirectory() as data:
        Path(data).chmod(0o777)
        command = ["docker", "run", "--rm", "--cpuset-cpus", "0", "--network", "none"]
        for name, value in environ.items():
            command += ["--env", f"{name}={value}"]
        for source, target in (
            (ROOT / "coverage-spy", "/nomock-spy:ro"),
            (data, "/data"),
            (ROOT / "bench" / "spy", "/bench:ro"),
        ):
            command += ["--volume", f"{source}:{target}"]
        command += [image, "python3", "-I", "/bench/starts.py", code, str(pairs)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: list[list[float]] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
