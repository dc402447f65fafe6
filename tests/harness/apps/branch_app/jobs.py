"""Two jobs in turn, for a test each, and what they decide on."""

import sys


def decide(number):
    if number < 9000:
        return "less"
    return "more"


def work(test, numbers):
    sys.audit("nomock.context", f"nomock.test=test_jobs.py%3A%3A{test}")
    for number in numbers:
        decide(number)
    sys.audit("nomock.context", "")


work("test_less_then_more", range(9001))
work("test_more", [9000])
work("test_less", [1])
work("test_more_then_less", range(12000, 8000, -1))
