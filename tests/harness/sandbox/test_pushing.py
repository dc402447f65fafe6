"""Images are pushed to a registry, and named by the digests that they have there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from registry import Registry, registry
from tiny import NO_PYTHON_IMAGE, Tiny, settled_image

from nomock.adapters.engine import Engine, ImageConfig
from nomock.errors import PromotionError
from nomock.sandbox.pushing import Pushing

SMALL_IMAGE = settled_image("TOXIPROXY_IMAGE", "nomock/toxiproxy:2.12.0")


@pytest.fixture
def own_registry() -> Iterator[Registry]:
    with registry() as own:
        yield own


def test_images_should_have_the_digests_of_the_registry_when_they_were_pushed(
    tiny: Tiny, own_registry: Registry
) -> None:
    tiny.compose(
        one={"image": NO_PYTHON_IMAGE, "user": "redis"},
        two={"image": NO_PYTHON_IMAGE},
        off={"image": "not-here", "scale": 0},
    )
    engine = Engine()
    said: list[str] = []
    before = set(engine.images())
    images = Pushing(engine, own_registry.address, said.append).images(tiny.stack().project)
    ((name, digest),) = own_registry.manifests.items()
    assert set(images) == {"one", "two"}
    assert {image.reference for image in images.values()} == {
        f"{own_registry.address}/{name.rpartition(':')[0]}@{digest}"
    }
    assert name.startswith((f"{tiny.name}/one:", f"{tiny.name}/two:"))
    assert list(images["one"].users) == ["redis"]
    assert images["one"].stop_signal == ""
    assert any("digest: sha256" in line for line in said)
    # The name that an image has for its push is gone: another registry may be at that address.
    assert not any(own_registry.address in name for name in set(engine.images()) - before)
    config = engine.image_config(NO_PYTHON_IMAGE)
    assert config is not None
    assert not any(own_registry.address in digest for digest in config.digests)


def test_the_tools_should_be_in_the_registry_when_faults_need_them(
    tiny: Tiny, own_registry: Registry
) -> None:
    tiny.compose(one={"image": NO_PYTHON_IMAGE})
    pushing = Pushing(Engine(), own_registry.address, lambda line: None)
    reference = pushing.tools(tiny.stack().project, SMALL_IMAGE)
    ((name, digest),) = own_registry.manifests.items()
    assert name.startswith(f"{tiny.name}/tools:")
    assert reference == f"{own_registry.address}/{tiny.name}/tools@{digest}"


@pytest.mark.parametrize(
    ("named", "is_pushed"),
    [("redis:8", False), ("docker.io/library/redis:8", False), ("shop/redis:8", True)],
)
def test_an_image_should_be_pushed_only_when_its_own_name_cannot_be_pulled(
    tiny: Tiny, own_registry: Registry, named: str, is_pushed: bool
) -> None:
    upstream = f"redis@sha256:{'1' * 64}"

    class Told(Engine):
        """Says of the image that it was pulled from upstream, and once pushed elsewhere."""

        def image_config(self, name: str) -> ImageConfig | None:
            config = super().image_config(SMALL_IMAGE)
            assert config is not None
            elsewhere = f"127.0.0.1:1/shop/redis@sha256:{'2' * 64}"
            return replace(config, digests=(elsewhere, upstream))

    tiny.compose(one={"image": named})
    images = Pushing(Told(), own_registry.address, lambda line: None).images(tiny.stack().project)
    assert bool(own_registry.manifests) == is_pushed
    assert (images["one"].reference == upstream) == (not is_pushed)


@pytest.mark.parametrize("refuses", ["blobs", "manifests"])
def test_a_push_should_fail_in_the_clients_words_when_the_registry_refuses_it_half_way(
    tiny: Tiny, own_registry: Registry, refuses: str
) -> None:
    tiny.compose(one={"image": SMALL_IMAGE})
    own_registry.refuses = refuses
    with pytest.raises(PromotionError) as caught:
        Pushing(Engine(), own_registry.address, lambda line: None).images(tiny.stack().project)
    assert caught.value.what == "the registry refused the push"
    assert caught.value.where.startswith(f"image {own_registry.address}/{tiny.name}/one:")
    assert "no room" in caught.value.seen
    assert caught.value.todo == (
        "see that the registry is there and that you are logged in: docker login "
        f"{own_registry.address}"
    )


def test_an_image_should_be_named_when_it_is_not_here_to_be_pushed(
    tiny: Tiny, own_registry: Registry
) -> None:
    tiny.compose(one={"image": "nomock/not-here:1"})
    with pytest.raises(PromotionError) as caught:
        Pushing(Engine(), own_registry.address, lambda line: None).images(tiny.stack().project)
    assert str(caught.value) == (
        "service one: its image is not here\n"
        "  nomock/not-here:1\n"
        "-> pull it: docker compose pull one"
    )
