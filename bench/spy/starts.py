"""Runs in a container of `instances`: start processes with and without the spy, in pairs."""

import json
import os
import sys
from time import perf_counter


def started_ms(command: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Start a process and return the wall time and the CPU it took, in milliseconds."""
    began = perf_counter()
    process = os.spawnvpe(os.P_NOWAIT, command[0], command, environ)
    _, status, used = os.wait4(process, 0)
    elapsed_ms = (perf_counter() - began) * 1000
    assert status == 0, status
    return elapsed_ms, (used.ru_utime + used.ru_stime) * 1000


def main() -> None:
    """Print a JSON list of [wall, CPU, wall with the spy, CPU with the spy] a pair."""
    command = [sys.executable, "-c", sys.argv[1]]
    spied = dict(os.environ)
    plain = {k: v for k, v in spied.items() if not k.startswith(("NOMOCK_", "PYTHONPATH"))}
    pairs = []
    for _ in range(int(sys.argv[2]) + 1):  # the first is a warm-up
        pairs.append([*started_ms(command, plain), *started_ms(command, spied)])
    print(json.dumps(pairs[1:]))


main()
