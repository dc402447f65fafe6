"""Argo CD brings a sandbox to the same state as objects that are applied from here."""

from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from live_node import Node
from live_shop import Shop, project
from tiny import IMAGE

SECRET = "s3cret-value"
SPACE = "nomock-shop"
KINDS = "deploy,svc,job,cm,secret,sa,role,rolebinding,quota,limits,netpol,pvc"
# What the server writes, or he who applies: none of it is what the sandbox is.
LEFT_OUT = {
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "status",
    "clusterIP",
    "clusterIPs",
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
    "argocd.argoproj.io/tracking-id",
    "nomock/expires",
    "nomock/promoted-by",
}


def with_secret() -> dict[str, Any]:
    """The project, with a variable that is a secret and a role."""
    config = project()
    config["services"]["web"]["environment"]["PASSWORD"] = SECRET
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    return {**config, "x-nomock": {"roles": {"web": [rule]}}}


class Both(Shop):
    """The project, promoted by Argo CD, and what there was when it was applied from here."""

    direct: Mapping[str, Any]


@pytest.fixture(scope="module")
def shop(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The project, promoted one way and then the other."""
    node.local("--argo")
    found = Both(tmp_path_factory.mktemp("shop"), node)
    found.write(with_secret())
    promote(found, "--direct")
    found.direct = objects(node)
    down(found)
    promote(found, "--argo")
    yield found
    down(found)
    assert not node.kubectl("get", "app", "-n", "argocd", "-o", "name")


def promote(shop: Shop, *arguments: str) -> None:
    promoted = shop.nomock("promote", *arguments)
    assert promoted.returncode == 0, promoted.stderr


def down(shop: Both) -> None:
    told = shop.nomock("sandbox", "down")
    assert (told.returncode, told.stdout) == (0, "sandbox shop is gone\n"), told.stderr


def objects(node: Node) -> dict[str, Any]:
    """Return the objects of the sandbox, without what the server or the manager writes."""
    ours = ("-n", SPACE, "-l", "nomock/sandbox", "-o", "json")
    found = [
        *json.loads(node.kubectl("get", KINDS, *ours))["items"],
        json.loads(node.kubectl("get", "ns", SPACE, "-o", "json")),
    ]
    return {f"{one['kind']} {one['metadata']['name']}": plain(one) for one in found}


def plain(value: Any) -> Any:
    """Return a part of an object without what is written anew for each."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: plain(one) for key, one in value.items() if key not in LEFT_OUT}


def test_the_state_should_be_the_same_when_either_way_brings_the_sandbox_up(shop: Both) -> None:
    by_argo = objects(shop.node)
    assert {"Deployment", "Job", "Secret", "Role", "Namespace"} <= {n.split()[0] for n in by_argo}
    assert by_argo.keys() == shop.direct.keys()
    assert {name: found for name, found in by_argo.items() if found != shop.direct[name]} == {}


def test_no_secret_should_stand_in_the_artifact_when_argo_brings_the_sandbox_up(shop: Both) -> None:
    base = f"http://{shop.node.registry}/v2/shop/sandbox"
    kind = "application/vnd.oci.image.manifest.v1+json"
    asked = urllib.request.Request(f"{base}/manifests/shop", headers={"Accept": kind})
    with urllib.request.urlopen(asked) as reply:
        (layer,) = json.load(reply)["layers"]
    with urllib.request.urlopen(f"{base}/blobs/{layer['digest']}") as reply:
        text = gzip.decompress(reply.read()).decode()
    assert '"kind": "Deployment"' in text and '"kind": "Namespace"' in text
    assert '"kind": "Secret"' not in text and SECRET not in text


def test_objects_should_be_replaced_and_taken_away_when_services_changed_and_went(
    shop: Both,
) -> None:
    before = objects(shop.node)
    changed = with_secret()
    changed["services"]["web"]["environment"]["GREETING"] = "good bye"
    del changed["services"]["data"]
    shop.write(changed)
    promote(shop, "--argo")
    after = objects(shop.node)
    assert before.keys() - after.keys() == {"Deployment data", "Service data"}
    assert "good bye" in str(after["Deployment web"])


def test_a_promotion_should_name_the_cause_when_a_service_cannot_become_ready(shop: Both) -> None:
    bad = {"image": IMAGE, "command": ["sh", "-c", "echo no use; exit 3"]}
    shop.write({**with_secret(), "services": {**with_secret()["services"], "bad": bad}})
    promoted = shop.nomock("promote", "--argo")
    assert promoted.returncode == 1
    said = promoted.stderr[promoted.stderr.index("service bad") :]
    assert said.startswith("service bad, sandbox shop: it ends again and again\n  pod bad-")
    assert "exit code 3" in said and "no use" in said
    # The sync waits for it still: the next promotion ends that one, and is in a right state itself.
    shop.write(with_secret())
    promote(shop, "--argo")
    assert "Deployment bad" not in objects(shop.node)


def test_a_sandbox_should_be_refused_when_it_was_promoted_in_the_other_way(shop: Both) -> None:
    promoted = shop.nomock("promote", "--direct")
    assert promoted.returncode == 1
    assert promoted.stderr.endswith(
        "namespace nomock-shop: this sandbox was promoted in another way\n"
        "  its annotation nomock/promoted-by is 'argocd/nomock-shop', and not 'direct'\n"
        "-> promote it as before (--direct, --argo), or take it down first: nomock sandbox down\n"
    )
