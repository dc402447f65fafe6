"""Wait for many services at once, and give up as soon as one of them is lost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from time import monotonic
from types import MappingProxyType

from nomock.adapters.engine import Container, Engine
from nomock.errors import NotReadyError, ServiceDiedError
from nomock.project import Project, ServiceConfig
from nomock.readiness.health import Health
from nomock.readiness.probes import Probe, probe_for
from nomock.readiness.steady import Steady

# One request for all services takes about a millisecond; health is seen within two of these.
_PAUSE_S = 0.04
# A service may lose a race with its database once or twice; the third time it loops.
_RESTARTS_THAT_LOOP = 3
# One that was restarted, and can be asked nothing, loops unless it runs on for this long.
_STEADY_AFTER_RESTART_S = 2.0
_LOG_LINES = 20


@dataclass(frozen=True)
class Verdict:
    """How a service is: ``ready``, ``waiting`` or ``lost``, and what was seen."""

    state: str
    seen: str


_GONE = Verdict("waiting", "no container")


@dataclass
class Watch:
    """Looks at the services of a project, and judges each."""

    engine: Engine
    project: Project
    probe_settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.probe_settings:
            self.project.service(name)
        self._probes = {
            name: probe_for(service, self.probe_settings.get(name))
            for name, service in self.project.services.items()
        }
        self._restarting_s: dict[str, float] = {}

    def judge(
        self,
        containers: Sequence[Container],
        names: Collection[str] | None = None,
        *,
        before: Mapping[str, str | None] = MappingProxyType({}),
        sure: bool = False,
    ) -> dict[str, Verdict]:
        """Judge services by their containers; a service with replicas is as its worst one.

        ``before`` are the containers that a start-up found, each with when it had ended, or None:
        while it goes on, none of these is lost. Compose starts the ended ones again, and may stop
        the others to replace them. ``sure`` as in Probe.ask.
        """
        verdicts = {}
        for name, service in self.project.services.items():
            if names is None or name in names:
                found = [
                    self._excused(self._judge_one(service, c, sure), c, before)
                    for c in containers
                    if c.service == name
                ]
                order = ("lost", "waiting", "ready")
                found.sort(key=lambda verdict: order.index(verdict.state))
                verdicts[name] = found[0] if found else _GONE
        return verdicts

    def lost(self, before: Mapping[str, str | None]) -> ServiceDiedError | None:
        """Return the error of a service that was lost since ``before``, if there is one."""
        containers = self.engine.containers(self.project.name)
        for name, verdict in self.judge(containers, before=before).items():
            if verdict.state == "lost":
                log = last_log(self.engine, containers, name)
                return ServiceDiedError(name, verdict.seen, log=log)
        return None

    def _excused(
        self, verdict: Verdict, container: Container, before: Mapping[str, str | None]
    ) -> Verdict:
        if verdict.state != "lost" or container.id not in before:
            return verdict
        ended, death = before[container.id], self.engine.death(container.id)
        if ended is None or death is None or death.finished_at == ended:
            return Verdict("waiting", verdict.seen)
        return verdict

    def _judge_one(self, service: ServiceConfig, container: Container, sure: bool) -> Verdict:
        if container.state in {"exited", "dead"}:
            return self._judge_ended(service, container)
        if container.state == "restarting":
            return self._judge_restarting(container)
        if container.state == "paused":
            return Verdict("lost", "is paused")
        if container.state != "running":
            return Verdict("waiting", container.state)
        if service.name in self.project.one_shots:
            return Verdict("waiting", "runs, has to end with 0")
        if container.health == "unhealthy":
            if not self.engine.last_probe_passed(container.id):
                return Verdict("lost", "turned unhealthy")
            container = replace(container, health="healthy")
        probe: Probe = self._probes[service.name]
        if container.health is not None and service.name not in self.probe_settings:
            probe = Health()  # an image may bring a healthcheck that the compose file does not name
        restarted_s = self._restarting_s.get(container.id, -_STEADY_AFTER_RESTART_S)
        if isinstance(probe, Steady) and monotonic() - restarted_s < _STEADY_AFTER_RESTART_S:
            return Verdict("waiting", "was restarted")
        answer = probe.ask(container, sure=sure)
        return Verdict("ready" if answer.ready else "waiting", answer.seen)

    def _judge_restarting(self, container: Container) -> Verdict:
        self._restarting_s[container.id] = monotonic()
        death = self.engine.death(container.id)
        if death is None:
            return _GONE
        how = f"exited with code {death.exit_code}"
        if death.out_of_memory:
            how = "was killed for memory"
        if death.restarts < _RESTARTS_THAT_LOOP:
            return Verdict("waiting", f"{how}, is restarted")
        return Verdict("lost", f"{how} and restarts in a loop ({death.restarts} times)")

    def _judge_ended(self, service: ServiceConfig, container: Container) -> Verdict:
        death = self.engine.death(container.id)
        if death is None:
            return _GONE
        if death.out_of_memory:
            return Verdict("lost", f"was killed for memory (exit code {death.exit_code})")
        if death.perhaps_out_of_memory:
            return Verdict("lost", "was killed, perhaps for memory (exit code 137)")
        if death.exit_code != 0:
            return Verdict("lost", f"exited with code {death.exit_code}")
        # One that ends with 0 has done its work, unless it was meant to serve.
        serves = service.has_healthcheck or bool(service.published_ports)
        if serves and service.name not in self.project.one_shots:
            return Verdict("lost", "exited with code 0, but it is a server")
        return Verdict("ready", "ended with 0")


def wait_until_ready(
    watch: Watch,
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
    timeout_s, asked, pause = deadline - monotonic(), 0, Event()
    watch = Watch(watch.engine, watch.project, watch.probe_settings)  # its probes know nothing yet
    while True:
        done = finished()  # before the look, so that a "ready" is of after the start-up
        containers = watch.engine.containers(watch.project.name)
        verdicts = watch.judge(containers, names, before={} if done else before, sure=True)
        asked += 1
        for name, verdict in verdicts.items():
            if verdict.state == "lost":
                raise ServiceDiedError(
                    name, verdict.seen, log=last_log(watch.engine, containers, name)
                )
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
            name = next(iter(waiting))
            raise NotReadyError(
                f"{', '.join(waiting)} not ready after {timeout_s:.0f} s",
                where=f"stack {watch.project.name}",
                seen="\n".join(
                    [f"{n}: {v.seen} (asked {asked} times)" for n, v in waiting.items()]
                    + [f"the last that {name} logged:"]
                    + [last_log(watch.engine, containers, name) or "(it logged nothing)"]
                ),
                todo=f"nomock logs {name}; more time: timeout_s in [tool.nomock]",
            )
        pause.wait(_PAUSE_S)


def last_log(engine: Engine, containers: Sequence[Container], name: str) -> str:
    """Return the last log lines of a service, without their time stamps."""
    found = next((c for c in containers if c.service == name), None)
    return engine.log_text(found.id, tail=_LOG_LINES) if found else ""


def _progress_text(total: int, waiting: Mapping[str, Verdict]) -> str:
    detail = ", ".join(f"{name} ({verdict.seen})" for name, verdict in list(waiting.items())[:3])
    more = f" and {len(waiting) - 3} more" if len(waiting) > 3 else ""
    return f"{total - len(waiting)}/{total} ready; waiting for {detail}{more}"
