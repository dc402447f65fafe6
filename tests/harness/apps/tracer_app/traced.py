"""A service that sets a trace function of its own, as debuggers do."""

import sys

seen = set()


def trace(frame, event, argument):
    seen.add(frame.f_code.co_name)
    return trace


def work() -> None:
    pass


sys.settrace(trace)
for _ in range(2):
    sys.audit("nomock.context", "nomock.test=tests%2Ftest_traced.py%3A%3Atest_it")
    work()
    sys.audit("nomock.context", "")
print("work" in seen)
