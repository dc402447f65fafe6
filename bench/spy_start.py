"""What the spy adds to the start of a process: of bare Python, and of the real `instances`.

Figure (issue 4): at most 25 ms. The processes start in pairs, in one container pinned to a core.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from statistics import median

from nomock.loading import load
from nomock.stack import Stack

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=21)
    chosen = parser.parse_args()
    instances = Stack.of(load(ROOT)).project.services["instances"]
    for title, code in (("bare Python", "pass"), ("instances", "import instances.app")):
        pairs = _pairs(instances, code, chosen.pairs)
        wall_ms, cpu_ms = median(p[2] - p[0] for p in pairs), median(p[3] - p[1] for p in pairs)
        base_ms = median(p[0] for p in pairs)
        print(f"{title:<12} {base_ms:6.1f} ms; the spy adds {wall_ms:.1f} ms, CPU {cpu_ms:.1f} ms")


def _pairs(service: object, code: str, pairs: int) -> list[list[float]]:
    config = service.config  # type: ignore[attr-defined]
    environ = {**config["environment"], "PYTHONPATH": "/nomock-spy", "NOMOCK_SPY_OUT": "/data"}
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
        command += [service.image, "python3", "-I", "/bench/starts.py", code, str(pairs)]  # type: ignore[attr-defined]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: list[list[float]] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
