"""A named volume that is a claim outlives its pods, and is gone with its sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import pytest
from live_node import Node
from live_shop import Shop, project


@pytest.fixture
def shop(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A project whose one volume is a claim, of a user who is not root; promoted."""
    found = Shop(tmp_path_factory.mktemp("claims"), node)
    data = {**project()["services"]["data"], "user": "10001:10001"}
    claims = {"claims": {"kept": "64Mi"}}
    config = {"name": "claims", "services": {"data": data}, "volumes": {"kept": {}}}
    found.write({**config, "x-nomock": claims})
    promoted = found.nomock("promote")
    assert promoted.returncode == 0, promoted.stderr
    yield found
    found.nomock("sandbox", "down")


def test_data_should_go_only_when_the_sandbox_does_and_not_with_pods_or_a_promotion(
    shop: Shop, node: Node
) -> None:
    with closing(shop.stack()) as stack:
        data = stack["data"]
        data.exec("sh", "-c", "echo precious >/data/note")
        data.stop()
        assert list(stack.differences()) == ["data"]
        data.start()
        assert data.exec("cat", "/data/note") == "precious\n"
        data.kill()
        stack.wait_ready("data")
        assert data.exec("cat", "/data/note") == "precious\n"
        assert shop.nomock("promote").returncode == 0
        assert data.exec("cat", "/data/note") == "precious\n"
    volumes = json.loads(node.kubectl("get", "pv", "-o", "json"))["items"]
    assert [one["spec"]["claimRef"]["namespace"] for one in volumes] == ["nomock-claims"]
    assert shop.nomock("sandbox", "down").returncode == 0
    assert node.comes_to(lambda: not node.kubectl("get", "pv", "-o", "name"))
    assert node.inside("ls", "/var/lib/node/claims") == ""
