"""The files for GKE are valid, and call nomock as it is; no project of Google's is asked."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml
from places import ROOT

from nomock.cli.command_line import command_line
from nomock.sandbox.render.kinds import KINDS
from nomock.sandbox.render.naming import SANDBOX
from nomock.sandbox.validate import validate

FOLDER = ROOT / "deploy" / "gke"
PAGE = (ROOT / "docs" / "gke.md").read_text(encoding="utf-8")
WORKFLOW = (FOLDER / "sandbox.yml").read_text(encoding="utf-8")
# Kinds of Google's own, of which there is no schema here.
OF_GOOGLE = {"networking.gke.io/v1"}


def objects(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))


def commands(text: str) -> list[list[str]]:
    """Return the calls of nomock in a text, without what a shell makes of them."""
    found = re.findall(r"(?:^|&& |\s{4}|`|run: )(nomock [^\n`>|&]+)", text, flags=re.MULTILINE)
    return [shlex.split(call.strip())[1:] for call in found]


@pytest.mark.parametrize("name", ["gateway.yaml", "health-check.yaml", "rights.yaml"])
def test_objects_should_be_valid_when_they_are_in_a_file_for_gke(name: str) -> None:
    found = objects(name)
    assert found
    validate(one for one in found if one["apiVersion"] not in OF_GOOGLE)
    assert all(one["metadata"]["name"] for one in found)


def test_a_route_should_be_taken_by_the_gateway_only_when_it_is_a_sandboxs() -> None:
    space, gateway = objects("gateway.yaml")
    meta = gateway["metadata"]
    assert f"gateway: {meta['namespace']}/{meta['name']}" in PAGE
    assert meta["namespace"] == space["metadata"]["name"]
    (listener,) = gateway["spec"]["listeners"]
    allowed = listener["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"]
    assert allowed == [{"key": SANDBOX, "operator": "Exists"}]


def test_commands_of_the_workflow_should_be_parsed_when_they_call_nomock() -> None:
    steps = yaml.safe_load(WORKFLOW)["jobs"]["sandbox"]["steps"]
    asked = [words for step in steps for words in commands(f"run: {step.get('run', '')}")]
    assert [words[:2] for words in asked] == [
        ["sandbox", "reap"],
        ["sandbox", "down"],
        ["promote", "--registry"],
        ["evidence", "--markdown"],
    ]
    for words in asked:
        command_line().parse_args(words)


def test_the_page_should_have_valid_commands_and_every_name_when_it_tells_of_the_files() -> None:
    asked = commands(PAGE)
    assert len(asked) >= 3
    for words in asked:
        command_line().parse_args(words)
    for variable in set(re.findall(r"vars\.(\w+)", WORKFLOW)):
        assert f"`{variable}`" in PAGE
    for file in FOLDER.iterdir():
        assert file.name in PAGE


def test_the_workflow_should_have_no_key_and_few_rights_when_it_promotes() -> None:
    workflow = yaml.safe_load(WORKFLOW)
    assert workflow["permissions"] == {
        "contents": "read",
        "id-token": "write",
        "pull-requests": "write",
    }
    assert "secrets." not in WORKFLOW and "credentials_json" not in WORKFLOW


def test_the_rights_should_be_enough_when_any_kind_is_rendered() -> None:
    rules = objects("rights.yaml")[0]["rules"]
    allowed = {resource for rule in rules for resource in rule["resources"]}
    needed = {
        "namespaces",
        "resourcequotas",
        "limitranges",
        "networkpolicies",
        "persistentvolumeclaims",
        "configmaps",
        "secrets",
        "roles",
        "services",
        "httproutes",
        "jobs",
        "deployments",
    }
    assert len(KINDS) == len(needed) + 1  # namespaces made by services need more, as the page says
    assert needed <= allowed
