"""A process whose signal handler raises, again and again, while the spy is at work."""

import signal

ROUNDS = 30
raised = caught = 0


class StopError(Exception):
    pass


def stop(*_: object) -> None:
    global raised
    raised += 1
    raise StopError


signal.signal(signal.SIGALRM, stop)
for n in range(ROUNDS):
    # Python looks for signals where a function begins, and here only the spy's do; each of these
    # lines takes the spy a few microseconds, all of them many times the 0.5 ms.
    lines = "\n".join(f"a{i} = {i}" for i in range(5_000))
    code = compile(lines, f"/app/made_up_{n}.py", "exec")
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        exec(code)
    except StopError:
        caught += 1
print(f"raised {raised}, caught {caught}")
