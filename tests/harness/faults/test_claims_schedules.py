"""No schedule of tests that use and break things waits for ever: ten thousand random ones.

The real claims, on real locks. Each test is a thread, and one of them runs at a time: whoever waits
hands on to another, chosen at random. So a schedule is the same for the same seed, and one that
hangs shows as one in which nobody gets on.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from threading import Semaphore, Thread

import pytest

from nomock.errors import LockedError
from nomock.faults.locking.claims import Claims

PARTS = "abcdef"
# What may be used by who breaks a part: a chain, so that some faults meet and some do not.
AROUND = {part: frozenset({part, PARTS[(n + 1) % 6]}) for n, part in enumerate(PARTS)}
TESTS = 4
SCHEDULES = 10_000
# Of so many turns in which nobody got on, each test had some.
STUCK = 400


class Turns:
    """Lets one thread run at a time, and hands on at random."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._gates = [Semaphore(0) for _ in range(TESTS)]
        self._there = list(range(TESTS))
        self._over = Semaphore(0)
        self.idle = 0

    def run(self, bodies: list[Callable[[], None]]) -> None:
        """Run all of them to their end."""

        def one(number: int, body: Callable[[], None]) -> None:
            self._gates[number].acquire()
            try:
                body()
            finally:
                self._there.remove(number)
                self._hand_on()

        threads = [Thread(target=one, args=pair) for pair in enumerate(bodies)]
        for thread in threads:
            thread.start()
        self._hand_on()
        self._over.acquire()
        for thread in threads:
            thread.join()

    def pause(self, number: int) -> None:
        """Let another one run; raise where nobody gets on."""
        self.idle += 1
        if self.idle > STUCK:
            raise AssertionError("nobody gets on")
        self._hand_on()
        self._gates[number].acquire()

    def _hand_on(self) -> None:
        if self._there:
            self._gates[self._chance.choice(self._there)].release()
        else:
            self._over.release()


class World:
    """Tests of one schedule after the other, each with the claims of a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.turns = Turns(random.Random(0))
        self.claims = [
            Claims(
                folder,
                "stack",
                around=lambda parts: frozenset().union(*map(AROUND.__getitem__, parts)),
                patience_s=1e6,
                pause=lambda number=number: self.turns.pause(number),
            )
            for number in range(TESTS)
        ]
        self.refused = self.together = 0

    def play(self, seed: int) -> None:
        """Play one schedule to its end; raise what went wrong."""
        chance = random.Random(seed)
        self.turns = Turns(chance)
        errors: list[BaseException] = []
        scripts = [_script(chance) for _ in range(TESTS)]

        def body(number: int) -> Callable[[], None]:
            def run() -> None:
                try:
                    self._test(number, scripts[number])
                except BaseException as error:
                    errors.append(error)

            return run

        self.turns.run([body(number) for number in range(TESTS)])
        if errors:
            raise errors[0]

    def _test(self, number: int, script: list[tuple[str, set[str]]]) -> None:
        claims = self.claims[number]
        try:
            for what, parts in script:
                if what == "uses":
                    claims.acquire_shared(parts)
                else:
                    claims.acquire_exclusive(parts, f"test {number}")
                self._look()
                self.turns.idle = 0
                self.turns.pause(number)
        except LockedError:
            self.refused += 1
        finally:
            claims.release()
            self.turns.idle = 0

    def _look(self) -> None:
        for one in self.claims:
            for other in self.claims:
                if one is not other:
                    met = one._alone & (other._alone | other._shared)
                    assert not met, f"{met} is broken by one and used by another"
        self.together += sum(bool(one._alone) for one in self.claims) > 1


def _script(chance: random.Random) -> list[tuple[str, set[str]]]:
    return [
        (chance.choice(["uses", "breaks"]), set(chance.sample(PARTS, chance.randint(1, 2))))
        for _ in range(chance.randint(1, 5))
    ]


@pytest.mark.slow
def test_every_test_should_come_to_its_end_when_they_use_and_break_things_at_random(
    tmp_path: Path,
) -> None:
    world = World(tmp_path / ".nomock")
    for seed in range(SCHEDULES):
        try:
            world.play(seed)
        except BaseException as error:
            error.add_note(f"schedule of seed {seed}")
            raise
    # Both have happened, so that the schedules show something.
    assert world.together > SCHEDULES / 100
    assert 0 < world.refused < SCHEDULES / 2


def test_a_schedule_should_be_seen_to_hang_when_it_does(tmp_path: Path) -> None:
    world = World(tmp_path / ".nomock")
    outside = Claims(tmp_path / ".nomock", "stack")
    outside.acquire_exclusive(set(PARTS), "one that never ends")
    with pytest.raises(AssertionError, match="nobody gets on"):
        world.play(1)
