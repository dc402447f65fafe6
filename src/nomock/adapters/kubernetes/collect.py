"""Runs beside a service, in a container of its own: hands out the records that its spies write.

Run as ``python3 -I -S -c TEXT WAY FOLDER [OFFSETS]``, by any Python from 3.8 on. Each line that it
prints is a piece of a file, in JSON: the file's name, where the piece begins, and its bytes.

    keep     until it is told to end; then it prints all there is, for who asks after the pod's end
    follow   prints what is behind the offsets, and all that is new, until another one follows
    all      prints what is behind the offsets, once
    settle   waits until who follows has printed all there is now; nothing where nobody does
    followed waits until somebody follows
"""

import json
import os
import signal
import sys
import time
from typing import Any

_SUFFIX = ".ndjson"
_PIECE = 1 << 16
_PAUSE_S = 0.05
# As long as others may take to read what was printed last, when the pod ends.
_LINGER_S = 0.3
_SETTLES_WITHIN_S = 5.0
_FOLLOWED = ".followed"


def sizes(folder: str) -> "dict[str, int]":
    """Return the files of records, with how long they are."""
    with os.scandir(folder) as entries:
        found = [entry for entry in entries if entry.name.endswith(_SUFFIX)]
    return {entry.name: entry.stat().st_size for entry in found if os.path.exists(entry.path)}


def tell(folder: str, offsets: "dict[str, int]") -> bool:
    """Print what is behind the offsets, which go on; return whether there was anything."""
    new = {n: size for n, size in sizes(folder).items() if size > offsets.get(n, 0)}
    for name in sorted(new):
        try:
            with open(os.path.join(folder, name), "rb") as file:
                at = offsets.get(name, 0)
                file.seek(at)
                while at < new[name]:
                    piece = file.read(min(_PIECE, new[name] - at))
                    if not piece:
                        break
                    print(json.dumps([name, at, piece.decode("latin-1")]))
                    at += len(piece)
                offsets[name] = at
        except FileNotFoundError:  # it has another name since: the next look finds it
            continue
    sys.stdout.flush()
    return bool(new)


def keep(folder: str) -> None:
    """Wait for the end, and print all there is."""
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    print("keeps", flush=True)
    signal.sigwait(signals)
    tell(folder, {})
    time.sleep(_LINGER_S)


def follow(folder: str, offsets: "dict[str, int]") -> None:
    """Print what is new, and write down how far that has come, until another one does."""
    own = _note(folder, offsets)
    while own == _noted(folder):
        began = time.monotonic()
        if tell(folder, offsets):
            own = _note(folder, offsets)
        # Of many files a look takes its time.
        time.sleep(max(_PAUSE_S, 10 * (time.monotonic() - began)))


def settle(folder: str) -> None:
    """Wait until who follows has printed all there is now."""
    wanted, until = sizes(folder), time.monotonic() + _SETTLES_WITHIN_S
    while time.monotonic() < until:
        try:
            with open(os.path.join(folder, _FOLLOWED), encoding="utf-8") as file:
                note: dict[str, Any] = json.load(file)
        except FileNotFoundError:
            return
        told = note["told"]
        is_told = all(told.get(name, 0) >= size for name, size in wanted.items())
        if is_told or not os.path.exists(f"/proc/{note['pid']}"):
            return
        time.sleep(_PAUSE_S / 2)


def followed(folder: str) -> None:
    """Wait until somebody follows, whose process is there."""
    until = time.monotonic() + _SETTLES_WITHIN_S
    while time.monotonic() < until:
        try:
            with open(os.path.join(folder, _FOLLOWED), encoding="utf-8") as file:
                if os.path.exists(f"/proc/{json.load(file)['pid']}"):
                    return
        except FileNotFoundError:
            pass
        time.sleep(_PAUSE_S / 2)


def _note(folder: str, offsets: "dict[str, int]") -> int:
    """Write the offsets down; return by what the note is known."""
    path = os.path.join(folder, f"{_FOLLOWED}.{os.getpid()}")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"pid": os.getpid(), "told": offsets}, file)
    number = os.stat(path).st_ino
    os.replace(path, os.path.join(folder, _FOLLOWED))
    return number


def _noted(folder: str) -> int:
    return os.stat(os.path.join(folder, _FOLLOWED)).st_ino


def main(way: str, folder: str, offsets: str = "{}") -> None:
    """Do what was asked for."""
    from_: dict[str, Any] = json.loads(offsets)
    if way == "keep":
        keep(folder)
    elif way == "follow":
        follow(folder, from_)
    elif way == "settle":
        settle(folder)
    elif way == "followed":
        followed(folder)
    else:
        tell(folder, from_)


main(*sys.argv[1:])
