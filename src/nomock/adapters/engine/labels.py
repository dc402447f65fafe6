"""What compose writes on its containers and volumes, by which they are found."""

from __future__ import annotations

import json
from collections.abc import Mapping

PROJECT_LABEL = "com.docker.compose.project"


def of_project(project: str) -> dict[str, str]:
    """Return the part of a query that leaves only what belongs to a compose project."""
    return {"filters": json.dumps({"label": [f"{PROJECT_LABEL}={project}"]})}


def is_one_off(labels: Mapping[str, str]) -> bool:
    """Tell whether a container is one of ``compose run``, which is not its service."""
    return labels.get("com.docker.compose.oneoff") == "True"


def number_of(labels: Mapping[str, str]) -> int:
    """Read which replica of its service a container is; 1 where compose did not say."""
    number = labels.get("com.docker.compose.container-number", "")
    return int(number) if number.isdecimal() else 1
