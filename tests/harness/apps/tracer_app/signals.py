"""A process whose signal handler raises, again and again, wherever the spy is at work."""

import signal
import sys

from other import end, step

ROUNDS = 200
raised = caught = 0


class StopError(Exception):
    pass


def stop(*_: object) -> None:
    global raised
    raised += 1
    raise StopError


def audit() -> None:
    sys.audit("app.works")


signal.signal(signal.SIGALRM, stop)
for _ in range(ROUNDS):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0002)
        while step(audit):
            pass
    except StopError:
        caught += 1
end()
print(raised, caught)
