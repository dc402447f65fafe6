"""The local node is started once, and comes back from whatever befell it, with what was in it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
from live_node import Node, ask, server

from nomock.adapters.engine import Engine
from nomock.sandbox.node.project import NODE, REGISTRY, project_name

ASKS = ask("kept", who="kept", namespace="kept")


@pytest.fixture(scope="module")
def served(node: Node, image: str) -> None:
    """A Deployment in a namespace, as in a sandbox."""
    node.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}})
    node.apply(
        *(
            {**one, "metadata": {**one["metadata"], "namespace": "kept"}}
            for one in server("kept", image)
        )
    )
    assert node.succeeds(*ASKS)


def ids(node: Node) -> dict[str, str]:
    return {name: container.id for name, container in node.containers.items()}


@pytest.fixture(scope="module", autouse=True)
def there_for_others(node: Node) -> Iterator[None]:
    """Have the node there when these tests are over: the last one takes it down."""
    yield
    node.local()


def test_nothing_should_change_when_the_node_is_there_already(node: Node) -> None:
    before = ids(node)
    node.local()
    assert ids(node) == before


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("service", [NODE, REGISTRY])
def test_the_node_should_come_back_with_what_was_in_it_when_it_was_killed(
    node: Node, service: str
) -> None:
    Engine().kill(node.containers[service].id)
    node.local()
    assert node.succeeds(*ASKS)
    # By the port that the registry has now.
    node.pull(f"{node.registry}/python:test")


@pytest.mark.usefixtures("served")
def test_the_node_should_come_back_when_its_machine_was_stopped(node: Node) -> None:
    for container in node.containers.values():
        Engine().stop(container.id)
    node.local()
    assert node.succeeds(*ASKS)


def test_one_should_start_it_and_the_other_wait_when_two_are_called_at_once(node: Node) -> None:
    node.local("--down")
    calls = [node.command(), node.command()]
    said = [call.communicate()[0] for call in calls]
    assert [call.returncode for call in calls] == [0, 0], said
    assert sorted(node.containers) == [NODE, REGISTRY]
    assert (
        len({line for text in said for line in text.splitlines() if line.startswith("registry ")})
        == 1
    )


def test_a_call_should_go_on_from_there_when_the_one_before_was_killed(node: Node) -> None:
    node.local("--down")
    killed = node.command()
    assert node.comes_to(lambda: NODE in node.containers)
    killed.kill()
    killed.communicate()
    node.local()
    assert node.kubectl("get", "--raw", "/readyz") == "ok"


def test_a_kubeconfig_should_be_written_anew_when_it_is_not_right(node: Node) -> None:
    right = node.kubeconfig.read_text(encoding="utf-8")
    node.kubeconfig.write_text("{}", encoding="utf-8")
    node.local()
    assert json.loads(node.kubeconfig.read_text(encoding="utf-8")) == json.loads(right)


def test_nothing_should_be_left_when_it_is_taken_down(node: Node) -> None:
    node.local("--down")
    assert node.containers == {}
    assert Engine().volumes(project_name()) == []
    assert not node.kubeconfig.exists()
    ours = f"name={project_name()}"
    left = subprocess.run(
        ["docker", "network", "ls", "-q", "--filter", ours], capture_output=True, check=True
    )
    assert left.stdout == b""
