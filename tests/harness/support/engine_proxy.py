"""Stands between a run and the engine, so that a test can take the engine away: kill or stop it.

python engine_proxy.py SOCKET ENGINE
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from threading import Thread


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def serve(path: str, engine: str) -> None:
    """Pass each connection on to the engine, for ever."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(64)
        print("ready", flush=True)
        while True:
            here, _ = listening.accept()
            there = socket.socket(socket.AF_UNIX)
            there.connect(engine)
            for ends in ((here, there), (there, here)):
                Thread(target=_pass_on, args=ends, daemon=True).start()


if __name__ == "__main__":
    serve(*sys.argv[1:])
