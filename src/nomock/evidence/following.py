"""Follows what the services of a run log, and tells whose line each is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Event, Thread
from time import time
from typing import Any

from nomock.errors import NomockError
from nomock.evidence.redact import Redactor
from nomock.evidence.timeline import NOBODYS, OWN, TestNames, read_stamped
from nomock.target import Container, Target, names_of

_LOOKS_EACH_S = 1.0
# What a test began goes on in its services for a while after its end.
_MOST_REMEMBERED = 100

Tell = Callable[[str, dict[str, Any]], None]


class Follower:
    """Follows all containers of some projects, also those that start later."""

    def __init__(
        self, target: Target, projects: Callable[[], Iterable[str]], redactor: Redactor, tell: Tell
    ) -> None:
        """``projects`` are the stacks by name; ``tell`` is given a test's id and the line."""
        self._target = target
        self._projects = projects
        self._redactor = redactor
        self._tell = tell
        self._tests: OrderedDict[str, tuple[TestNames, float]] = OrderedDict()
        self._running: set[str] = set()
        self._followed: set[str] = set()
        self._end = Event()
        self._since_s = time()
        Thread(target=self._look, daemon=True).start()

    def begin(self, test: str) -> None:
        """A test begins: lines may name it from now on."""
        # Which worker runs it is not known here.
        self._tests[test] = (TestNames(test, run=""), time())
        self._running.add(test)
        while len(self._tests) > _MOST_REMEMBERED:
            self._tests.popitem(last=False)

    def end(self, test: str) -> None:
        """It is over: lines that name no test are not its own any more."""
        self._running.discard(test)

    def close(self) -> None:
        """Look for no more containers, and tell of no more lines."""
        self._end.set()

    def _look(self) -> None:
        while not self._end.is_set():
            try:
                for project in self._projects():
                    found = self._target.containers(project)
                    names = names_of(found)
                    for container in found:
                        if container.state == "running" and container.id not in self._followed:
                            self._followed.add(container.id)
                            self._start(container, names[container.id])
            except NomockError:
                pass  # the run itself says so, where that matters
            self._end.wait(_LOOKS_EACH_S)

    def _start(self, container: Container, name: str) -> None:
        Thread(target=self._follow, args=(container, name), daemon=True).start()

    def _follow(self, container: Container, name: str) -> None:
        try:
            for line in self._target.follow_logs(container.id, since_s=self._since_s):
                if self._end.is_set():
                    return
                self._read(line, name)
        except NomockError:
            pass  # likewise
        finally:
            self._followed.discard(container.id)  # it may be started again
            self._since_s = time()

    def _read(self, line: str, name: str) -> None:
        stamp, _, text = line.partition(" ")
        test, whose = self._whose(text)
        if test not in self._tests:
            return
        plain = self._redactor.known(self._redactor.text(text))
        found = read_stamped(stamp, name, plain, whose)
        self._tell(
            test,
            {
                "at_s": round(found.at_s - self._tests[test][1], 4),
                "service": name,
                "whose": whose,
                "level": found.level,
                "message": found.message,
                "fields": found.fields,
            },
        )

    def _whose(self, text: str) -> tuple[str, str]:
        """Return the test that a line names, or the only one that runs where it names none."""
        verdict = NOBODYS
        for test, (names, _) in reversed(list(self._tests.items())):
            verdict = names.whose(text)
            if verdict == OWN:
                return test, OWN
        running = list(self._running)
        return (running[0], NOBODYS) if len(running) == 1 and verdict == NOBODYS else ("", verdict)
