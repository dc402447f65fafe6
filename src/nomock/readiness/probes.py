"""The interface of a readiness probe, and which one a service gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from nomock.adapters.engine import Container, Work
from nomock.errors import ConfigError
from nomock.project import ServiceConfig


@dataclass(frozen=True)
class Answer:
    """A probe's yes or no, and what it saw."""

    ready: bool
    seen: str


Listens = Callable[[Container, int], bool | None]
"""Whether something in a container listens on a port of it; None where that is not known."""


class Probe(Protocol):
    """One question with a yes or no answer, asked of a running container."""

    @property
    def port(self) -> int | None:
        """The port in the container that it asks, None where it asks none."""

    def ask(self, container: Container, *, sure: bool) -> Answer:
        """Ask once and return at once; a probe never waits and never raises for a "no".

        With ``sure`` it may say "no" until it has been asked for some time, if only that shows a
        "yes" to be true; without, one look at a stack that was ready before has to do.
        """
        ...


def probe_for(
    service: ServiceConfig,
    setting: str | None,
    *,
    is_one_shot: bool = False,
    work: Callable[[str], Work],
    listens: Listens,
) -> Probe:
    """Return the probe of a setting; without one what the compose file shows of its intention.

    That is the end of a one-shot, else health, else a published port, else that it has come to
    rest; ``work`` says what a container does, ``listens`` whether it does so on a port. Raises
    ConfigError for a setting that names no probe or leaves out what the probe needs.
    """
    from nomock.readiness.done import Done
    from nomock.readiness.health import Health
    from nomock.readiness.http import Http
    from nomock.readiness.none import Nothing
    from nomock.readiness.steady import Steady
    from nomock.readiness.tcp import Tcp

    known: dict[str, Callable[[str], Probe]] = {
        "health": Health.of,
        "tcp": lambda rest: Tcp(int(rest), listens),
        "http": Http.of,
        "done": Done.of,
        "none": Nothing.of,
    }
    if setting is None:
        if is_one_shot:
            return Done()
        if service.has_healthcheck:
            return Health()
        ports = service.published_ports
        return Tcp(ports[0], listens) if ports else Steady(work)
    kind, _, rest = setting.partition(":")
    try:
        return known[kind](rest)
    except (KeyError, ValueError) as error:
        raise ConfigError(
            f"{setting!r} is no readiness probe",
            where=f"probe of service {service.name}",
            todo="write health, tcp:PORT, http:PORT/PATH, done or none",
        ) from error
