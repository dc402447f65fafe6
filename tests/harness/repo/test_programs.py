"""What commands print for programs: JSON alone on standard output, of the shape in the docs."""

from __future__ import annotations

import json

from proxied import proxied
from tiny import Tiny


def test_a_status_should_be_json_of_the_documented_shape(tiny: Tiny) -> None:
    proxied(tiny, "def test_it(stack): pass")
    before = tiny.nomock("status", "--json")
    found = json.loads(before.stdout.str())
    assert before.ret == 1
    assert found["stack"] == tiny.name
    assert (found["is_ready"], found["lanes"]) == (False, [])
    told = {(c["name"], c["state"], c["ports"]): c["told"] for c in found["containers"]}
    assert told["web", "no container", ""] == "not running"

    assert tiny.nomock("up").ret == 0
    after = tiny.nomock("status", "--json")
    found = json.loads(after.stdout.str())
    assert (after.ret, found["is_ready"]) == (0, True)
    assert {c["told"] for c in found["containers"]} == {"as it should be"}

    tables = json.loads(tiny.nomock("edges", "--json").stdout.str())
    [edges] = [table["tests"] for table in tables if "shop->web" in table["tests"]][:1]
    assert edges["shop->web"]["latency"] == []
    one = json.loads(tiny.nomock("edges", "shop->web", "--json").stdout.str())
    assert all(table["tests"].keys() == {"shop->web"} for table in one)
