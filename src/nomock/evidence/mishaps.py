"""What befell the services in a test's window, in words: who died, restarted, turned unhealthy."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nomock.evidence.showing import shown_line
from nomock.evidence.stories import End, Scene, Story, stories
from nomock.target import Container, Course, Target

_LOG_LINES = 20
# A healthcheck may print a whole page.
_MOST_OUTPUT_LINES = 10
_WIDTH = 160


@dataclass(frozen=True)
class Mishap:
    """What befell one container."""

    container_id: str
    service: str
    line: str
    """``web-2: exited with code 137 at 0.4 s (killed for memory)``."""
    at_s: float
    """When, by the engine's clock."""
    is_asked: bool = False
    """Whether the test itself or a fault did it on purpose."""
    is_of_a_fault: bool = False
    """Whether it was a fault of the test, all of which are told in a place of their own."""
    details: tuple[str, ...] = ()
    """What its healthcheck said, and the last that it logged."""


def mishaps(target: Target, containers: Sequence[Container], scene: Scene) -> list[Mishap]:
    """Return what befell the services, [] where nothing did.

    First what nobody asked for, of that what happened in the window, and all in order of time.
    """
    found = []
    for story in stories(target, containers, scene):
        for mishap in (ended(story, scene), turned_unhealthy(story, scene), _pause(story, scene)):
            if mishap is not None:
                found.append(with_details(target, story, mishap))
    since_s = scene.window.since_s
    return sorted(found, key=lambda m: (m.is_asked, m.at_s < since_s, m.at_s))


def ended(story: Story, scene: Scene) -> Mishap | None:
    """Tell how it ended, or that it was started again."""
    ends = [e for e in story.ends if e.exit_code != 0 or story.service not in scene.one_shots]
    if not ends:
        lacked_s = story.moment_of("oom")
        if lacked_s is None or lacked_s < scene.window.since_s:
            return None
        return _mishap(story, scene, lacked_s, "one of its processes was killed for memory {when}")
    last, times = ends[-1], f", {len(ends)} times" if len(ends) > 1 else ""
    code = "exit code not known" if last.exit_code is None else f"exit code {last.exit_code}"
    if story.is_dead:
        what = "ended" if last.exit_code is None else f"exited with code {last.exit_code}"
        at = scene.window.when(last.at_s)
        what += f"{',' if last.at_s < scene.window.began_s else ''} {at}{times}"
        if story.container is None:
            what += ", and was removed"
        elif story.course is not None and story.course.state == "restarting":
            what += ", and waits to be started again"
        notes = [last.note]
    else:
        last = ends[0]
        what = "restarted"
        notes = [f"{code} {scene.window.when(last.at_s)}{times}", last.note]
    if last.signal and last.act is None:
        notes.append(f"{_signal(last.signal)} by docker kill, stop or restart")
    told = "; ".join(note for note in notes if note)
    return _mishap(story, scene, last.at_s, what + (f" ({told})" if told else ""), last)


def turned_unhealthy(story: Story, scene: Scene) -> Mishap | None:
    """Tell that its healthcheck called it unhealthy, and what that said."""
    course = story.course
    if course is None or story.service in scene.ignores_health or story.is_dead:
        return None
    turned_s = story.moment_of("unhealthy") or course.unhealthy_since_s
    if turned_s is None or turned_s < scene.window.since_s:
        if course.health != "unhealthy" or (course.probes and course.probes[-1].exit_code == 0):
            return None
        if scene.test is None:  # a run began with all of them well
            what = f"turned unhealthy, the engine has forgotten when{_said(course)}"
            return _mishap(story, scene, turned_s or scene.window.now_s, what)
        since = "is unhealthy, since before this test began"
        return _mishap(story, scene, turned_s or scene.window.since_s, since + _said(course))
    if any(a.what == "pause" and a.at_s + scene.window.ahead_s <= turned_s for a in story.acts):
        return None  # the engine calls one that is paused unhealthy
    well_s = story.moment_of("healthy")
    again = f", healthy again {scene.window.when(well_s)}" if well_s and well_s > turned_s else ""
    return _mishap(story, scene, turned_s, f"turned unhealthy {{when}}{again}{_said(course)}")


def _pause(story: Story, scene: Scene) -> Mishap | None:
    """Tell that somebody else froze it."""
    if story.container is None or story.container.state != "paused":
        return None
    if any(act.what == "pause" for act in story.acts):
        return None
    return _mishap(story, scene, scene.window.now_s, "is paused")


def _mishap(story: Story, scene: Scene, at_s: float, what: str, end: End | None = None) -> Mishap:
    """Make the line, with whose doing it was, so far as that is known."""
    whose, is_asked, is_of_fault = doer(story, scene, at_s, end)
    line = f"{story.name}: {what.replace('{when}', scene.window.when(at_s))}{whose}"
    return Mishap(story.id, story.service, line, at_s, is_asked, is_of_fault)


def doer(story: Story, scene: Scene, at_s: float, end: End | None) -> tuple[str, bool, bool]:
    """Return who did it, in words, whether it was asked for, and whether that was by a fault."""
    on = [span for span in scene.spans if scene.window.is_in(span, at_s)]
    of_fault = next((span for span in on if span.where == story.service), None)
    act, other = end.act if end else None, scene.others.get(story.service)
    whose = "this test's" if scene.test is not None else "a test's"
    if of_fault is not None:
        return f", by {whose} fault {of_fault.name}", True, True
    if act is not None:
        who = "this test" if act.test == scene.test else act.test or "this run"
        return (
            f", after {who} {'stopped it' if act.what == 'stop' else f'sent it {act.what}'}",
            True,
            False,
        )
    if other is not None:
        return f", by the {other}", True, False
    if on:
        return f", while {whose} fault was on: {', '.join(span.name for span in on)}", False, False
    return "", False, False


def with_details(target: Target, story: Story, mishap: Mishap) -> Mishap:
    """Add what its healthcheck said, and what it logged last; nothing to what was asked for."""
    if mishap.is_asked:
        return mishap
    details = list(_healthcheck(story.course))
    if story.container is None:
        details.append("its log is gone with its container")
    elif log := target.log_text(story.id, tail=_LOG_LINES):
        lines = [shown_line(line, story.service) for line in log.splitlines()]
        details += [f"the last that {story.name} logged:", *_indented(lines)]
    else:
        details.append(f"{story.name} logged nothing")
    return replace(mishap, details=tuple(details))


def _healthcheck(course: Course | None) -> Iterator[str]:
    """Yield what the last run of a healthcheck said that failed; nothing where it goes well."""
    if course is not None and (last := course.complaint):
        yield f"its healthcheck failed with {last.exit_code}:"
        yield from _indented(last.output.splitlines()[-_MOST_OUTPUT_LINES:] or ["(nothing)"])


def _said(course: Course) -> str:
    """Return the last line of what the healthcheck said when it failed."""
    failed = [probe.output for probe in course.probes if probe.exit_code != 0 and probe.output]
    return f": {failed[-1].splitlines()[-1].strip()[:_WIDTH]}" if failed else ""


def _signal(number: str) -> str:
    try:
        return signal.Signals(int(number)).name
    except ValueError:
        return f"signal {number}"


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]
