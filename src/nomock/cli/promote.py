"""``nomock promote``: the stack as the objects of a sandbox."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from nomock.adapters.compose_config import variables
from nomock.cli.show import print_table
from nomock.config import Settings
from nomock.errors import UntranslatedError
from nomock.project import Project, resolve
from nomock.sandbox.extra import require_packages

_HEAD = ("service", "key", "value", "has no translation")


def promote(settings: Settings, chosen: argparse.Namespace) -> int:
    """Write the objects of a sandbox as YAML, and print what has no translation."""
    require_packages()
    from nomock.sandbox.render import place_of, render, write
    from nomock.sandbox.render.naming import label_of
    from nomock.sandbox.validate import VERSION, validate

    project = resolve(settings)
    place = place_of(chosen.id or label_of(project.name)[:50].strip("-"))
    rendered = render(
        project, place, state_dir=settings.state_dir, variables=_variables_of(project)
    )
    lines = rendered.report.lines
    if lines:
        place_of_table = sys.stderr if chosen.json else sys.stdout
        print_table(_HEAD, rendered.report.as_rows(), file=place_of_table)
    if lines and chosen.strict:
        raise UntranslatedError([(line.service, line.key) for line in lines])
    objects = [found.to_dict() for found in rendered.objects]
    validate(objects)
    folder = Path(chosen.render).absolute()
    paths = write(rendered, folder)
    if chosen.json:
        told = {
            "folder": str(folder),
            "files": [path.name for path in paths],
            "waves": rendered.waves,
            "untranslated": rendered.report.as_json(),
        }
        print(json.dumps(told, indent=1))
        return 0
    print(
        f"wrote {len(objects)} objects in {len(paths)} files to {chosen.render}, valid for "
        f"Kubernetes {VERSION}; untranslated keys: {len(lines)}"
    )
    return 0


def _variables_of(project: Project) -> dict[str, str]:
    """Return the values of the variables that configs and secrets are taken from."""
    given = [
        *(project.config.get("configs") or {}).values(),
        *(project.config.get("secrets") or {}).values(),
    ]
    names = [str(one["environment"]) for one in given if one.get("environment")]
    return variables(project.call, names) if names else {}
