"""The canary: code of which it is known what runs, recorded like the app's own.

The harness looks for it before the tests: a process in which it is not recorded exactly would
report nothing, or nonsense.
"""

from __future__ import annotations

from nomock_spy.baggage import Origin
from nomock_spy.contexts import Context, current
from nomock_spy.cores import Core
from nomock_spy.writer import Writer

ORIGIN = Origin("nomock.canary", "")


def probe(take_branch: bool) -> str:
    """Run one of two lines."""
    if take_branch:
        return "branch"
    return "end"


def run(core: Core, writer: Writer) -> None:
    """Run the canary in a context of its own, and write down which of its lines must have run."""
    context = Context(ORIGIN)
    before = current.set(context)
    try:
        core.began(context, context, write_through=False)
        probe(take_branch=False)
        core.ended(context, context)
        first = probe.__code__.co_firstlineno
        writer.canary(context, probe.__code__.co_filename, hit=first + 4, missed=first + 3)
    finally:
        current.reset(before)
        writer.release()
