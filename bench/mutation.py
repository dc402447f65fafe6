"""Mutants tried each second, live and by restarts, and whether both say the same of each.

Figures (issue 18): at least 30 mutants a second where one test covers them (a restart a mutant:
2.3, mutmut in one process: 12.5); the same verdict of each mutant of a sample of 200.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from ground import use_images

HERE = Path(__file__).parent
SERVE = """
import http.server, json
import prices

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(prices.everything(int(self.path[1:]))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *said):
        pass

http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
# Of its mutants this test notices most, and not all: what is said of either is to be the same.
PRICE = """
def price_{n}(count):
    total = count * 3 + {n}
    if count >= 10 and total > 40:
        total = total - count
    return total
"""
TEST = """
def test_every_price_should_be_right_when_ten_are_bought(stack):
    found = stack["app"].http.get("/10").json()
    assert found == [30 + n - (10 if 30 + n > 40 else 0) for n in range({functions})]
"""
COMPOSE = {
    "services": {
        "app": {
            "image": "${PYTHON_IMAGE:-nomock/python:3.13}",
            "command": ["python3", "-u", "serve.py"],
            "working_dir": "/srv",
            "volumes": ["./app:/srv:ro"],
            "init": True,
            "ports": ["127.0.0.1::8000"],
            "healthcheck": {
                "test": ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8000"],
                "interval": "5s",
                "start_period": "120s",
                "start_interval": "100ms",
            },
        }
    }
}


def main() -> None:
    """Measure and print; end with 1 where the two do not say the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--functions", type=int, default=20, help="each has about 16 mutants")
    parser.add_argument("--sample", type=int, default=200, help="mutants that are restarted for")
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args()
    use_images()
    with tempfile.TemporaryDirectory() as temporary:
        project = Project(Path(temporary) / "prices", chosen.functions)
        try:
            project.run("overlay")
            project.pytest("--nomock-sidecar-coverage")
            live, took_s = project.tried("--workers", str(chosen.workers))
            print(f"live        {len(live):4} mutants  {len(live) / took_s:6.1f} a second")
            files = -(-chosen.sample * chosen.functions // len(live))
            project.keep_functions(files)
            project.pytest("--nomock-sidecar-coverage")
            sample, _ = project.tried("--workers", str(chosen.workers))
            project.forget()
            restarted, took_s = project.tried("--workers", "1", "--restart")
            rate = len(restarted) / took_s
            print(f"by restart  {len(restarted):4} mutants  {rate:6.1f} a second")
            others = [one for one in sample if sample[one] != restarted.get(one)]
            print(f"verdicts that differ: {len(others)} of {len(sample)}")
            for one in others:
                print(f"  {one}: {sample[one]} live, {restarted.get(one)} by restart")
        finally:
            project.run("down", "--volumes")
    raise SystemExit(1 if others else 0)


class Project:
    """A service with one test that covers all of it."""

    def __init__(self, folder: Path, functions: int) -> None:
        self._folder = folder
        (folder / "app").mkdir(parents=True)
        (folder / "docker-compose.yml").write_text(json.dumps(COMPOSE))
        (folder / "app" / "serve.py").write_text(SERVE)
        self.keep_functions(functions)

    def keep_functions(self, count: int) -> None:
        """Let the service have so many functions."""
        prices = "".join(PRICE.format(n=n) for n in range(count))
        calls = ", ".join(f"price_{n}(count)" for n in range(count))
        text = f"{prices}\n\ndef everything(count):\n    return [{calls}]\n"
        (self._folder / "app" / "prices.py").write_text(text)
        (self._folder / "test_prices.py").write_text(TEST.format(functions=count))

    def run(self, *arguments: str) -> None:
        """Call nomock; end the bench where it fails."""
        self._done([str(Path(sys.executable).with_name("nomock")), *arguments])

    def pytest(self, *arguments: str) -> None:
        """Run the test; end the bench where it fails."""
        self._done([sys.executable, "-m", "pytest", "-q", *arguments])

    def tried(self, *arguments: str) -> tuple[dict[str, str], float]:
        """Try all mutants; return the verdict of each, and how many seconds that took.

        These begin when a worker takes the first ones, with stack and tests ready.
        """
        nomock = str(Path(sys.executable).with_name("nomock"))
        self._done([nomock, "test-mutation", "app/prices.py", *arguments])
        begin = (self._state / "job.0").stat().st_mtime
        end = (self._state / "results.ndjson").stat().st_mtime
        told = self._done([nomock, "mutants", "--json"])
        found = json.loads(told)["mutants"]
        return {mutant["id"]: mutant["status"] for mutant in found}, end - begin

    def forget(self) -> None:
        """Forget all verdicts."""
        (self._state / "results.ndjson").unlink()

    @property
    def _state(self) -> Path:
        return self._folder / ".nomock" / "mutation"

    def _done(self, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout


if __name__ == "__main__":
    main()
