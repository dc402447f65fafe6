"""What a cluster or a compose file refuses is said before an image is built or pushed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_cluster import FakeCluster, fake_cluster, refusal
from registry import Registry, registry
from tiny import NO_PYTHON_IMAGE, Tiny

from nomock.adapters.kubernetes import connect
from nomock.errors import (
    ClusterForbiddenError,
    ClusterMissingError,
    NotPromotableError,
    PromotionError,
)
from nomock.sandbox.promotion import Promotion

MAY_NOT = 'namespaces is forbidden: User "me" cannot create resource "namespaces"'
Promote = Callable[..., Promotion]


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with fake_cluster() as found:
        yield found


@pytest.fixture
def own_registry() -> Iterator[Registry]:
    with registry() as own:
        yield own


@pytest.fixture
def promotion(
    tiny: Tiny, cluster: FakeCluster, own_registry: Registry, tmp_path: Path
) -> Iterator[Promote]:
    """Return what is to promote some services; no phase of it has begun at the end of a test."""
    said: list[str] = []

    def of(**services: Any) -> Promotion:
        tiny.compose(**services or {"web": {"image": NO_PYTHON_IMAGE}})
        stack = tiny.stack()
        return Promotion(
            stack.settings,
            stack.project,
            connect("fake", cluster.kubeconfig(tmp_path / "kubeconfig")),
            own_registry.address,
            "shop",
            timedelta(hours=1),
            say=said.append,
            show=lambda line: None,
        )

    yield of
    assert (said, own_registry.manifests) == ([], {})


def test_a_promotion_should_be_refused_when_its_user_may_make_no_namespace(
    promotion: Promote, cluster: FakeCluster
) -> None:
    cluster.answers = lambda method, path: refusal(403, MAY_NOT) if method == "PATCH" else None
    with pytest.raises(ClusterForbiddenError) as refused:
        promotion().run()
    assert str(refused.value) == (
        "cluster fake: the cluster does not allow it\n"
        f"  {MAY_NOT}\n"
        "-> let an administrator give this user the right that is named"
    )
    assert all("dryRun=All" in asked for asked in cluster.asked if asked.startswith("PATCH"))


def test_a_promotion_should_be_refused_when_its_credentials_are_expired(
    promotion: Promote, cluster: FakeCluster
) -> None:
    cluster.answers = lambda method, path: refusal(401, "Unauthorized")
    with pytest.raises(ClusterForbiddenError) as refused:
        promotion().run()
    assert str(refused.value) == (
        "cluster fake: the cluster does not take these credentials\n"
        "  Unauthorized\n"
        "-> they may have expired: log in again for the context fake"
    )


def test_a_promotion_should_be_refused_when_the_cluster_does_not_answer(
    promotion: Promote, cluster: FakeCluster
) -> None:
    made = promotion()
    cluster.server_close()
    with pytest.raises(ClusterMissingError, match="the cluster does not answer"):
        made.run()


def test_a_promotion_should_be_refused_when_the_namespace_is_somebody_elses(
    promotion: Promote, cluster: FakeCluster
) -> None:
    found = {"metadata": {"name": "nomock-shop", "labels": {}}, "status": {"phase": "Active"}}
    cluster.answers = lambda method, path: (200, found) if method == "GET" else None
    with pytest.raises(PromotionError, match="this namespace belongs to somebody else"):
        promotion().run()


def test_a_promotion_should_be_refused_when_no_configmap_has_room_for_a_file(
    promotion: Promote, tiny: Tiny
) -> None:
    tiny.write("big.txt", "x" * (1 << 20) + "x")
    mount = {"type": "bind", "source": str(tiny.path / "big.txt"), "target": "/big.txt"}
    with pytest.raises(NotPromotableError, match="too large for a ConfigMap"):
        promotion(web={"image": NO_PYTHON_IMAGE, "volumes": [mount]}).run()


def test_a_promotion_should_be_refused_when_two_services_would_have_one_name(
    promotion: Promote,
) -> None:
    own = {"image": NO_PYTHON_IMAGE}
    with pytest.raises(NotPromotableError, match="one name in a sandbox, web-app"):
        promotion(web_app=own, **{"web-app": own}).run()
