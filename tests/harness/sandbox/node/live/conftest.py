"""A local node of these tests alone, beside the user's own; it is gone when they are over."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from live_node import Node
from tiny import IMAGE


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A local node that is ready."""
    with pytest.MonkeyPatch.context() as patched:
        cache = tmp_path_factory.mktemp("cache")
        patched.setenv("XDG_CACHE_HOME", str(cache))  # of which the project has its name
        made = Node(cache)
        try:
            made.local()
            yield made
        finally:
            made.local("--down")


@pytest.fixture(scope="session")
def image(node: Node) -> str:
    """The name by which the node pulls an image with Python from its registry."""
    name = f"{node.registry}/python:test"
    for command in (["tag", IMAGE, name], ["push", "--quiet", name], ["rmi", name]):
        subprocess.run(["docker", *command], check=True, capture_output=True)
    return name
