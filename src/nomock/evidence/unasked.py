"""What befell the services in a whole run, and neither its tests did nor a failing one has told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from nomock.evidence.mishaps import Mishap, doer, ended, turned_unhealthy, with_details
from nomock.evidence.stories import Scene, Story, stories
from nomock.evidence.window import Span, Window
from nomock.target import Container, Target

_MOST_NAMED = 2
# The engine notices an end a moment later, when the next test may have begun.
_LATE_S = 0.5


@dataclass(frozen=True)
class RunWindow(Window):
    """The time of a run; a moment in it is one of the test that ran then."""

    tests: Sequence[Span] = ()
    """When each test ran, by the monotonic clock."""

    def with_tests(self, tests: Sequence[Span]) -> RunWindow:
        """Return this window with the tests of the run, in the order in which they ended."""
        return replace(self, tests=tests)

    def when(self, at_s: float) -> str:
        """Say a moment of the engine's clock by the tests."""
        on = [test for test in self.tests if self.is_in(test, at_s)]
        before = [test for test in self.tests if test.began_s + self.ahead_s <= at_s]
        if len(on) == 1:
            after_s = max(0.0, at_s - self.ahead_s - on[0].began_s)
            last = [test for test in before if test not in on][-1:] if after_s < _LATE_S else []
            return f"at {after_s:.1f} s of {on[0].name}" + "".join(
                f", right after {test.name}" for test in last
            )
        if on:
            more = f" and {len(on) - _MOST_NAMED} more" if len(on) > _MOST_NAMED else ""
            return f"while {', '.join(test.name for test in on[:_MOST_NAMED])}{more} ran"
        return f"after {before[-1].name}" if before else "before the first test"


def unasked(
    target: Target, containers: Sequence[Container], scene: Scene, told: Collection[Span]
) -> list[Mishap]:
    """Return it, in order of time.

    ``told``: of which container (``where``) a failing test has told what befell it, and in which
    window, by the engine's clock. Raises TargetError.
    """
    found = []
    for story in stories(target, containers, scene):
        own = [span for span in told if span.where == story.id]
        for mishap in _news(story, scene, own):
            found.append(with_details(target, story, mishap))
    return sorted(found, key=lambda mishap: mishap.at_s)


def _news(story: Story, scene: Scene, told: Collection[Span]) -> Iterator[Mishap]:
    """Yield what of a story is news: a later end must not be hidden by one that is none."""

    def is_news(at_s: float) -> bool:
        is_told = any(s.began_s <= at_s <= (s.ended_s or s.began_s) for s in told)
        return at_s >= scene.window.since_s and not is_told

    ends = [e for e in story.ends if is_news(e.at_s) and not doer(story, scene, e.at_s, e)[1]]
    course = story.course
    if course is not None and ends[-1:] != [*story.ends][-1:]:
        course = replace(course, state="running")  # that it is dead now was asked for, or told
    end = ended(replace(story, ends=ends, course=course), scene)
    if end is not None and not end.is_asked and is_news(end.at_s):
        yield end
    illness = turned_unhealthy(story, scene)
    if illness is None or illness.is_asked or not is_news(illness.at_s):
        return
    if told and illness.at_s == scene.window.now_s:  # since when is forgotten
        return
    # With something broken a healthcheck that asks for it fails as it should.
    if not any(scene.window.is_in(span, illness.at_s) for span in scene.spans):
        yield illness
