"""What the end of a container means: work that is done, a death, or one of several tries."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from nomock.project import Project, ServiceConfig
from nomock.readiness.verdict import Verdict
from nomock.target import ExitState

# A service may lose a race with its database once or twice; the third time it loops.
_RESTARTS_THAT_LOOP = 3
# One that ends well is waiting for nothing. The engine doubles its pause before each restart, so
# that these are six seconds, in which also one that says 0 of a lost race has had its time.
_GOOD_ENDS_THAT_LOOP = 6
# From then on the engine takes a life for none that failed, and its pauses begin anew:
# https://github.com/moby/moby/blob/v26.1.5/restartmanager/restartmanager.go
_LONG_LIFE_S = 10.0
# One that was restarted, and can be asked nothing, has to run on for longer than it did before.
_LEAST_STEADY_S = 2.0
_MOST_STEADY_S = 15.0
_TIMES_ITS_LIFE = 1.5
_TO_END = (
    'one that is to end needs restart: on-failure, or "no"; one that is to begin again and again, '
    "the probe none"
)


def judge_end(
    death: ExitState, service: ServiceConfig, project: Project, probe: str | None
) -> Verdict:
    """Judge a container that has ended and is not started again; ``probe`` is the setting."""
    if death.out_of_memory:
        return Verdict("lost", f"was killed for memory (exit code {death.exit_code})")
    if death.perhaps_out_of_memory:
        return Verdict("lost", "was killed, perhaps for memory (exit code 137)")
    if death.exit_code != 0:
        tries = f" after {death.restarts} restarts" if death.restarts else ""
        return Verdict("lost", f"exited with code {death.exit_code}{tries}")
    if reason := _why_it_should_run(death, service, project, probe):
        return Verdict("lost", f"exited with code 0, but {reason}")
    return Verdict("ready", "ended with 0")


def _why_it_should_run(
    death: ExitState, service: ServiceConfig, project: Project, probe: str | None
) -> str:
    """Return what tells that a service was not to end, though it ended well; "" if nothing does.

    Its author's word counts first, then what others expect of it, then what it did. A healthcheck
    that never passed tells nothing: one-shots inherit those of servers, by an anchor.
    """
    if probe is not None:
        return "" if probe in {"done", "none"} else "it is a server"
    if service.name in project.one_shots:
        return ""
    if death.restart_policy in {"always", "unless-stopped"}:
        return f"it is to run: restart: {death.restart_policy}"
    if service.published_ports:
        return "it is a server"
    if service.name in project.waited_for_health:
        return "others wait for its health"
    if death.was_healthy and not service.may_end:
        return "it was healthy before"
    return ""


@dataclass
class Restarts:
    """What was seen of a container that its restart policy started again."""

    last: ExitState
    seen_s: float
    """The last time that it was seen between two lives, or to be in another, of monotonic()."""

    @classmethod
    def seen_now(cls, last: ExitState) -> Restarts:
        """Note that a container is between two lives, or has just begun another."""
        return cls(last, monotonic())

    @property
    def text(self) -> str:
        """How it ended last, and whether it goes on doing so."""
        if self.last.lives_again:
            times = f" {self.last.restarts} times" if self.last.restarts > 1 else ""
            return f"was restarted{times} a moment ago"
        how = f"exited with code {self.last.exit_code}"
        if self.last.out_of_memory:
            how = "was killed for memory"
        if not self.loops:
            return f"{how}, is restarted"
        again = f", though it ended well: {_TO_END}" if self.last.exit_code == 0 else ""
        return f"restarts in a loop ({self.last.restarts} times), {how}{again}"

    @property
    def loops(self) -> bool:
        """Whether it was started again so often that this is no race with another service."""
        return self.last.restarts >= _RESTARTS_THAT_LOOP

    @property
    def never_stays(self) -> bool:
        """Whether it does its work again and again, and would do so for ever.

        Of another end that cannot be said: it may be waiting for what its next try will find.
        """
        ended_well = not self.last.lives_again and self.last.exit_code == 0
        is_short = self.last.ran_s < _LONG_LIFE_S
        return ended_well and is_short and self.last.restarts >= _GOOD_ENDS_THAT_LOOP

    @property
    def is_over(self) -> bool:
        """Whether it has run on for longer than it did before its last end."""
        steady_s = max(_LEAST_STEADY_S, _TIMES_ITS_LIFE * self.last.ran_s)
        return monotonic() - self.seen_s >= min(steady_s, _MOST_STEADY_S)
