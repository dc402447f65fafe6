"""What faults cost: putting one on an edge and healing it, and the edge without any.

Figures (issue 5): at most 15 ms to add or to remove an edge fault; the median latency of the
proxy in the path at most 0.3 ms; a test that uses no fault pays nothing.
"""

from __future__ import annotations

import argparse
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from ground import use_images

from nomock.faults.active import FaultSession
from nomock.faults.faults import Faults
from nomock.faults.journal import Journal
from nomock.faults.locking.claims import Claims
from nomock.faults.locking.gate import Gate
from nomock.faults.stack_control import StackControl
from nomock.loading import load
from nomock.stack import Stack

HERE = Path(__file__).parent
EDGE = "bench->echo"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    use_images()
    stack = Stack.of(load(HERE / "edges"))
    try:
        stack.prepare(print)
        paths(stack, rounds * 10)
        edge_faults(stack, rounds)
        gate(stack, rounds * 10)
    finally:
        stack.close()
        stack.down(volumes=True)


def paths(stack: Stack, rounds: int) -> None:
    """Round trips of one byte, straight and through the edge, in turns on open connections."""
    echo, edge = stack["echo"].port(7000), stack["toxiproxy"].port(17000)
    with connection(echo) as straight, connection(edge) as through:
        times = in_turns({"straight": straight, "through the edge": through}, rounds)
    base = median(times["straight"])
    for name, seconds in times.items():
        over_ms = (median(seconds) - base) * 1000
        print(f"  {name:<40} {spread(seconds)}  over straight {over_ms:+.3f} ms")


def edge_faults(stack: Stack, rounds: int) -> None:
    """Time of the begin and the end of each kind of edge fault, with all that belongs to it."""
    control = StackControl(stack)
    state_dir = stack.settings.state_dir
    claims, journal = Claims(state_dir, stack.name), Journal(state_dir, stack.name)
    test = FaultSession(control, claims, journal, "bench")
    faults = Faults(test)
    try:
        for fault in (
            lambda: faults.latency(EDGE, latency_ms=1),
            lambda: faults.blackhole(EDGE),
            lambda: faults.reset(EDGE),
            lambda: faults.refused(EDGE),
        ):
            begins, ends = [], []
            for number in range(rounds + 1):
                on = fault()
                begins.append(timed(on.begin))
                ends.append(timed(on.end))
                if not number:
                    first_ms = begins.pop() * 1000
                    ends.pop()
            name = on.fault.name
            print(f"  add    {name:<33} {spread(begins)}  first of its run {first_ms:.0f} ms")
            print(f"  remove {name:<33} {spread(ends)}")
    finally:
        control.close()


def gate(stack: Stack, rounds: int) -> None:
    """What the gate costs a test that uses a service and no fault."""
    gate = Gate(stack)
    first_ms = timed(lambda: gate.use("echo", 7000)) * 1000

    def test() -> None:
        for _ in range(10):
            gate.use("echo", 7000)
        gate.release()

    print(
        f"  {'gate, a test of ten requests':<40} {spread([timed(test) for _ in range(rounds)])}"
        f"  first of its run {first_ms:.1f} ms"
    )


@contextmanager
def connection(port: int) -> Iterator[Callable[[], None]]:
    """Give what sends a byte and waits for it."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask() -> None:
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"

        yield ask


def in_turns(asks: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in asks}
    for ask in asks.values():
        ask()
    for _ in range(rounds):
        for name, ask in asks.items():
            times[name].append(timed(ask))
    return times


def timed(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def spread(seconds: list[float]) -> str:
    p90 = quantiles(seconds, n=10)[-1]
    return f"median {median(seconds) * 1000:7.3f} ms  90 % {p90 * 1000:7.3f} ms"


if __name__ == "__main__":
    main()
