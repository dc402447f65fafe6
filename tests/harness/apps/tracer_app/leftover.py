"""A thread that a test has started, and that goes on when 200 other tests were there since."""

import sys
import threading


def late() -> None:
    print("late")  # in: leftover


def leftover() -> None:
    everybody_was_there.wait()
    late()


def job(number: int) -> None:
    sys.audit("nomock.context", f"nomock.test=tests%2Ftest_jobs.py%3A%3Atest_{number}")
    if number == 0:
        thread.start()
    sys.audit("nomock.context", "")


everybody_was_there = threading.Event()
thread = threading.Thread(target=leftover)
for number in range(200):
    job(number)
everybody_was_there.set()
thread.join()
