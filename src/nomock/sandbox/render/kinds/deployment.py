"""Deployments: the services that are to stay."""

from __future__ import annotations

from collections.abc import Iterator

from lightkube.models.apps_v1 import DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment
from lightkube.models.meta_v1 import LabelSelector
from lightkube.resources.apps_v1 import Deployment

from nomock.project.intention import replicas
from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.meta import of_service
from nomock.sandbox.render.plan import ServicePlan
from nomock.sandbox.render.pod import pod_template
from nomock.sandbox.render.pod.probes import patience_s

# How long nothing may get better before Kubernetes says so: Progressing=False.
_DEADLINE_S = 120
# Most that cannot run at all end while they start: who is asked nothing has to run for so long.
_STEADY_S = 2
# One to go back to.
_HISTORY = 1


class Deployments(Kind):
    """One for each service that is no job."""

    def of_service(self, service: ServicePlan) -> Iterator[Deployment]:
        """Return it."""
        if service.is_job:
            return
        check = {**service.image.healthcheck, **(service.config.get("healthcheck") or {})}
        template = pod_template(service, "Always")
        assert template.spec is not None  # the template has just been made with one
        is_asked = template.spec.containers[0].readinessProbe is not None
        yield Deployment(
            metadata=of_service(service, service.label, service.config_of_deploy.get("labels")),
            spec=DeploymentSpec(
                replicas=replicas(service.config),
                selector=LabelSelector(matchLabels=service.selector),
                strategy=_strategy(service),
                minReadySeconds=None if is_asked else _STEADY_S,
                progressDeadlineSeconds=max(_DEADLINE_S, patience_s(check) + 30),
                revisionHistoryLimit=_HISTORY,
                template=template,
            ),
        )


def _strategy(service: ServicePlan) -> DeploymentStrategy:
    """Return how pods are replaced: one by one, but never two at once on data of their own."""
    if service.keeps_data:
        return DeploymentStrategy(type="Recreate")
    rolling = RollingUpdateDeployment(maxSurge=1, maxUnavailable=0)
    return DeploymentStrategy(type="RollingUpdate", rollingUpdate=rolling)
