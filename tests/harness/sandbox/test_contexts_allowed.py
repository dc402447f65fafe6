"""Which cluster a command may meet: this machine's node, or one that a setting names."""

from __future__ import annotations

from pathlib import Path

import pytest

from nomock.errors import ConfigError
from nomock.loading import load
from nomock.stack.promoted import check_context, connected

COMPOSE = "services: {web: {image: shop/web}}\n"
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: staging, context: {cluster: c, user: u}}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project that allows one context, with a kubeconfig that has it."""
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "pyproject.toml").write_text('[tool.nomock]\ncontexts = ["staging"]\n')
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_a_context_should_be_refused_when_no_setting_names_it(folder: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        check_context(load(folder, {"context": "production"}))
    assert str(refused.value) == (
        "sandbox: the context 'production' may not be used\n"
        "  contexts that may be: staging\n"
        "-> if it is for tests: contexts = ['production'] in [tool.nomock]"
    )


def test_a_context_should_be_used_when_a_setting_names_it(folder: Path) -> None:
    connection = connected(load(folder, {"context": "staging"}))
    assert (connection.context, connection.address) == ("staging", "https://127.0.0.1:1")


def test_a_context_should_be_refused_when_the_kubeconfig_has_it_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOMOCK_CONTEXTS", "stagin")
    with pytest.raises(ConfigError) as refused:
        connected(load(folder, {"context": "stagin"}))
    assert str(refused.value) == (
        f"{folder}/kubeconfig: there is no context 'stagin'\n"
        "  the contexts are: staging\n"
        "-> did you mean 'staging'?"
    )


@pytest.mark.parametrize("text", ["", "clusters: [", "clusters: []\n"])
def test_a_kubeconfig_should_be_named_when_it_cannot_be_read(folder: Path, text: str) -> None:
    (folder / "kubeconfig").write_text(text)
    with pytest.raises(ConfigError, match="this kubeconfig cannot be read") as refused:
        connected(load(folder, {"context": "staging"}))
    assert refused.value.where == f"{folder}/kubeconfig"


def test_the_local_node_should_be_what_is_missing_when_no_context_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        connected(load(folder))
    assert str(refused.value) == (
        "sandbox: there is no local node, and no context is named\n"
        f"  no {folder}/cache/nomock/node/kubeconfig\n"
        "-> start one: nomock sandbox local; or name a cluster that you have: --context"
    )


@pytest.mark.parametrize("value", ["Prod", "-x", "a" * 33, "a/b"])
def test_the_id_of_a_sandbox_should_be_refused_when_it_cannot_name_a_namespace(
    folder: Path, value: str
) -> None:
    with pytest.raises(ConfigError, match="sandbox cannot be"):
        load(folder, {"sandbox": value})
