"""What is known of each container in a test's window, put together from what the engine remembers.

Its events alone do not do: it forgets them soon. What it keeps of a container does not do either:
once that runs again, its exit code is gone, and of several ends all but the last.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nomock.evidence.window import Span, Window
from nomock.target import Act, Container, Course, Happening, Target, names_of

# The event of an end comes when the engine has cleared up after it.
_EVENT_LATE_S = 10.0
_SAME_S = 0.05
_KILLED = 137  # 128 and SIGKILL


@dataclass(frozen=True)
class Scene:
    """What a look at a stack needs to know of it, and of the test."""

    project: str
    window: Window
    test: str | None = None
    """Its id."""
    spans: Sequence[Span] = ()
    """Its faults."""
    others: Mapping[str, str] = field(default_factory=dict)
    """Service -> the fault of another test that is on it now."""
    lost: Collection[str] = ()
    """The ids of the containers that have ended, and are not as their author wants them."""
    one_shots: Collection[str] = ()
    """The services that are meant to end."""
    ignores_health: Collection[str] = ()
    """The services whose verdict of health counts for nothing."""


@dataclass(frozen=True)
class End:
    """One end of a container; the time is the engine's."""

    at_s: float
    exit_code: int | None
    """None where nobody knows it any more."""
    note: str = ""
    """More of how it ended, where that is known."""
    signal: str = ""
    """The number of the signal that somebody let the engine send before."""
    act: Act | None = None
    """What this process had done to it before."""


@dataclass(frozen=True)
class Story:
    """What happened to one container in the window."""

    id: str
    name: str
    """Its service, and where that has several containers its number: ``web-2``."""
    service: str
    container: Container | None
    """None where it is gone."""
    course: Course | None
    ends: Sequence[End]
    """How the container ended in the window; also its last end before, if it is still dead."""
    events: Sequence[Happening]
    acts: Sequence[Act]

    @property
    def is_dead(self) -> bool:
        """Whether it has ended and does not run again."""
        return self.course is None or self.course.state in {"exited", "dead", "restarting"}

    def moment_of(self, what: str) -> float | None:
        """Return when something happened to it the last time."""
        return next((e.at_s for e in reversed(self.events) if e.what == what), None)


def stories(target: Target, containers: Sequence[Container], scene: Scene) -> list[Story]:
    """Ask the engine what it knows of a stack's containers, gone ones too."""
    window = scene.window
    events: dict[str, list[Happening]] = {}
    since_s = min(window.earliest_s, window.now_s)
    for event in target.happenings(scene.project, since_s=since_s, until_s=target.now_s()):
        event = replace(event, at_s=window.by_now(event.at_s))
        if not window.set_s or event.at_s >= window.since_s:
            events.setdefault(event.container_id, []).append(event)
    names, found = names_of(containers), []
    for container in containers:
        course, own = _by_now(target.course(container.id), window), events.pop(container.id, [])
        acts = [act for act in target.acts if act.container_id == container.id]
        ends = _ends(target, container.id, course, own, acts, scene)
        name = names[container.id]
        found.append(
            Story(container.id, name, container.service, container, course, ends, own, acts)
        )
    several = {name.rpartition("-")[0] for name in names.values()}
    for id_, own in events.items():
        service = own[0].service
        acts = [act for act in target.acts if act.container_id == id_]
        name = f"{service}-{own[0].number}" if service in several else service
        ends = _ends(target, id_, None, own, acts, scene)
        found.append(Story(id_, name, service, None, None, ends, own, acts))
    return found


def _by_now(course: Course | None, window: Window) -> Course | None:
    """Return it with its times as the clock says them by now."""
    if course is None:
        return None
    finished_s, unhealthy_s = course.finished_s, course.unhealthy_since_s
    return replace(
        course,
        finished_s=None if finished_s is None else window.by_now(finished_s),
        unhealthy_since_s=None if unhealthy_s is None else window.by_now(unhealthy_s),
    )


def _ends(
    target: Target,
    id_: str,
    course: Course | None,
    events: Sequence[Happening],
    acts: Sequence[Act],
    scene: Scene,
) -> list[End]:
    """Join the events and what is kept, of the window; and an end before it that still lasts."""
    window, ends = scene.window, []
    lacked_memory, sent = False, ""
    for event in events:
        if event.what == "oom":
            lacked_memory = True
        elif event.what == "kill":
            sent = event.signal
        elif event.what == "die":
            note = "killed for memory" if lacked_memory else ""
            ends.append(End(event.at_s, event.exit_code, note, sent))
            lacked_memory, sent = False, ""
    if course is not None and course.finished_s is not None:
        ends = _with_kept(target, id_, course, course.finished_s, ends)
    lasts = course is None or course.state in {"exited", "dead", "restarting"}
    kept = [
        end
        for end in ends
        if end.at_s >= window.since_s or (lasts and end is ends[-1] and id_ in scene.lost)
    ]
    starts = [event.at_s for event in events if event.what == "start"]
    return [replace(end, act=_act_before(acts, end, window, starts)) for end in kept]


def _with_kept(
    target: Target, id_: str, course: Course, finished_s: float, ends: list[End]
) -> list[End]:
    """Take what the engine keeps of the last end: its true time, and why."""
    last = ends[-1] if ends else None
    is_same = last is not None and -_SAME_S <= last.at_s - finished_s <= _EVENT_LATE_S
    if last is not None and not is_same and last.at_s > finished_s:
        return ends
    is_dead = course.state in {"exited", "dead", "restarting"}
    code = course.exit_code if is_dead else last.exit_code if last and is_same else None
    note = last.note if last and is_same else ""
    if is_dead and not note:
        note = _why(target, id_, course)
    sent = last.signal if last and is_same else ""
    return [*(ends[:-1] if is_same else ends), End(finished_s, code, note, sent)]


def _why(target: Target, id_: str, course: Course) -> str:
    if course.out_of_memory:
        return "killed for memory"
    if course.exit_code != _KILLED:
        return ""
    death = target.exit_state(id_)  # which waits until the kernel's word must be there
    if death is not None and death.out_of_memory:
        return "killed for memory"
    return "perhaps killed for memory" if death and death.perhaps_out_of_memory else ""


def _act_before(
    acts: Sequence[Act], end: End, window: Window, starts: Sequence[float]
) -> Act | None:
    """Return what this process did that may have ended a container, if it has not started since.

    ``starts``: when it did, by the engine, which tells that better than when it was asked to: it
    takes its time to clear up behind an end first.
    """
    for act in reversed(acts):
        at_s = act.at_s + window.ahead_s
        if at_s > end.at_s + window.slack_s or act.what in {"pause", "unpause"}:
            continue
        if act.what != "start":
            return None if any(at_s + window.slack_s < s < end.at_s for s in starts) else act
        if not starts:
            return None
    return None
