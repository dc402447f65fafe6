"""The images that a test ran on, brought back for its replay where the engine still has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nomock.project import write_privately
from nomock.stack import Stack, replay_overlay


@dataclass
class OldImages:
    """The images of a test's services that a run now would not have."""

    here: dict[str, str] = field(default_factory=dict)
    """service -> the id of its image then, which the engine still has."""
    gone: dict[str, str] = field(default_factory=dict)
    """The same of those that it has no more."""

    @classmethod
    def of(cls, stack: Stack, record: Mapping[str, Any]) -> OldImages:
        """Compare what a test ran on, by its evidence, with what a run would have now."""
        found = cls()
        if not f"{record['test']['stack']}-".startswith(f"{stack.name}-"):
            return found  # a stack of the test's own
        now = dict(_would_run(stack))
        for service in record["services"]:
            name, was = service["service"], service["image_id"]
            if name in now and now[name] != was:
                is_here = stack.engine.image_id(was) is not None
                (found.here if is_here else found.gone)[name] = was
        return found

    def write(self, stack: Stack) -> Path:
        """Write the compose file that brings them back; raise StateFolderError."""
        path = replay_overlay(stack)
        lines = ["services:"]
        for name, image_id in self.here.items():
            lines += [f"  {json.dumps(name)}:", f"    image: {json.dumps(image_id)}"]
            lines += ["    pull_policy: never"]
            if stack.project.services[name].is_built:
                lines += ["    build: !reset null"]
        write_privately(path, "\n".join(lines) + "\n")
        return path


def _would_run(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield each service with the id of its image in a run now; "" where that is to be built."""
    there = stack.containers()
    differences = stack.differences(there)
    stays = {c.service: c.image_id for c in there if c.service not in differences}
    for name, service in stack.project.services.items():
        if service.is_built and not stack.upkeep.image_is_current(name):
            yield name, ""
        else:
            yield name, stays.get(name) or stack.engine.image_id(service.image) or ""
