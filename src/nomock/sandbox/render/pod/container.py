"""The container of a service."""

from __future__ import annotations

from lightkube.models.core_v1 import (
    Container,
    ContainerPort,
    EnvVar,
    EnvVarSource,
    Lifecycle,
    LifecycleHandler,
    SecretKeySelector,
    SleepAction,
    VolumeMount,
)

from nomock.sandbox.render.plan import ServicePlan
from nomock.sandbox.render.pod.probes import readiness, startup
from nomock.sandbox.render.pod.resources import resources_of
from nomock.sandbox.render.pod.security import of_container
from nomock.sandbox.render.secrets import environment_name
from nomock.sandbox.render.values import literal


def container_of(service: ServicePlan, mounts: list[VolumeMount]) -> Container:
    """Return the container of a service's pods."""
    config = service.config
    check = {**service.image.healthcheck, **(config.get("healthcheck") or {})}
    if service.is_job:  # it is done when it ends
        check = {}
    command, arguments = (_words(config.get(key)) for key in ("entrypoint", "command"))
    if config.get("entrypoint") == [] and arguments:  # in place of the image's entry point: nothing
        command, arguments = arguments, None
    return Container(
        name=service.label,
        image=service.image.reference,
        command=command,
        args=arguments,
        workingDir=config.get("working_dir"),
        env=_environment(service) or None,
        ports=[
            ContainerPort(containerPort=port.number, protocol=port.protocol)
            for port in service.ports
        ]
        or None,
        volumeMounts=mounts or None,
        readinessProbe=readiness(check),
        startupProbe=startup(check),
        lifecycle=_lifecycle(service),
        resources=resources_of(config, service.place),
        securityContext=of_container(service),
        stdin=True if config.get("stdin_open") else None,
        tty=True if config.get("tty") else None,
    )


def _lifecycle(service: ServicePlan) -> Lifecycle | None:
    if not service.lingers_s:
        return None
    return Lifecycle(preStop=LifecycleHandler(sleep=SleepAction(seconds=service.lingers_s)))


def _words(words: list[str] | None) -> list[str] | None:
    return [literal(word) for word in words or []] or None


def _environment(service: ServicePlan) -> list[EnvVar]:
    secrets = environment_name(service)
    found = {name: EnvVar(name=name, value=literal(value)) for name, value in service.plain.items()}
    for name in service.secret:
        where = EnvVarSource(secretKeyRef=SecretKeySelector(key=name, name=secrets))
        found[name] = EnvVar(name=name, valueFrom=where)
    return [found[name] for name in sorted(found)]
