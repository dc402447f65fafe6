"""What the HTTP fault proxy costs a request on its edge, against Toxiproxy alone.

Figure (issue 5): at most 0.2 ms, median, while no rule meets the request.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from ground import use_images

from nomock.adapters.httpfaults import CONTROL_PORT, HttpFaults
from nomock.loading import load
from nomock.stack import Service, Stack

HERE = Path(__file__).parent
ALONE, BOTH = "Toxiproxy alone", "and the HTTP fault proxy"
OTHERS_RULES = 20
BODY = b"token=" + b"t" * 594
REQUEST = (
    b"POST /introspect HTTP/1.1\r\nHost: toxiproxy:18001\r\nAccept: */*\r\n"
    b"Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nUser-Agent: python-httpx/0.28\r\n"
    b"baggage: user=1,nomock.test=tests%%2Ftest_instances.py%%3A%%3Atest_an_order\r\n"
    b"Authorization: Basic aW5zdGFuY2VzOmluc3RhbmNlcy1jbGllbnQtc2VjcmV0\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b"
) % (len(BODY), BODY)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4000)
    rounds = parser.parse_args().rounds
    use_images()
    stack = Stack.of(load(HERE / "http_edge"))
    try:
        stack.prepare(lambda line: None)
        measure(stack, "no rule", rounds)
        faults = HttpFaults("127.0.0.1", stack["httpfaults"].port(CONTROL_PORT))
        for number in range(OTHERS_RULES):
            rule = {"edge": "bench->web", "action": "status", "test": f"tests/test_{number}.py"}
            faults.put(str(number), rule)
        measure(stack, f"{OTHERS_RULES} rules of other tests", rounds)
    finally:
        stack.close()
        stack.down(volumes=True)


def measure(stack: Stack, title: str, rounds: int) -> None:
    """Ask on an open connection each way, in turns, and print what each takes."""
    ports = {ALONE: stack["toxiproxy"].port(18000), BOTH: stack["toxiproxy"].port(18001)}
    times: dict[str, list[float]] = {name: [] for name in ports}
    with ExitStack() as opened:
        asks = {name: opened.enter_context(connection(port)) for name, port in ports.items()}
        for ask in asks.values():
            for _ in range(200):
                ask()
        before_s = cpu_of(stack["httpfaults"])
        for _ in range(rounds):
            for name, ask in asks.items():
                times[name].append(timed(ask))
        cpu_s = cpu_of(stack["httpfaults"]) - before_s
    print(f"\n{title}")
    pairs = list(zip(times[BOTH], times[ALONE], strict=True))
    for name, seconds in times.items():
        p90_ms = quantiles(seconds, n=10)[-1] * 1000
        print(f"  {name:<26} median {median(seconds) * 1000:6.3f} ms  90 % {p90_ms:6.3f} ms")
    added_ms = median(both - alone for both, alone in pairs) * 1000
    ratio = median(both / alone for both, alone in pairs)
    cpu_ms = cpu_s / rounds * 1000
    print(f"  added: median {added_ms:+.3f} ms, ratio {ratio:.2f}; CPU a request {cpu_ms:.3f} ms")


def cpu_of(service: Service) -> float:
    """Return the seconds of CPU that a service's first process has had."""
    user, system = service.exec("cat", "/proc/1/stat").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def connection(port: int) -> Iterator[Callable[[], None]]:
    """Give what sends the request and waits for the whole answer."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask() -> None:
            sock.sendall(REQUEST)
            answer = b""
            while not answer.endswith(b"\n"):
                piece = sock.recv(1 << 16)
                assert piece, "the connection ended"
                answer += piece
            assert answer.startswith(b"HTTP/1.1 200 ")

        yield ask


def timed(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


if __name__ == "__main__":
    main()
