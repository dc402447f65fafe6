"""Restart policies: what is to happen when a service's container ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# As Kubernetes has it where nobody says how often a Job is tried again.
_TRIES = 6
# A pod may begin before the cluster lets it through to others: policies count a moment later.
_ONCE_MORE = 1


def policy_of(config: Mapping[str, Any]) -> tuple[str, int | None]:
    """Return the policy in compose's words, and how often at the most; None: without an end.

    >>> policy_of({"restart": "on-failure:3"})
    ('on-failure', 3)
    """
    deployed = (config.get("deploy") or {}).get("restart_policy")
    if deployed:
        words = {"none": "no", "any": "always"}
        condition = str(deployed.get("condition") or "any")
        return words.get(condition, condition), deployed.get("max_attempts")
    policy, _, tries = str(config.get("restart") or "no").partition(":")
    return policy, int(tries) if tries.isdigit() else None


def job_restarts(config: Mapping[str, Any]) -> tuple[str, int]:
    """Return the restart policy of a Job's pods, and how often it is tried again."""
    policy, tries = policy_of(config)
    if policy == "no":
        return "Never", _ONCE_MORE
    return "OnFailure", _TRIES if tries is None else tries
