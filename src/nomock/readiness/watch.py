"""Look at the services of a project, and judge each by its containers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType

from nomock.errors import ServiceDiedError
from nomock.project import Project, ServiceConfig
from nomock.readiness.ends import Restarts, judge_end
from nomock.readiness.first_start import FirstStart
from nomock.readiness.health import Health
from nomock.readiness.listeners import listens, why_closed
from nomock.readiness.probe import Probe
from nomock.readiness.probes import probe_for
from nomock.readiness.steady import Steady
from nomock.readiness.verdict import Verdict
from nomock.target import Container, Target

_UNHEALTHY = "turned unhealthy"
_ANOTHER_PROBE = (
    'its image brings that healthcheck; to ask it otherwise: probes = {{ {} = "tcp:PORT" }} in '
    "[tool.nomock]"
)
_NO_START_PERIOD = (
    "that healthcheck has no start_period: where it is only slow to start, give it one"
)
_LOG_LINES = 20
_CHECK_LINES = 5
_MOST_WARNINGS = 5
_GONE = Verdict("waiting", "no container")
_WORST_FIRST = ("lost", "waiting", "ready")


@dataclass
class ReadinessWatch:
    """Looks at the services of a project, and judges each."""

    target: Target
    project: Project
    probe_settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.probe_settings:
            self.project.service(name)
        self._listens = partial(listens, self.target)
        self._probes = {
            name: probe_for(
                service,
                self.probe_settings.get(name),
                is_one_shot=name in self.project.one_shots,
                work=self.target.work,
                listens=self._listens,
            )
            for name, service in self.project.services.items()
        }
        self._restarts: dict[str, Restarts] = {}
        self._looked_into: set[str] = set()

    def anew(self) -> ReadinessWatch:
        """Return one of the same services that has seen nothing yet."""
        return ReadinessWatch(self.target, self.project, self.probe_settings)

    def judge(
        self,
        containers: Sequence[Container],
        names: Collection[str] | None = None,
        *,
        before: Mapping[str, str | None] = MappingProxyType({}),
        sure: bool = False,
    ) -> dict[str, Verdict]:
        """Judge services by their containers; a service with replicas is as its worst one.

        One that is scaled to 0 is not judged: nobody wants it. ``before`` are the containers that a
        start-up found, each with when it had ended, or None: while it goes on, none of these is
        lost. Compose starts the ended ones again, and may stop the others to replace them. ``sure``
        as in Probe.ask.
        """
        verdicts = {}
        for name in self.project.wanted:
            if names is None or name in names:
                service = self.project.services[name]
                found = [
                    self._excused(self._judge_one(service, c, containers, sure), c, before)
                    for c in containers
                    if c.service == name
                ]
                if len(found) < service.replicas:
                    found.append(_missing(len(found), service.replicas))
                found.sort(key=lambda verdict: _WORST_FIRST.index(verdict.state))
                verdicts[name] = found[0]
        return verdicts

    def loss_now(self, before: Mapping[str, str | None]) -> ServiceDiedError | None:
        """Return the error of a service that is lost now, if one is; ``before`` as in ``judge``."""
        containers = self.target.containers(self.project.name)
        return self.loss(self.judge(containers, before=before), containers)

    def lost(self, containers: Sequence[Container]) -> set[str]:
        """Return the ids of those that do not run, and are not as their author wants them."""
        ended = [c for c in containers if c.state in {"exited", "dead", "restarting"}]
        judged = {c.id: self.judge([c], [c.service]).get(c.service) for c in ended}
        return {
            c.id
            for c in ended
            if (verdict := judged[c.id]) and (verdict.state == "lost" or c.state == "restarting")
        }

    def loss(
        self, verdicts: Mapping[str, Verdict], containers: Sequence[Container]
    ) -> ServiceDiedError | None:
        """Return the error of the first service that is lost, with what it said last; None if none.

        Two requests to the engine if there is one.
        """
        name = next((n for n, verdict in verdicts.items() if verdict.state == "lost"), None)
        if name is None:
            return None
        what, todo = verdicts[name].seen, ""
        is_unhealthy = what == _UNHEALTHY
        if is_unhealthy and not self.project.services[name].has_healthcheck:
            todo = _ANOTHER_PROBE.format(name)
        check = self.last_check(containers, name) if is_unhealthy else ""
        log = self.last_log(containers, name)
        hints = [check] if check else []
        if is_unhealthy and self.project.services[name].lacks_start_period:
            hints.append(_NO_START_PERIOD)
        hints += self.project.unset[:_MOST_WARNINGS]
        return ServiceDiedError(name, what, log=log, hints=hints, todo=todo)

    def last_log(self, containers: Sequence[Container], name: str) -> str:
        """Return the last log lines of a service, without their time stamps."""
        found = next((c for c in containers if c.service == name), None)
        return self.target.log_text(found.id, tail=_LOG_LINES) if found else ""

    def last_check(self, containers: Sequence[Container], name: str) -> str:
        """Return how the healthcheck of a service ended the last time, "" where it said nothing.

        Or where it is not what the service is asked by.
        """
        if self.probe_settings.get(name, "health") != "health":
            return ""
        for container in containers:
            if container.service == name and container.health is not None:
                check = self.target.last_check(container.id)
                if check and check.exit_code != 0 and (said := check.output.strip()):
                    last = "\n".join(said.splitlines()[-_CHECK_LINES:])
                    return f"its healthcheck ended with {check.exit_code}: {last}"
        return ""

    def why_closed(self, containers: Sequence[Container], name: str) -> str:
        """Return on what a service listens instead of the port that it is asked on, else ""."""
        port = self._probes[name].port
        running = [c for c in containers if c.service == name and c.state == "running"]
        return why_closed(self.target, running[0], port) if port and running else ""

    def _excused(
        self, verdict: Verdict, container: Container, before: Mapping[str, str | None]
    ) -> Verdict:
        if verdict.state != "lost" or container.id not in before:
            return verdict
        ended, death = before[container.id], self.target.exit_state(container.id)
        if ended is None or death is None or death.finished_at == ended:
            return Verdict("waiting", verdict.seen)
        return verdict

    def _judge_one(
        self,
        service: ServiceConfig,
        container: Container,
        containers: Sequence[Container],
        sure: bool,
    ) -> Verdict:
        setting = self.probe_settings.get(service.name)
        if container.state in {"exited", "dead"}:
            death = self.target.exit_state(container.id)
            if death is None:
                return _GONE
            if death.lives_again:  # since the list was made
                return Verdict("waiting", "was started")
            return judge_end(death, service, self.project, setting)
        if container.state == "restarting":
            return self._judge_restarting(container, setting)
        if container.state == "paused":
            return Verdict("lost", "is paused")
        if container.state != "running":
            return Verdict("waiting", container.state)
        probe = self._probe(service, container)
        if isinstance(probe, Health) and container.health == "unhealthy":
            check = self.target.last_check(container.id)
            if check is None or check.exit_code != 0:
                return Verdict("lost", _UNHEALTHY)
            container = replace(container, health="healthy")
        if isinstance(probe, Steady) and container.is_young:
            self._look_into(container)
        restarts = self._restarts.get(container.id)
        if isinstance(probe, Steady) and restarts and not restarts.is_over:
            return Verdict("waiting", restarts.text, restarts.loops)
        answer = probe.ask(self._with_ports(service, container, containers), sure=sure)
        if not answer.ready and restarts and restarts.loops:
            return Verdict("waiting", f"{answer.seen}; {restarts.text}", loops=True)
        return Verdict("ready" if answer.ready else "waiting", answer.seen)

    def _probe(self, service: ServiceConfig, container: Container) -> Probe:
        """Return what a container is asked: an image may bring a healthcheck of its own."""
        is_default = service.name not in {*self.probe_settings, *self.project.one_shots}
        if is_default and container.health is not None:
            return Health(FirstStart(service.published_ports, self._listens))
        return self._probes[service.name]

    def _with_ports(
        self, service: ServiceConfig, container: Container, containers: Sequence[Container]
    ) -> Container:
        """Return a container with the ports by which it is reached: another may publish them."""
        publisher = self.project.publisher(service.name).name
        if publisher == service.name:
            return container
        found = next((c for c in containers if c.service == publisher), container)
        return replace(container, ports=found.ports)

    def _look_into(self, container: Container) -> None:
        """Ask once whether a container that has just been started was started before."""
        if container.id not in self._looked_into:
            self._looked_into.add(container.id)
            death = self.target.exit_state(container.id)
            if death is not None and death.restarts:
                self._restarts.setdefault(container.id, Restarts.seen_now(death))

    def _judge_restarting(self, container: Container, setting: str | None) -> Verdict:
        # After a bad end however often: its restart policy says that it is to be tried again.
        death = self.target.exit_state(container.id)
        if death is None:
            return _GONE
        restarts = self._restarts.get(container.id)
        if not death.lives_again:
            restarts = self._restarts[container.id] = Restarts.seen_now(death)
        elif restarts is None:
            return Verdict("waiting", "was restarted")
        if setting == "none" and death.exit_code == 0:
            return Verdict("ready", "ended with 0, is restarted")
        if restarts.never_stays:
            return Verdict("lost", restarts.text)
        return Verdict("waiting", restarts.text, restarts.loops)


def _missing(found: int, wanted: int) -> Verdict:
    return _GONE if wanted == 1 else Verdict("waiting", f"{found} of {wanted} containers")
