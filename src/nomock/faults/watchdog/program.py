"""The watchdog's program, which runs in a container and shares a service's network namespace.

Its text is passed whole to the ``python3`` of the tools image: the standard library only. It is
asked by JSON lines on its standard input and answers each with one. When that input ends, because
whoever asked was killed, it undoes what it guards and goes.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import select
import signal
import sys
import time
from types import FrameType
from typing import Any

UNDO_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 20.0
PROXY = ("127.0.0.1", 8474)
"""Where Toxiproxy listens, if that is the service."""
_NO_PROGRAM = 127
_NOT_FOUND = 404

# Each counter is named by what it counts and the port. What stays inside the container, such as its
# healthcheck, is not counted. A packet without payload is at most 52 bytes long, 72 with IPv6.
TABLE = """
table inet {table} {{
    map attempts {{ type inet_service : counter; }}
    map to_server {{ type inet_service : counter; }}
    map from_server {{ type inet_service : counter; }}
    chain arriving {{
        type filter hook prerouting priority raw;
        iifname != "lo" jump counted
    }}
    chain leaving {{
        type filter hook output priority raw;
        oifname != "lo" jump counted
    }}
    chain counted {{
        tcp flags & (syn | ack) == syn counter name tcp dport map @attempts
        tcp flags & (syn | rst) != 0 return
        meta nfproto ipv4 meta length <= 52 return
        meta nfproto ipv6 meta length <= 72 return
        counter name tcp dport map @to_server
        counter name tcp sport map @from_server
    }}
}}
"""
KINDS = ("attempts", "to_server", "from_server")
_COUNTER = re.compile(r"counter (\w+)_(\d+) \{\s*packets (\d+)")


class RefusedError(Exception):
    """What was asked cannot be done, and why."""


class Nft:
    """Changes and lists the namespace's rules through nft's own library: 0.2 ms, not a process."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libnftables.so.1")
        except OSError as error:
            raise RefusedError(str(error)) from error
        self._library.nft_ctx_new.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.nft_ctx_new(0))
        for stream in ("output", "error"):
            getattr(self._library, f"nft_ctx_buffer_{stream}")(self._context)
            getattr(self._library, f"nft_ctx_get_{stream}_buffer").restype = ctypes.c_char_p

    def run(self, commands: str) -> str:
        """Run commands, all or none of them, and return what they list."""
        failed = self._library.nft_run_cmd_from_buffer(self._context, commands.encode())
        output = self._library.nft_ctx_get_output_buffer(self._context).decode()
        if failed:
            errors = self._library.nft_ctx_get_error_buffer(self._context).decode()
            raise RefusedError(f"nft: {errors.strip()}")
        return str(output)


class Counters:
    """Counts packets from and to ports, in a table of its own."""

    def __init__(self, nft: Nft) -> None:
        self._nft = nft
        self._table = f"nomock_{os.urandom(6).hex()}"
        self._ports: set[int] = set()
        nft.run(TABLE.format(table=self._table))

    def read(self, ports: list[int]) -> dict[int, dict[str, int]]:
        """Return what was counted of each port; it is counted from its first question on."""
        added = [
            f"add counter inet {self._table} {kind}_{port}\n"
            f'add element inet {self._table} {kind} {{ {port} : "{kind}_{port}" }}\n'
            for port in set(ports) - self._ports
            for kind in KINDS
        ]
        if added:
            self._nft.run("".join(added))
            self._ports |= set(ports)
        found: dict[int, dict[str, int]] = {port: {} for port in ports}
        listed = self._nft.run(f"list counters table inet {self._table}")
        for kind, port, packets in _COUNTER.findall(listed):
            if int(port) in found:
                found[int(port)][kind] = int(packets)
        return found

    def close(self) -> None:
        """Count no more."""
        self._nft.run(f"delete table inet {self._table}")


class Guards:
    """What is undone when its time is over, or when nobody is there any more."""

    def __init__(self) -> None:
        self._guards: dict[str, tuple[float, list[dict[str, Any]]]] = {}
        self.undone: dict[str, str] = {}
        """Guards that were undone when their time was over, with what failed."""

    def set(self, key: str, undo: list[dict[str, Any]], expires_s: float) -> None:
        """Guard something anew; a guard of the same key is forgotten."""
        self._guards.pop(key, None)
        self._guards[key] = (time.monotonic() + expires_s, undo)

    def forget(self, key: str) -> None:
        """Guard it no longer, without undoing it."""
        self._guards.pop(key, None)

    def next_s(self) -> float | None:
        """Return in how many seconds the next one is due; None where there is none."""
        dues = [due_s for due_s, _ in self._guards.values()]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def undo(self, *, due_only: bool) -> None:
        """Undo those whose time is over, or all; the newest first."""
        for key, (due_s, undo) in reversed(list(self._guards.items())):
            if not due_only or due_s <= time.monotonic():
                del self._guards[key]
                self.undone[key] = "\n".join(filter(None, map(undo_one, undo)))


def undo_one(undo: dict[str, Any]) -> str:
    """Undo one thing and return what failed; nothing may keep the next one from being undone."""
    try:
        if "http" in undo:
            method, path, body = undo["http"]
            status, text = ask_proxy(method, path, body)
            failed = status >= 400 and status != _NOT_FOUND
            return f"{method} {path}: {status} {text}" if failed else ""
        code, text = run(undo["command"], undo.get("input", ""), UNDO_TIMEOUT_S)
        return f"{' '.join(undo['command'])}: {text}" if code else ""
    except Exception as error:
        return f"{undo}: {error!r}"


def ask_proxy(method: str, path: str, body: Any) -> tuple[int, str]:
    """Ask Toxiproxy's control port; return the status and what it said."""
    from http.client import HTTPConnection  # 30 ms, which a watchdog without a proxy need not pay

    connection = HTTPConnection(*PROXY, timeout=UNDO_TIMEOUT_S)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace").strip()
    finally:
        connection.close()


def run(command: list[str], text: str, timeout_s: float) -> tuple[int, str]:
    """Run a command; return its exit code and what it said on both its streams."""
    import subprocess  # as above

    try:
        done = subprocess.run(
            command,
            input=text.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
        )
    except FileNotFoundError as error:
        return _NO_PROGRAM, str(error)
    except subprocess.TimeoutExpired as error:
        return _NO_PROGRAM, str(error)
    return done.returncode, done.stdout.decode(errors="replace")


class Program:
    """Answers until its input ends, it is told to end, or its container is stopped."""

    def __init__(self) -> None:
        self._guards = Guards()
        self._counters = Counters(Nft())

    def main(self) -> None:
        """Answer; then leave nothing behind."""
        try:
            say(answer={})
            self._answer_all()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            self._guards.undo(due_only=False)
            self._counters.close()

    def _answer_all(self) -> None:
        unread = b""
        while True:
            asked_now, _, _ = select.select([0], [], [], self._guards.next_s())
            self._guards.undo(due_only=True)
            if not asked_now:
                continue
            read = os.read(0, 1 << 16)
            if not read:
                return
            *lines, unread = (unread + read).split(b"\n")
            for line in lines:
                asked = json.loads(line)
                if not self._answer(asked.pop("do"), asked):
                    return

    def _answer(self, do: str, asked: dict[str, Any]) -> bool:
        """Do what is asked and say so; return whether to go on."""
        answer: Any = {}
        try:
            if do == "counts":
                answer = self._counters.read(asked["ports"])
            elif do == "run":
                answer = run(asked["command"], asked["input"], COMMAND_TIMEOUT_S)
            elif do == "guard":
                self._guards.set(asked["key"], asked["undo"], asked["expires_s"])
            elif do == "unguard":
                self._guards.forget(asked["key"])
            elif do == "end":
                return False
            undone, self._guards.undone = self._guards.undone, {}
            say(answer=answer, undone=undone)
        except RefusedError as error:
            say(error=str(error))
        return True


def say(**answer: Any) -> None:
    """Write an answer."""
    print(json.dumps(answer), flush=True)


def stop(number: int, frame: FrameType | None) -> None:
    """End as at the end of the input."""
    sys.exit()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    try:
        program = Program()
    except RefusedError as error:
        say(error=str(error))
    else:
        program.main()
