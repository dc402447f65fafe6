"""What becomes of the keys beside the services: networks, volumes, configs, secrets."""

from __future__ import annotations

from typing import Any

from nomock.sandbox.render.fate import Lost, becomes, lost, same
from nomock.sandbox.render.keys.known import Known

_COMPOSES_NAME = "its name in Docker; in a sandbox it is the one in the file"
_READ = "compose has read it when nomock gets the file"
_NO_LABELS = ("it is Docker's own", "it is left out")


def _driver(value: Any, known: Known) -> Lost | None:
    if value in {"bridge", "local", "default"}:
        return None
    return Lost("a driver of Docker's", "what Kubernetes has takes its place")


_FILE = {
    "name": same(_COMPOSES_NAME),
    "external": lost("nomock does not know what is in it", "it is not mounted"),
    "labels": lost(*_NO_LABELS),
    "template_driver": lost("Docker's own templates", "it is mounted as it is"),
}

PROJECT = {
    "name": same("names the sandbox, unless `--id` does"),
    "version": same(_READ),
    "include": same(_READ),
    "models": lost("Docker's own service of models", "it is not there"),
    "x-nomock": becomes("claims, mounts, rights, variables and public hosts, as it says"),
    "networks.*.name": same(_COMPOSES_NAME),
    "networks.*.driver": same("every network is one of pods", _driver, "other than bridge"),
    "networks.*.driver_opts": lost("a driver of Docker's", "they are left out"),
    "networks.*.attachable": same("every pod can be let into a network, by its label"),
    "networks.*.enable_ipv4": lost("the cluster chooses addresses", "they are the cluster's"),
    "networks.*.enable_ipv6": lost("the cluster chooses addresses", "they are the cluster's"),
    "networks.*.external": lost("it is not of this project", "the sandbox has one of its own"),
    "networks.*.internal": becomes(
        "a NetworkPolicy: who is in internal networks alone reaches nothing outside"
    ),
    "networks.*.ipam": lost("the cluster chooses addresses", "they are the cluster's"),
    "networks.*.labels": lost(*_NO_LABELS),
    "volumes.*.name": same(_COMPOSES_NAME),
    "volumes.*.driver": same("a volume of the pod's, or a claim", _driver, "other than local"),
    "volumes.*.driver_opts": lost("a driver of Docker's", "they are left out"),
    "volumes.*.external": lost("it is not of this project", "the sandbox has one of its own"),
    "volumes.*.labels": lost(*_NO_LABELS),
    "volumes.*.x-nomock": lost("it counts only at the top of the file", "it is left out"),
    "configs.*.file": becomes("a ConfigMap"),
    "configs.*.content": becomes("a ConfigMap"),
    "configs.*.environment": becomes("a ConfigMap"),
    "secrets.*.driver": lost("a driver of Docker's", "nomock reads a file or a variable"),
    "secrets.*.driver_opts": lost("a driver of Docker's", "nomock reads a file or a variable"),
    "secrets.*.file": becomes("a Secret"),
    "secrets.*.environment": becomes("a Secret"),
    **{f"{kind}.*.{key}": entry for kind in ("configs", "secrets") for key, entry in _FILE.items()},
}
