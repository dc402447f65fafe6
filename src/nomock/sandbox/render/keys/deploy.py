"""What becomes of the keys of a service's ``deploy``."""

from __future__ import annotations

from typing import Any

from nomock.project.intention import is_job
from nomock.sandbox.render.fate import Lost, becomes, lost
from nomock.sandbox.render.keys.known import Known
from nomock.sandbox.render.keys.values import BAD_ANNOTATION, annotation, restarts

_SWARMS = "Swarm's own"
_ROLLS = ("Kubernetes replaces pods by rules of its own", "one more is started, then one is ended")


def _mode(value: Any, known: Known) -> Lost | None:
    if value == "replicated" or is_job(known.service.config):
        return None
    return Lost("a service has replicas, not one pod a node", "it has one pod")


def _endpoint_mode(value: Any, known: Known) -> Lost | None:
    return None if value in {"vip", "dnsrr"} else Lost(_SWARMS, "as vip")


def _of_jobs_only(value: Any, known: Known) -> Lost | None:
    if known.service.is_job:
        return None
    return Lost("a Deployment tries for ever", "it is started again and again")


DEPLOY = {
    "deploy.mode": becomes("a Deployment, or a Job where it ends in -job", _mode, "global"),
    "deploy.endpoint_mode": becomes(
        "dnsrr: a Service without an address", _endpoint_mode, "others"
    ),
    "deploy.replicas": becomes("replicas; of a Job its completions"),
    "deploy.labels.*": becomes("an annotation of the Deployment", annotation, BAD_ANNOTATION),
    "deploy.placement": lost("the names of Swarm's nodes", "Kubernetes chooses the node"),
    "deploy.resources.limits.cpus": becomes("limits.cpu"),
    "deploy.resources.limits.memory": becomes("limits.memory"),
    "deploy.resources.limits.pids": lost("the node limits it for all its pods", "the node's limit"),
    "deploy.resources.reservations.cpus": becomes("requests.cpu"),
    "deploy.resources.reservations.memory": becomes("requests.memory"),
    "deploy.resources.reservations.devices": lost(
        "each cluster names its devices itself", "it finds none"
    ),
    "deploy.resources.reservations.generic_resources": lost(_SWARMS, "nothing is kept for it"),
    "deploy.restart_policy.condition": becomes(
        "restartPolicy of a Job; a Deployment always starts again",
        restarts,
        "of a service that stays: none, on-failure",
    ),
    "deploy.restart_policy.delay": lost(
        "Kubernetes waits by a rule of its own", "10 s, then twice as long, up to 5 minutes"
    ),
    "deploy.restart_policy.max_attempts": becomes(
        "backoffLimit of a Job", _of_jobs_only, "of a service that stays"
    ),
    "deploy.restart_policy.window": lost(_SWARMS, "Kubernetes has no such window"),
    "deploy.rollback_config": lost(*_ROLLS),
    "deploy.update_config": lost(*_ROLLS),
}
