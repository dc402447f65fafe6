"""``nomock contracts``: what the parts of this project expect of each other, and do not get."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from nomock.cli.show import print_json, wrapped
from nomock.config import Settings
from nomock.contracts import Finding, environment_findings, keep
from nomock.errors import ConfigError
from nomock.project import Project, resolve


def contracts(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print each breach of a contract with both its places and the cure; 1 if one is certain."""
    project = resolve(settings)
    if chosen.manifests:
        what = "environment variables of manifests"
        findings, checked = _of_manifests(project, chosen.manifests)
    else:
        what = "environment variables"
        findings, checked = environment_findings(project)
    keep(settings.state_dir, what, checked, map(str, findings))
    certain = sum(finding.is_certain for finding in findings)
    if chosen.json:
        print_json({"checked": checked, "findings": [asdict(f) for f in findings]})
    else:
        said = f"{certain} wrong, {len(findings) - certain} perhaps" if findings else "all fit"
        print(f"{what}: {checked} read or set, {said}")
        for finding in findings:
            print("\n".join(_lines(finding)))
    return 1 if certain else 0


def _of_manifests(project: Project, names: Sequence[str]) -> tuple[list[Finding], int]:
    try:
        from nomock.contracts.manifests import documents_in, manifest_findings
    except ModuleNotFoundError as error:
        raise ConfigError(
            "the package that reads YAML is not installed",
            where="nomock contracts --manifests",
            todo="pip install 'nomock[contracts]'",
        ) from error
    return manifest_findings(project, documents_in(names))


def _lines(finding: Finding) -> Iterator[str]:
    yield from wrapped(str(finding), f"  {'!' if finding.is_certain else '-'} ")
    yield from wrapped(finding.cure, "    -> ")
