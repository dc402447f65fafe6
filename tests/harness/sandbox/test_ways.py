"""What Argo CD says of a sandbox that it brings up, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_cluster import Answer, FakeCluster, fake_cluster
from registry import Registry, registry

from nomock.adapters.kubernetes import connect
from nomock.errors import PromotionError
from nomock.sandbox.ways import ByArgo

SPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "nomock-pr-7", "labels": {"nomock/sandbox": "pr-7"}},
}
APPLICATION = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/nomock-pr-7"


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with fake_cluster() as found:
        yield found


@pytest.fixture
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with registry() as own:
        yield own


@pytest.fixture
def way(cluster: FakeCluster, own_registry: Registry, tmp_path: Path) -> ByArgo:
    connection = connect("fake", cluster.kubeconfig(tmp_path / "kubeconfig"))
    return ByArgo(
        connection,
        "nomock-pr-7",
        "pr-7",
        lambda line: None,
        repository=f"{own_registry.address}/shop/sandbox",
        seen_as="registry:5000/shop/sandbox",
    )


class Argo:
    """An Argo CD that says of each sync what it is told to, and of the artifact what is true."""

    def __init__(self, cluster: FakeCluster, **said: Any) -> None:
        self.application: dict[str, Any] = {}
        self.said = said
        cluster.answers = self.answer

    def answer(self, method: str, path: str) -> Answer | None:
        if path == "/apis/argoproj.io/v1alpha1":
            return 200, {}
        if method == "GET" and path == APPLICATION and self.said:
            return 200, self.said
        return None


def test_a_promotion_should_be_refused_when_the_cluster_has_no_argocd(way: ByArgo) -> None:
    with pytest.raises(PromotionError) as refused:
        way.require(SPACE)
    assert str(refused.value) == (
        "cluster fake: there is no Argo CD in this cluster\n"
        "  it has no kind Application (argoproj.io/v1alpha1)\n"
        "-> promote without it: --direct; beside the local node it is started by "
        "nomock sandbox local --argo"
    )


def test_secrets_should_be_applied_and_not_pushed_when_argo_syncs_the_rest(
    way: ByArgo, cluster: FakeCluster, own_registry: Registry
) -> None:
    Argo(cluster)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "data": {"k": "v"}}
    way.sync([SPACE, secret])
    made = [asked for asked in cluster.asked if asked.startswith("PATCH") and "dryRun" not in asked]
    assert [asked.partition("?")[0] for asked in made] == [
        "PATCH /api/v1/namespaces/nomock-pr-7",
        "PATCH /api/v1/namespaces/nomock-pr-7/secrets/key",
    ]
    with_secret = way.revision
    assert own_registry.manifests == {"shop/sandbox:pr-7": with_secret}
    way.sync([SPACE])
    assert way.revision == with_secret


def test_an_application_that_nobody_takes_up_should_be_named_when_the_time_is_over(
    way: ByArgo, cluster: FakeCluster
) -> None:
    Argo(cluster, metadata={"name": "nomock-pr-7"})
    way.sync([SPACE])
    with pytest.raises(PromotionError) as late:
        way.apply([SPACE], within_s=0)
    assert (late.value.what, late.value.where) == (
        "Argo CD does not take it up",
        "Application argocd/nomock-pr-7",
    )


def test_a_sync_should_not_be_taken_for_this_one_when_it_is_of_an_earlier_call(
    way: ByArgo, cluster: FakeCluster
) -> None:
    argo = Argo(cluster)
    way.sync([SPACE])
    info = [{"name": "nomock", "value": "an earlier call"}]
    argo.said = {
        "status": {
            "sync": {"revision": way.revision, "status": "Synced"},
            "health": {"status": "Healthy"},
            "operationState": {
                "phase": "Succeeded",
                "operation": {"info": info},
                "syncResult": {"revision": way.revision},
            },
        }
    }
    with pytest.raises(PromotionError) as late:
        way.apply([SPACE], within_s=0)
    assert late.value.seen == "Argo CD: Succeeded, Synced, Healthy"
