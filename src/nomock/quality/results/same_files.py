"""Whether a test is known to be flaky, in a sentence, for whoever looks at its failure."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from nomock.errors import QualityError
from nomock.quality.results.book import ResultsBook
from nomock.quality.results.rows import FAILED, PASSED


def flakiness(state_dir: Path, test: str) -> str:
    """Say how often a test failed on the files on which it passed, too, the newest such files.

    "" where it did not, and where results cannot be read: a failure is told without them.
    """
    try:
        with ResultsBook.read(state_dir) as book:
            endings = book.endings(test)
    except QualityError:
        return ""
    for tree in dict.fromkeys(tree for tree, _, _ in reversed(endings)):
        own = [(outcome, began_s) for of, outcome, began_s in endings if of == tree]
        failed = sum(outcome == FAILED for outcome, _ in own)
        passed = [began_s for outcome, began_s in own if outcome == PASSED]
        if failed and passed:
            at = f"{datetime.fromtimestamp(passed[-1]):%Y-%m-%d %H:%M:%S}"
            ran = failed + len(passed)
            return f"with the same files it failed {failed} times of {ran}, and passed at {at}"
    return ""
