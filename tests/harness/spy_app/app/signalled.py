"""A process that is told to stop again and again, wherever it is: also inside the spy."""

import signal

LINES = "\n".join(f"a{n} = {n}" for n in range(20_000))


def stop(*_: object) -> None:
    raise SystemExit(7)


signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.005)
while True:
    # Lines that are new each time round, so that the spy is nearly always at work.
    exec(compile(LINES, "/app/made_up.py", "exec"))
