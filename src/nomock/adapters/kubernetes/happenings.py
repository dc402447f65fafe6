"""What happened to pods: what each says of its last end, and the events of its namespace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from nomock.adapters.kubernetes.reading import SERVICE, latest, name_of, own_status, seconds
from nomock.target import Happening

_OUT_OF_MEMORY = "OOMKilled"
_READINESS = "Readiness probe failed"
_KILLING = "Killing"
_CONTAINER = re.compile(r"spec\.containers\{(.+)\}")


def happenings_of(
    pods: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
) -> list[Happening]:
    """Return what happened to the containers of services, in order of time."""
    pods = [pod for pod in pods if SERVICE in (pod["metadata"].get("labels") or {})]
    found = [event for pod in pods for event in _of_pod(pod)]
    by_name = {pod["metadata"]["name"]: pod for pod in pods}
    # A pod that is gone is known by the event of its end, which names its container.
    by_container = {name_of(pod).container: pod for pod in pods}
    for event in events:
        about = event.get("involvedObject") or {}
        pod = by_name.get(about.get("name"))
        at_s = latest(seconds(event.get("lastTimestamp") or event.get("eventTime"))) or 0.0
        if pod is not None and str(event.get("message")).startswith(_READINESS):
            found.append(_happening(pod, at_s, "unhealthy"))
        container = _CONTAINER.fullmatch(str(about.get("fieldPath")))
        like = by_container.get(container[1]) if container and pod is None else None
        if like is not None and event.get("reason") == _KILLING:
            gone = str(name_of(like)._replace(pod=about["name"]))
            found.append(replace(_happening(like, at_s, "die"), container_id=gone))
    return sorted(found, key=lambda happening: happening.at_s)


def _of_pod(pod: Mapping[str, Any]) -> Iterator[Happening]:
    status = own_status(pod)
    for state in (status.get("lastState") or {}, status.get("state") or {}):
        if (ended := state.get("terminated")) and (
            at_s := latest(seconds(ended.get("finishedAt")))
        ):
            if ended.get("reason") == _OUT_OF_MEMORY:
                yield _happening(pod, at_s, "oom")
            yield _happening(pod, at_s, "die", exit_code=ended.get("exitCode"))
        if (runs := state.get("running")) and (at_s := latest(seconds(runs.get("startedAt")))):
            yield _happening(pod, at_s, "start")


def _happening(
    pod: Mapping[str, Any], at_s: float, what: str, *, exit_code: int | None = None
) -> Happening:
    return Happening(
        at_s=at_s,
        container_id=str(name_of(pod)),
        what=what,
        service=pod["metadata"]["labels"][SERVICE],
        number=1,
        exit_code=exit_code,
        signal="",
    )
