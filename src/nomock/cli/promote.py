"""``nomock promote``: the stack as a sandbox that is live, or as the objects of one."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nomock.cli.show import print_table, progress
from nomock.config import Settings
from nomock.errors import PromotionError, UntranslatedError
from nomock.project import Project, resolve
from nomock.sandbox.equipment import refuse_equipment
from nomock.sandbox.equipping import equipped, provide_for_spy
from nomock.sandbox.extra import require_packages
from nomock.stack.promoted import connected, is_release, sandbox_id

if TYPE_CHECKING:
    from nomock.sandbox.render import Report

_HEAD = ("service", "key", "value", "has no translation")


def promote(settings: Settings, chosen: argparse.Namespace) -> int:
    """Promote the stack and print what is live; with ``--render`` only write its objects."""
    require_packages()
    with progress() as line:
        settings = equipped(
            settings, line.show, coverage=chosen.sidecar_coverage, traces=chosen.traces
        )
    project = resolve(settings)
    if is_release(settings):
        refuse_equipment(project.config)
    provide_for_spy(settings, project)
    if chosen.render:
        return _render(settings, project, chosen)
    from nomock.sandbox.evidence import PromotionEvidence
    from nomock.sandbox.promotion import Promotion
    from nomock.sandbox.registry import registry_of

    connection = connected(settings)
    id = sandbox_id(settings, project)
    with progress() as line:
        promotion = Promotion(
            settings,
            project,
            connection,
            registry_of(settings, chosen.registry),
            id,
            timedelta(hours=chosen.hours),
            say=line.say,
            show=line.show,
            argocd=chosen.argo,
        )
        try:
            found = promotion.run(strict=chosen.strict)
        except PromotionError as error:
            left = PromotionEvidence(settings, project, connection, id).write(error)
            line.say(f"evidence: {os.path.relpath(left)}")
            raise
    if chosen.json:
        print(json.dumps(asdict(found), indent=1))
        return 0
    answered = [f"{name} {status}" for name, status in found.answers.items()]
    answers = ", ".join(answered) or "no service answers HTTP on a published port"
    if found.untranslated:
        print(
            f"keys of the compose file without a translation: {found.untranslated}; "
            "nomock promote --render DIR says which, and what each means"
        )
    print(f"sandbox {found.id} is live in {found.context}, namespace {found.namespace}: {answers}")
    return 0


def _render(settings: Settings, project: Project, chosen: argparse.Namespace) -> int:
    """Write the objects of a sandbox as YAML, and print what has no translation."""
    from nomock.sandbox.promotion import variables_of
    from nomock.sandbox.render import place_of, render, write
    from nomock.sandbox.validate import VERSION, validate

    rendered = render(
        project,
        replace(place_of(sandbox_id(settings, project)), tools_image=settings.tools_image),
        state_dir=settings.state_dir,
        variables=variables_of(project),
    )
    report = rendered.report
    _show(report, strict=chosen.strict, json_too=chosen.json)
    objects = [found.to_dict() for found in rendered.objects]
    validate(objects)
    paths = write(rendered, Path(chosen.render).absolute())
    if chosen.json:
        told = {
            "folder": str(Path(chosen.render).absolute()),
            "files": [path.name for path in paths],
            "waves": rendered.waves,
            "untranslated": report.as_json(),
        }
        print(json.dumps(told, indent=1))
        return 0
    print(
        f"wrote {len(objects)} objects in {len(paths)} files to {chosen.render}, valid for "
        f"Kubernetes {VERSION}; untranslated keys: {len(report.lines)}"
    )
    return 0


def _show(report: Report, *, strict: bool, json_too: bool) -> None:
    """Print what has no translation; raise UntranslatedError where that is to be an error."""
    if report.lines:
        print_table(_HEAD, report.as_rows(), file=sys.stderr if json_too else sys.stdout)
    if report.lines and strict:
        raise UntranslatedError([(line.service, line.key) for line in report.lines])
