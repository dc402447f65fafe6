"""``nomock flaky --hunt``: the tests again and again, each time under other conditions.

Each run is shuffled; by turns nothing else is different, the cores are busy, the network is slow.
A test that fails is not run again by itself: what it came to is a result like any other.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from time import monotonic
from typing import IO

from nomock.cli.running import environ_of
from nomock.config import Settings
from nomock.errors import NomockError, QualityError
from nomock.faults.topology import proxies
from nomock.hunting import CONDITIONS, Conditions
from nomock.project import resolve
from nomock.quality.pressure import busy_cores

_LATENCY_MS = 50
_ENDING_S = 60.0
"""How long a run may take to end, by its own means, once the time is up."""
_TELLS = {0, 1}
"""The exit codes of pytest after which its tests have ended, green or red."""
_MOST_SHOWN = 2000


def hunt(
    settings: Settings,
    within_s: float,
    arguments: Sequence[str],
    *,
    most_runs: int | None = None,
    first_seed: int | None = None,
) -> None:
    """Run the tests until the time is up; each run adds its results to those that are kept.

    ``first_seed`` is that of the first order, the next ones are of the numbers after it; None takes
    one by chance. Raises QualityError where pytest cannot run them at all.
    """
    if first_seed is None:
        first_seed = random.randrange(2**31)
    until = monotonic() + within_s
    among = [Conditions(), Conditions(busy=2 * (os.cpu_count() or 1))]
    if _has_edges(settings):
        among.append(Conditions(latency_ms=_LATENCY_MS))
    else:
        print("no slow network: no edge of this stack runs through Toxiproxy", file=sys.stderr)
    for number, conditions in enumerate(islice(cycle(among), most_runs), 1):
        if number > 1 and monotonic() >= until:
            break
        seed = first_seed + number - 1
        head = f"run {number}, --shuffle {seed}{_told(conditions)}: "
        print(head, end="", file=sys.stderr, flush=True)
        began = monotonic()
        with busy_cores(conditions.busy):
            try:
                how = _run(settings, [*arguments, "--nomock-shuffle", str(seed)], conditions, until)
            except QualityError as error:
                if number == 1:
                    raise
                how = error.what  # as where the stack does not become ready: the next one may
        print(f"{how}, {monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _has_edges(settings: Settings) -> bool:
    try:
        return bool(proxies(resolve(settings)))
    except NomockError:
        return False  # the run itself is about to say it


def _told(conditions: Conditions) -> str:
    words = []
    if conditions.busy:
        words.append(f"{conditions.busy} busy processes")
    if conditions.latency_ms:
        words.append(f"each edge {conditions.latency_ms} ms slower")
    return "".join(f", {word}" for word in words)


def _run(settings: Settings, arguments: Sequence[str], conditions: Conditions, until: float) -> str:
    """Run the tests once; return how that ended, in pytest's words or ours."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", *arguments]
    environ = environ_of(settings) | {CONDITIONS: conditions.told()}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, env=environ, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(max(0.0, until - monotonic()))
        except subprocess.TimeoutExpired:
            _end(process)
            return "ended, the time is up"
        except BaseException:
            _end(process)
            raise
        said = list(_lines(output))
    if code not in _TELLS:
        raise QualityError(
            f"pytest ended with {code} before its tests did",
            where=" ".join(command[1:]),
            seen="\n".join(said)[-_MOST_SHOWN:],
            todo="run it by itself, until its tests run",
        )
    return said[-1].strip("= ") if said else "nothing said"


def _lines(output: IO[bytes]) -> Iterator[str]:
    output.seek(0)
    for line in output.read().decode(errors="replace").splitlines():
        if plain := re.sub(r"\x1b\[[0-9;]*m", "", line).strip():
            yield plain


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a run as Ctrl-C does, so that it heals and tidies up; then by force."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_ENDING_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
