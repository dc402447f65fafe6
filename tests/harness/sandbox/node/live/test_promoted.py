"""A small project, promoted to the node by the command line, and used as a target."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import pytest
from live_node import Node
from live_shop import Shop, project
from tiny import IMAGE

from nomock.errors import ComposeError, NotPossibleError
from nomock.sandbox.render import place_of


@pytest.fixture(scope="module")
def shop(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The project, promoted; its sandbox is gone at the end."""
    found = Shop(tmp_path_factory.mktemp("shop"), node)
    found.write(project())
    promoted = found.nomock("promote", "--json")
    assert promoted.returncode == 0, promoted.stderr
    told = json.loads(promoted.stdout)
    assert (told["id"], told["answers"], told["untranslated"]) == ("shop", {"web": 200}, 0)
    yield found
    down = found.nomock("sandbox", "down")
    assert (down.returncode, down.stdout) == (0, "sandbox shop is gone\n"), down.stderr
    assert not node.kubectl("get", "namespace", "-l", "nomock/sandbox", "-o", "name")


def test_the_status_should_name_each_service_and_end_with_0_when_all_is_promoted(
    shop: Shop,
) -> None:
    told = shop.nomock("sandbox", "status")
    rows = {line.split()[0]: line.split()[1] for line in told.stdout.splitlines()[1:]}
    assert (told.returncode, rows) == (0, {"web": "healthy", "job": "exited", "data": "healthy"})
    assert "it serves" in shop.nomock("sandbox", "logs", "web").stdout
    assert "shop" in shop.nomock("sandbox", "list").stdout


def test_a_service_should_answer_run_commands_and_tell_its_variables_when_it_is_promoted(
    shop: Shop,
) -> None:
    with closing(shop.stack()) as stack:
        web = stack["web"]
        assert web.http.get("/").status_code == 200
        assert web.exec("id", "-u") == "10001\n"
        assert web.environment()["GREETING"] == "hello"
        with pytest.raises(ComposeError, match="ended with 3"):
            web.exec("sh", "-c", "exit 3")


def test_an_address_should_stay_when_a_pod_is_killed_and_another_takes_its_place(
    shop: Shop,
) -> None:
    with closing(shop.stack()) as stack:
        web = stack["web"]
        url, first = web.url, web.container_id
        web.kill()
        stack.wait_ready("web")
        assert (web.url, web.http.get("/").status_code) == (url, 200)
        assert web.container_id != first


def test_a_service_should_be_away_until_it_is_started_when_it_is_stopped(shop: Shop) -> None:
    with closing(shop.stack()) as stack:
        stack["web"].stop()
        assert "asked to end" in stack["web"].logs()
        assert stack.differences() == {"web": "no container"}
        stack["web"].start()
        assert stack.differences() == {}
        assert stack["web"].http.get("/").status_code == 200


def test_a_pod_should_not_be_ended_when_data_would_be_gone_with_it(shop: Shop) -> None:
    with closing(shop.stack()) as stack:
        for end in (stack["data"].kill, stack["data"].stop):
            with pytest.raises(NotPossibleError, match="its data would be gone"):
                end()


def test_a_promotion_should_name_the_cause_when_a_service_cannot_become_ready(shop: Shop) -> None:
    bad = {"image": IMAGE, "command": ["sh", "-c", "echo no use; exit 3"]}
    shop.write(project(bad=bad))
    promoted = shop.nomock("promote")
    assert promoted.returncode == 1
    said = promoted.stderr[promoted.stderr.index("service bad") :]
    assert said.startswith("service bad, sandbox shop: it ends again and again\n  pod bad-")
    assert "exit code 3" in said and "no use" in said
    assert said.endswith("-> nomock sandbox logs bad; mend it, then promote again\n")
    assert "evidence: .nomock/evidence/promotion.json" in promoted.stderr
    left = json.loads((shop.folder / ".nomock/evidence/promotion.json").read_text())
    assert left["error"].startswith("service bad, sandbox shop: it ends again and again")
    (bad,) = [p for p in left["pods"] if p["metadata"]["labels"]["nomock/service"] == "bad"]
    assert "no use" in left["logs"][f"{bad['metadata']['name']}/bad"]
    assert f"Pod/{bad['metadata']['name']}" in {event["object"] for event in left["events"]}
    # The next promotion, without it, ends in a right state.
    shop.write(project())
    assert shop.nomock("promote").returncode == 0
    assert not shop.node.kubectl(
        "get", "deployment", "bad", "-n", "nomock-shop", "--ignore-not-found"
    )


def test_a_namespace_should_be_refused_when_it_is_somebody_elses(shop: Shop) -> None:
    taken = place_of("taken").namespace
    shop.node.kubectl("create", "namespace", taken)
    try:
        promoted = shop.nomock("promote", "--id", "taken")
        assert promoted.returncode == 1
        assert f"namespace {taken}: this namespace belongs to somebody else" in promoted.stderr
    finally:
        shop.node.kubectl("delete", "namespace", taken)


def test_a_sandbox_should_be_reaped_when_its_time_is_over(shop: Shop) -> None:
    assert shop.nomock("promote", "--id", "short", "--hours", "0.00001").returncode == 0
    told = shop.nomock("sandbox", "reap")
    assert told.stdout == "removed 1: short\n", told.stderr


def test_a_namespace_that_a_service_made_should_go_when_its_sandbox_does(shop: Shop) -> None:
    makes = {"namespaces": {"web": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}}
    shop.write({**project(), "x-nomock": makes})
    try:
        assert shop.nomock("promote", "--id", "maker").returncode == 0
        account = ["--as", "system:serviceaccount:nomock-maker:web"]
        label = {"metadata": {"name": "made", "labels": {"nomock/made-in": "nomock-maker"}}}
        made = json.dumps({"apiVersion": "v1", "kind": "Namespace", **label})
        shop.node.kubectl(*account, "create", "-f", "-", given=made)
        down = shop.nomock("sandbox", "down", "--id", "maker")
        assert down.returncode == 0, down.stderr
        kinds = "namespace,clusterrole,clusterrolebinding,validatingadmissionpolicy"
        for ours in ("nomock/made-in=nomock-maker", "nomock/sandbox=maker"):
            assert not shop.node.kubectl("get", kinds, "-l", ours, "-o", "name")
    finally:
        shop.write(project())
