"""A command that pulls or builds: run into a log, with its newest step shown meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import FrameType

_PROGRESS_EVERY_S = 0.5
_STEP_MARK = "==> "


class Steps:
    """What is being done to the images, shown and remembered for the message of a failure."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self.current = "look for the images"
        self.show = progress

    def begin(self, step: str) -> None:
        """Begin a step."""
        self.current = step
        self.show(step)

    def run(self, command: Sequence[str], verb: str, tag: str, log: Path) -> bool:
        """Run a command into the log, showing its newest step; True if it ended with 0."""
        self.begin(f"{verb} {tag}")
        started_s = monotonic()
        with log.open("ab") as written, log.open(encoding="utf-8", errors="replace") as read:
            read.seek(0, os.SEEK_END)
            process = None
            try:
                with _interrupts_wait():
                    # A session of its own, so that the end of this process reaches all of its own.
                    process = subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=written,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                ended = False
                while not ended:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(_PROGRESS_EVERY_S)
                    ended = process.returncode is not None
                    for line in read:
                        if line.startswith(_STEP_MARK):
                            self.current = line.removeprefix(_STEP_MARK).strip()
                    detail = "" if self.current.startswith(verb) else f"{self.current} "
                    self.show(f"{verb} {tag}: {detail}({monotonic() - started_s:.0f} s)")
                return process.returncode == 0
            except OSError as error:
                if process is not None:
                    raise  # on a full disk
                append(log, f"{command[0]} cannot be run: {error.strerror}\n")
                return False
            finally:
                if process is not None:
                    _end(process)


def append(log: Path, text: str) -> None:
    """Write to the end of a log."""
    with log.open("a", encoding="utf-8") as written:
        written.write(text)


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Let Ctrl-C wait for the end of the block: else nobody knows the process that it starts."""
    if threading.current_thread() is not threading.main_thread():
        yield  # which signals do not reach
        return
    came: list[tuple[int, FrameType | None]] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came and callable(handler):
            handler(*came[0])


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command that still runs, with all that it started; it cleans up behind itself."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGTERM)
        else:
            process.terminate()
        process.wait()
