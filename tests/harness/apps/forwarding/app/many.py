"""Works for ten thousand tests, and tells what of them is kept in memory."""

from __future__ import annotations

import gc
import sys


def work(number: int) -> None:
    sys.audit("nomock.context", f"nomock.test=tests%2Ftest_many.py%3A%3Atest_{number}")
    sys.audit("nomock.context", "")


def kept(numbers: range) -> tuple[int, int]:
    for number in numbers:
        work(number)
    gc.collect()
    contexts = [o for o in gc.get_objects() if type(o).__name__ == "Context"]
    return len(contexts), sys.getallocatedblocks()


first_contexts, first_blocks = kept(range(1_000))
contexts, blocks = kept(range(1_000, 10_000))
print(first_contexts, contexts, blocks - first_blocks)
