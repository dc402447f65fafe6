"""What compose writes on its containers and volumes, by which they are found."""

from __future__ import annotations

import json
from collections.abc import Mapping

PROJECT_LABEL = "com.docker.compose.project"
_NUMBER = "com.docker.compose.container-number"


def of_project(project: str, container_id: str = "") -> dict[str, str]:
    """Return the part of a query that leaves only what belongs to a compose project.

    With an id that is one container of it.
    """
    filters = {"label": [f"{PROJECT_LABEL}={project}"]}
    if container_id:
        filters["id"] = [container_id]
    return {"filters": json.dumps(filters)}


def is_of_service(labels: Mapping[str, str]) -> bool:
    """Tell whether a container is of its service: neither of ``compose run`` nor started by hand.

    One that is started by hand has what compose wrote on the image that it built, and no number.
    """
    by_hand = "com.docker.compose.service" in labels and _NUMBER not in labels
    return not by_hand and labels.get("com.docker.compose.oneoff") != "True"


def number_of(labels: Mapping[str, str]) -> int:
    """Read which replica of its service a container is; 1 where compose did not say."""
    number = labels.get(_NUMBER, "")
    return int(number) if number.isdecimal() else 1
