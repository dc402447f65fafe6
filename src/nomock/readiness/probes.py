"""Which readiness probe a service gets."""

from __future__ import annotations

from collections.abc import Callable

from nomock.errors import ConfigError
from nomock.project import ServiceConfig
from nomock.readiness.done import Done
from nomock.readiness.first_start import FirstStart
from nomock.readiness.health import Health
from nomock.readiness.http import Http
from nomock.readiness.none import NoProbe
from nomock.readiness.probe import Listens, Probe
from nomock.readiness.steady import Steady
from nomock.readiness.tcp import Tcp
from nomock.target import Work


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
    known: dict[str, Callable[[str], Probe]] = {
        "health": Health.of,
        "tcp": lambda rest: Tcp(int(rest), listens),
        "http": Http.of,
        "done": Done.of,
        "none": NoProbe.of,
    }
    if setting is None:
        if is_one_shot:
            return Done()
        if service.has_healthcheck:
            return Health(FirstStart(service.published_ports, listens))
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
