"""An empty sandbox is made at once, and filled by a promotion."""

from __future__ import annotations

import pytest
from live_node import Node
from live_shop import Shop, project


def test_an_empty_sandbox_should_be_made_once_when_up_is_called_again(
    node: Node, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shop = Shop(tmp_path_factory.mktemp("up"), node)
    shop.write({**project(), "name": "up"})
    for how in ("is made", "is there"):
        told = shop.nomock("sandbox", "up", "--hours", "1")
        said = f"sandbox up {how} in nomock-local, namespace nomock-up\n"
        assert (told.returncode, told.stdout) == (0, said), told.stderr
    there = node.kubectl("get", "quota,limits,netpol,deploy", "-n", "nomock-up", "-o", "name")
    assert there.split() == [
        "resourcequota/sandbox",
        "limitrange/sandbox",
        "networkpolicy.networking.k8s.io/closed",
        "networkpolicy.networking.k8s.io/network-default",
    ]
    assert "0:59:" in shop.nomock("sandbox", "list").stdout
    assert shop.nomock("promote").returncode == 0
    before = node.kubectl("get", "ns", "nomock-up", "-o", "yaml")
    assert shop.nomock("sandbox", "up").returncode == 0
    assert node.kubectl("get", "ns", "nomock-up", "-o", "yaml") == before
    assert shop.nomock("sandbox", "down").returncode == 0
