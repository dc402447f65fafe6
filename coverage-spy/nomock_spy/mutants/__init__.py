"""Mutants: small defects of the app's functions, each on for the requests that name it.

A run that has mutants tells them in a folder of its own, which ``start`` is given. A module's
mutants are made ready in a process when the first request comes that names one of them: each of
its functions gets code that looks at the context it runs in, and does there what the mutant does
(``choosing``). So several may be in flight at once, and a request may have more than one; every
process and every task follows by itself. None is on for longer than its test may last: a job that
a service keeps, and tries again and again, would be in the way of all later tests. So with the last
request of a run nothing is on any more, however the run ended.

What an import runs cannot be changed behind it: such a mutant is on for a whole process, from its
start (``imported``).
"""

from __future__ import annotations

import builtins
import sys
from _thread import allocate_lock
from time import time

from nomock_spy.activities import use_mutants
from nomock_spy.contexts import BACKGROUND, Context
from nomock_spy.guard import swallow
from nomock_spy.mutants.choosing import CHOOSE
from nomock_spy.mutants.told import Told
from nomock_spy.mutants.watching import Watching


def start(folder: str) -> None:
    """Switch on the mutant of this process if it has one, and hear of those that requests name."""
    told = Told(folder)
    mutants = Mutants(told)
    setattr(builtins, CHOOSE, mutants.is_on)  # where the app's functions find it
    use_mutants(mutants.switch_on)
    if told.imported:
        from nomock_spy.mutants.imported import install

        install(told)


class Mutants:
    """The mutants of this process's code."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._lock = allocate_lock()
        self._ready: set[str] = set()
        """The modules whose functions have their mutants."""
        self._watching = Watching(told)

    def switch_on(self, context: Context) -> None:
        """Let a context have the mutants that its request named, those that are known."""
        try:
            origin = context.origin
            assert origin is not None, "it was made for a request"
            named, _, until_s = origin.mutant.partition(".")
            places = [self._told.place(mutant) for mutant in named.split("-")]
            with self._lock:
                for module in {module for module, number in places if number} - self._ready:
                    from nomock_spy.mutants.switching import switch

                    switch(self._told, module)
                    self._ready.add(module)
            context.mutants_until_s = float(until_s)
            context.mutants = tuple(number for _, number in places if number)
        except BaseException as error:
            swallow(error)

    def is_on(self, first: int, last: int) -> bool:
        """Tell the app's code whether one of some mutants is on in the context it runs in."""
        here = BACKGROUND.here
        for number in here.mutants:
            if first <= number <= last:
                break
        else:
            return False
        if time() > here.mutants_until_s:
            here.mutants = ()
            return False
        if first == last:
            try:
                self._watching.began(sys._getframe(1), self._told.mutant(first))
            except BaseException as error:
                swallow(error)
        return True
