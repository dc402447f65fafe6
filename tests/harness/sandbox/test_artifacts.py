"""Artifacts are pushed to registries as whom the docker client is logged in."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from registry import Registry, registry

from nomock.adapters.artifacts import push_artifact
from nomock.errors import PromotionError

FILES = {"manifests.json": b'{"kind": "List"}'}
KIND = "application/vnd.nomock.test"
LOGIN = "me:pass:word"


@pytest.fixture
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry, and a docker client that is logged in nowhere."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with registry() as own:
        yield own


def push(own: Registry, files: dict[str, bytes] | None = None) -> str:
    return push_artifact(f"{own.address}/shop/sandbox", "pr-7", files or FILES, KIND)


def test_an_artifact_should_have_the_same_digest_when_its_files_are_the_same(
    own_registry: Registry,
) -> None:
    first = push(own_registry)
    blobs = dict(own_registry.blobs)
    assert own_registry.manifests == {"shop/sandbox:pr-7": first}
    assert push(own_registry) == first
    assert own_registry.blobs == blobs
    assert push(own_registry, {"manifests.json": b"{}"}) != first


def test_an_artifact_should_be_pushed_when_the_docker_client_is_logged_in(
    own_registry: Registry, tmp_path: Path
) -> None:
    own_registry.login = LOGIN
    auth = base64.b64encode(LOGIN.encode()).decode()
    config = {"auths": {own_registry.address: {"auth": auth}}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert own_registry.manifests == {}
    digest = push(own_registry)
    assert own_registry.manifests == {"shop/sandbox:pr-7": digest}


def test_an_artifact_should_be_pushed_when_a_credential_helper_has_the_login(
    own_registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_registry.login = LOGIN
    helper = tmp_path / "docker-credential-cloud"
    told = json.dumps({"Username": "me", "Secret": "pass:word"})
    helper.write_text(
        f"#!/bin/sh\n[ \"$1 $(cat)\" = 'get {own_registry.address}' ] && echo '{told}'\n"
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    config = {"credHelpers": {own_registry.address: "cloud"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    digest = push(own_registry)
    assert own_registry.manifests == {"shop/sandbox:pr-7": digest}


def test_a_push_should_be_refused_when_nobody_is_logged_in(own_registry: Registry) -> None:
    own_registry.login = LOGIN
    with pytest.raises(PromotionError) as refused:
        push(own_registry)
    assert str(refused.value).startswith(
        f"artifact {own_registry.address}/shop/sandbox: the registry refused the push\n"
        "  HEAD blobs/sha256:"
    )
    assert str(refused.value).endswith(
        ": 401\n"
        "-> see that the registry is there and that you are logged in: docker login "
        f"{own_registry.address}"
    )


@pytest.mark.parametrize("refuses", ["uploads", "manifests"])
def test_a_push_should_fail_in_the_registrys_words_when_it_is_refused_half_way(
    own_registry: Registry, refuses: str
) -> None:
    own_registry.refuses = refuses
    with pytest.raises(PromotionError, match="no room"):
        push(own_registry)


def test_a_push_should_say_so_when_there_is_no_registry(own_registry: Registry) -> None:
    name = "127.0.0.1:1/shop/sandbox"
    with pytest.raises(PromotionError, match="Connection refused") as refused:
        push_artifact(name, "pr-7", FILES, KIND)
    assert refused.value.where == f"artifact {name}"
