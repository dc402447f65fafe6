"""Wait for many services at once, and give up as soon as one of them is lost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Event
from time import monotonic
from types import MappingProxyType

from nomock.errors import NotReadyError
from nomock.readiness.verdict import Verdict
from nomock.readiness.watch import ReadinessWatch
from nomock.target import Container

# A look takes the engine some milliseconds, which the services that start have to wait for.
_PAUSE_S = 0.04
_MOST_PAUSE_S = 1.0
# What starts for long is seen a little later: by this part of the time that it took.
_PART = 0.05


def wait_until_ready(
    watch: ReadinessWatch,
    names: Collection[str] | None,
    *,
    deadline: float,
    progress: Callable[[str], None] = lambda text: None,
    finished: Callable[[], bool] = lambda: True,
    before: Mapping[str, str | None] = MappingProxyType({}),
) -> None:
    """Return when every service is ready and ``finished`` says that all were started.

    ``deadline`` is of time.monotonic(); ``before`` as in Watch.judge, until ``finished``.
    Raises ServiceDiedError for the first service that is lost, NotReadyError at the deadline.
    """
    began_s, asked, pause = monotonic(), 0, Event()
    timeout_s = deadline - began_s
    watch = watch.anew()
    while True:
        done = finished()  # before the look, so that a "ready" is of after the start-up
        containers = watch.target.containers(watch.project.name)
        verdicts = watch.judge(containers, names, before={} if done else before, sure=True)
        asked += 1
        if loss := watch.loss(verdicts, containers):
            raise loss
        waiting = {n: v for n, v in verdicts.items() if v.state != "ready"}
        if done and not waiting:
            return
        if waiting:  # else compose is still about to replace what was ready before
            progress(_progress_text(len(verdicts), waiting))
        is_late = monotonic() > deadline
        if is_late and not waiting:
            raise NotReadyError(
                f"docker compose has not finished after {timeout_s:.0f} s",
                where=f"stack {watch.project.name}",
                seen="every service is ready, as far as it has come",
                todo="see what it waits for: docker compose up; "
                "more time: timeout_s in [tool.nomock]",
            )
        if is_late:
            raise _late(watch, waiting, containers, timeout_s, asked)
        pause.wait(max(_PAUSE_S, min((monotonic() - began_s) * _PART, _MOST_PAUSE_S)))


def wait_again(
    watch: ReadinessWatch, *, deadline: float, progress: Callable[[str], None] = lambda text: None
) -> None:
    """Look once more at services that were ready; wait for those that are so no longer.

    One request to the engine where all still are. Raises as ``wait_until_ready`` does.
    """
    containers = watch.target.containers(watch.project.name)
    verdicts = watch.judge(containers)
    if loss := watch.loss(verdicts, containers):
        raise loss
    if any(verdict.state != "ready" for verdict in verdicts.values()):
        wait_until_ready(watch, None, deadline=deadline, progress=progress)


def _late(
    watch: ReadinessWatch,
    waiting: Mapping[str, Verdict],
    containers: Sequence[Container],
    timeout_s: float,
    asked: int,
) -> NotReadyError:
    """Return the error of services that are not ready in time; the first that loops is shown."""
    seen = []
    for name, verdict in waiting.items():
        seen.append(f"{name}: {verdict.seen} (asked {asked} times)")
        if check := watch.last_check(containers, name):
            seen += check.splitlines()
        if listens := watch.why_closed(containers, name):
            seen.append(f"{name}: {listens}")
    seen += watch.project.unset
    name = next((n for n, v in waiting.items() if v.loops), next(iter(waiting)))
    log = watch.last_log(containers, name) or "(it logged nothing)"
    return NotReadyError(
        f"{', '.join(waiting)} not ready after {timeout_s:.0f} s",
        where=f"stack {watch.project.name}",
        seen="\n".join([*seen, f"the last that {name} logged:", log]),
        todo=f"nomock logs {name}; more time: timeout_s in [tool.nomock]",
    )


def _progress_text(total: int, waiting: Mapping[str, Verdict]) -> str:
    detail = ", ".join(f"{name} ({verdict.seen})" for name, verdict in list(waiting.items())[:3])
    more = f" and {len(waiting) - 3} more" if len(waiting) > 3 else ""
    return f"{total - len(waiting)}/{total} ready; waiting for {detail}{more}"
