"""A process that closes every descriptor it has, as one that becomes a daemon does."""

import contextlib
import os


def after() -> None:
    os.getpid()  # after


os.closerange(3, 256)
pipes = [os.pipe() for _ in range(20)]
after()
for reading, _ in pipes:
    os.set_blocking(reading, False)
    with contextlib.suppress(BlockingIOError):
        print(f"in a pipe of the service: {os.read(reading, 1000)!r}")
print("done")
