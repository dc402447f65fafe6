"""A second stack from the same files and images: a compose file made of the resolved one.

Compose resolves the user's files once more under the replica's project name, so that networks and
volumes are its own. Services that are built take the images of the first stack: nothing is built
twice. The file names the image's id in a label, so that compose replaces a container whose image
was built anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from nomock.adapters.compose_call import Call
from nomock.config import Settings
from nomock.errors import ConfigError
from nomock.lanes.obstacles import obstacles
from nomock.project import Project, project_of, resolve, write_privately
from nomock.stack import Stack

_LABEL = "nomock.image"
# Of a service of the replica: how it is built, by whom it is enabled, and what `watch` does.
_OF_THE_FIRST = ("build", "profiles", "develop", "pull_policy")

OTHERWISE = "let all workers share one stack: --nomock-lanes shared"
"""What to do where there is to be no second stack."""

Change = Callable[[dict[str, Any]], None]


def replica(
    main: Stack,
    name: str,
    change: Change = lambda config: None,
    *,
    without: Collection[str] = (),
) -> Stack:
    """Return a stack of the same services under another project name, not made ready by this.

    ``without``: services that it does not have, which ``change`` is to see to. ``change`` may
    change its configuration in place. Raises ConfigError where the compose file allows of no second
    stack, StateFolderError where its own one cannot be written.
    """
    check(main, without)
    resolved = resolve(replace(main.settings, project=name))
    config = deepcopy(dict(resolved.config))
    for service, how in config["services"].items():
        _take_image(how, main.project, service, main.upkeep.built_image(service))
    for kind in ("networks", "volumes"):
        for key, how in (config.get(kind) or {}).items():
            firsts = (main.project.config.get(kind) or {}).get(key) or {}
            if how and not how.get("external") and how.get("name") == firsts.get("name"):
                del how["name"]  # the file gives it one: compose's own choice is another a project
    change(config)
    path = _folder(main.settings) / f"{name}.json"
    # All of it is resolved: what looks like a variable is none.
    write_privately(path, json.dumps(config, indent=1).replace("$", "$$"))
    return _stack(main.settings, config, path, name, main.holding.run)


def check(main: Stack, without: Collection[str] = (), *, otherwise: str = OTHERWISE) -> None:
    """Raise ConfigError where the compose file allows of no second stack, but for some services.

    ``otherwise``: what needs none.
    """
    if found := obstacles(main.project, main.settings.state_dir, without):
        raise ConfigError(
            "this stack cannot be there twice, as lanes need it",
            where=", ".join(map(str, main.project.files)),
            seen="\n".join(obstacle.line for obstacle in found),
            todo="\n".join(dict.fromkeys(obstacle.cure for obstacle in found))
            + f"\nor {otherwise}",
        )


def left_names(main: Stack) -> list[str]:
    """Return the names of the replicas that earlier runs, or this one, made a compose file for."""
    return sorted(path.stem for path in _folder(main.settings).glob(f"{main.name}-*.json"))


def left(main: Stack, name: str) -> Stack | None:
    """Return a replica as it was made, whatever the user's files say now; None without its file."""
    path = _folder(main.settings) / f"{name}.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8").replace("$$", "$"))
        return _stack(main.settings, config, path, name, main.holding.run)
    except (OSError, ValueError, KeyError):
        return None  # it is being removed, or somebody wrote to it


def forget(stack: Stack) -> None:
    """Remove the compose file of a replica that was taken down."""
    for path in stack.settings.files:
        path.unlink(missing_ok=True)


def _folder(settings: Settings) -> Path:
    return settings.state_dir / "lanes"


def _stack(settings: Settings, config: Mapping[str, Any], path: Path, name: str, run: int) -> Stack:
    settings = replace(settings, project=name, files=(path,), found=None)
    call = Call(settings.root, named=(path,), project=name)
    return Stack.by_compose(settings, project_of(config, settings, call), run)


def _take_image(how: dict[str, Any], project: Project, service: str, image_id: str | None) -> None:
    if "build" in how:
        how["image"] = project.services[service].image
        how["labels"] = {**(how.get("labels") or {}), _LABEL: image_id or ""}
    for key in _OF_THE_FIRST:
        how.pop(key, None)
