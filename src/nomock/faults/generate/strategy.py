"""Schedules for Hypothesis, which looks for one that the test does not stand, and shrinks it.

    @given(schedule=schedules(edges=["instances->postgres", "auth->redis"]))
    def test_…(faults, schedule):
        with faults.play(schedule, expect_traffic=False) as playing:
            while not playing.is_over:
                …

What is left then are few faults, mild and short ones, of which each is needed.
"""

from __future__ import annotations

from collections.abc import Iterable

from nomock.adapters.hypothesis import st
from nomock.faults.generate.chance import LEAST_MS, milliseconds, templates
from nomock.faults.schedule import Schedule, Step

# Coarse, so that few examples are needed to find out what still fails: each one is played.
_NOTCHES = 10
_TICK_MS = 50


def schedules(
    *,
    edges: Iterable[str] = (),
    services: Iterable[str] = (),
    kinds: Iterable[str] | None = None,
    lasts_s: float = 1.0,
    steps: int = 4,
    least_ms: int = LEAST_MS,
) -> st.SearchStrategy[Schedule]:
    """Return a strategy for schedules on these edges and services, of these kinds (None: all).

    They shrink to fewer steps, milder kinds and arguments, shorter and earlier faults, and to the
    edges that are named first. All have ended after ``lasts_s``, and each lasts ``least_ms`` at the
    least: longer than a request takes, so that none comes and goes between two. Raises ConfigError.
    """
    among = templates(edges, services, kinds)
    ticks = milliseconds(lasts_s, least_ms) // _TICK_MS
    least = -(-least_ms // _TICK_MS)

    @st.composite
    def step(draw: st.DrawFn) -> Step:
        template = draw(st.sampled_from(among))
        notch = st.integers(0, _NOTCHES)
        fault = template.make([draw(notch) / _NOTCHES for _ in range(template.parameters)])
        after = draw(st.integers(0, ticks - least))
        lasts = draw(st.integers(least, ticks - after))
        return Step(after * _TICK_MS, lasts * _TICK_MS, fault)

    drawn = st.lists(step(), min_size=1, max_size=steps)
    return drawn.map(Schedule.without_conflicts)
