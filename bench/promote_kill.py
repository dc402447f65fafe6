"""Kill `nomock promote` at random moments: does the next call end in a right state each time?

    python bench/promote_kill.py             # twenty kills of a small project's promotion
    python bench/promote_kill.py --kills 5 --argo

Each promotion has another number; one that is killed with SIGKILL somewhere between its begin and
its usual end is followed by one more, of the next number. Right is: that one ends with 0, each
service is ready, the web server answers the last number, and no Deployment, Service or Job of
another number is left. Printed: the moment of each kill, the phase that it met, what came of it.

Figure (issue 15): 20 of 20. `nomock sandbox local` first (with `--argo` for that).
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from time import perf_counter

from nomock.adapters.kubernetes import Objects
from nomock.images.envfile import read
from nomock.loading import load
from nomock.stack import Stack
from nomock.stack.promoted import connected

ROOT = Path(__file__).parent.parent
WEB = "echo $$NUMBER >/tmp/index.html; cd /tmp; exec python3 -u -m http.server 8000"
SPACE = "nomock-bench-kill"
ASKS = "import urllib.request as u; u.urlopen('http://127.0.0.1:8000', timeout=2)"


@dataclass(frozen=True)
class Project:
    """A web server that waits for a job, and a service beside them."""

    folder: Path
    image: str
    way: str

    def write(self, number: int) -> None:
        """Write the project of a number: each service is another one."""
        own = {"image": self.image, "init": True, "environment": {"NUMBER": str(number)}}
        web = {
            **own,
            "command": ["sh", "-c", WEB],
            "ports": ["127.0.0.1::8000"],
            "healthcheck": {"test": ["CMD", "python3", "-c", ASKS], "interval": "1s"},
            "depends_on": {"job": {"condition": "service_completed_successfully"}},
        }
        job = {**own, "command": ["true"]}
        other = {**own, "command": ["sleep", "infinity"]}
        services = {"web": web, "job": job, f"other-{number}": other}
        text = json.dumps({"name": "bench-kill", "services": services})
        (self.folder / "compose.yaml").write_text(text)

    def nomock(self, *words: str) -> subprocess.Popen[str]:
        """Begin a command of nomock."""
        return subprocess.Popen(
            [sys.executable, "-m", "nomock.cli", *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def promote(self, number: int, *, killed_after_s: float | None = None) -> tuple[int, str]:
        """Promote a number, to the end or until it is killed; return the exit code and the text."""
        self.write(number)
        running = self.nomock("promote", self.way)
        timer = Timer(killed_after_s or 0.0, running.kill)
        if killed_after_s is not None:
            timer.start()
        said = running.communicate()[1]
        timer.cancel()
        return running.returncode, said

    def wrong(self, number: int) -> str:
        """Return what is not right of a sandbox in which a number is to be; "" where all is."""
        settings = load(self.folder, {"target": "sandbox"})
        objects = Objects(connected(settings), SPACE)
        names = {
            f"{kind} {found['metadata']['name']}"
            for kind in ("Deployment", "Service")
            for found in objects.list(kind)
        }
        right = {
            f"{kind} {n}" for kind in ("Deployment", "Service") for n in ("web", f"other-{number}")
        }
        with closing(Stack.of(settings)) as stack:
            said = stack["web"].http.get("/").text.strip()
            found = [names ^ right, len(objects.list("Job")) - 1, stack.differences(), said]
        return "" if found == [set(), 0, {}, str(number)] else str(found)


def main() -> None:
    """Kill, promote again, look, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--argo", action="store_true")
    chosen = parser.parse_args()
    dice = random.Random(chosen.seed)
    image = read(ROOT / ".env")["PYTHON_IMAGE"]
    right = 0
    with tempfile.TemporaryDirectory() as temporary:
        project = Project(Path(temporary), image, "--argo" if chosen.argo else "--direct")
        try:
            must(project.promote(0))
            began = perf_counter()
            must(project.promote(1))
            usual_s = perf_counter() - began
            print(f"a promotion takes {usual_s:.1f} s", flush=True)
            for kill in range(1, chosen.kills + 1):
                after_s = dice.uniform(0, usual_s)
                code, said = project.promote(2 * kill, killed_after_s=after_s)
                phase = said.rstrip().rpartition("\n")[2][:50] if code else "it had ended"
                code, said = project.promote(2 * kill + 1)
                wrong = said if code else project.wrong(2 * kill + 1)
                right += not wrong
                print(f"{after_s:5.1f} s  {phase:<50}  {wrong or 'right'}", flush=True)
        finally:
            project.nomock("sandbox", "down").communicate()
    print(f"right after {right} of {chosen.kills} kills (goal: all)")


def must(promoted: tuple[int, str]) -> None:
    """End where a promotion that nobody killed failed."""
    code, said = promoted
    if code:
        raise SystemExit(said)


if __name__ == "__main__":
    main()
