"""A healthcheck as probes: it says when a pod may be used, and never ends one that is in use.

Of a failing healthcheck compose makes a service "unhealthy", and goes on; a liveness probe would
start it again. So it becomes a readiness probe. A startup probe, which asks often, keeps that one
from being asked before the service has come up; its patience is what compose has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lightkube.models.core_v1 import ExecAction, Probe

from nomock.sandbox.render.values import seconds

# https://docs.docker.com/reference/dockerfile/#healthcheck
_INTERVAL, _TIMEOUT, _RETRIES, _START_INTERVAL = "30s", "30s", 3, "5s"


def command_of(check: Mapping[str, Any]) -> list[str] | None:
    """Return what a healthcheck runs; None where it is none, or is switched off."""
    test = check.get("test")
    if check.get("disable") or not test:
        return None
    kind, *arguments = ["CMD-SHELL", test] if isinstance(test, str) else test
    if kind == "NONE" or not arguments:
        return None
    return arguments if kind == "CMD" else ["/bin/sh", "-c", *arguments]


def readiness(check: Mapping[str, Any]) -> Probe | None:
    """Return the probe that says whether a pod is to be used just now."""
    command = command_of(check)
    if command is None:
        return None
    return Probe(
        exec=ExecAction(command=command),
        periodSeconds=seconds(check.get("interval"), _INTERVAL),
        timeoutSeconds=seconds(check.get("timeout"), _TIMEOUT),
        failureThreshold=retries(check),
    )


def startup(check: Mapping[str, Any]) -> Probe | None:
    """Return the probe that says that a pod has come up."""
    command = command_of(check)
    if command is None:
        return None
    period = _period_s(check)
    return Probe(
        exec=ExecAction(command=command),
        periodSeconds=period,
        timeoutSeconds=seconds(check.get("timeout"), _TIMEOUT),
        failureThreshold=math.ceil(patience_s(check) / period),
    )


def patience_s(check: Mapping[str, Any]) -> int:
    """Return after how many seconds compose calls a service unhealthy that never was healthy."""
    start = seconds(check["start_period"], "0s") if check.get("start_period") else 0
    return start + retries(check) * seconds(check.get("interval"), _INTERVAL)


def retries(check: Mapping[str, Any]) -> int:
    """Return how many failures in a row count."""
    return int(check.get("retries") or _RETRIES)


def _period_s(check: Mapping[str, Any]) -> int:
    interval = seconds(check.get("interval"), _INTERVAL)
    return min(interval, seconds(check.get("start_interval"), _START_INTERVAL))
