"""What a run on a sandbox says and keeps apart from one on compose: commands, lanes, journals."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tiny import Tiny

from nomock.cli.heal import heal
from nomock.errors import ConfigError, NomockError, NotPossibleError
from nomock.errors.words import in_words, speak_of_compose, speak_of_sandbox
from nomock.faults.journal import folder_of
from nomock.loading import load
from nomock.stack import Stack

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: staging, context: {cluster: c, user: u}}]
"""
ON_A_SANDBOX = {"target": "sandbox", "context": "staging"}


@pytest.fixture(autouse=True)
def _words() -> Iterator[None]:
    yield
    speak_of_compose()


@pytest.fixture
def shop(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    """Return a project whose settings allow a context, and have lanes for compose."""
    (tiny.path / "kubeconfig").write_text(KUBECONFIG)
    monkeypatch.setenv("KUBECONFIG", str(tiny.path / "kubeconfig"))
    (tiny.path / "pyproject.toml").write_text(
        '[tool.nomock]\ncontexts = ["staging"]\nlanes = "stack"\n'
    )
    tiny.compose(web={"image": "shop/web"})
    return tiny


@pytest.mark.parametrize(
    ("cure", "said"),
    [
        ("nomock logs web; more time: …", "nomock sandbox logs --id pr-7 web; more time: …"),
        (
            "start it: nomock up; why it ended: nomock logs web",
            "start it: nomock promote --id pr-7; why it ended: nomock sandbox logs --id pr-7 web",
        ),
        (
            "nomock down, then nomock up: containers and networks are made anew, volumes stay",
            "nomock sandbox down --id pr-7, then nomock promote --id pr-7",
        ),
        (
            "web may be down still: docker compose unpause web, then nomock up",
            "web may be down still: nomock promote --id pr-7",
        ),
        (
            "docker compose restart toxiproxy",
            "kubectl -n nomock-pr-7 rollout restart deployment/toxiproxy",
        ),
        ("mend that, then: nomock heal", "mend that, then: nomock sandbox heal --id pr-7"),
        ("nomock docs faults shows how", "nomock docs faults shows how"),
    ],
)
def test_a_cure_should_name_the_commands_of_the_sandbox_when_the_run_is_on_one(
    cure: str, said: str
) -> None:
    error = NomockError("it is so", where="service web", todo=cure)
    assert str(error).endswith(f"-> {cure}")
    speak_of_sandbox("nomock-pr-7", "pr-7")
    assert str(error) == f"service web: it is so\n-> {said}"


def test_a_cure_should_need_no_id_when_the_sandbox_is_the_projects(shop: Tiny) -> None:
    stack = Stack.of(load(shop.path, ON_A_SANDBOX))
    assert in_words("nomock logs web") == "nomock sandbox logs web"
    with pytest.raises(NotPossibleError, match="this needs a container engine"):
        _ = stack.engine
    Stack.of(load(shop.path, {}))
    assert in_words("nomock logs web") == "nomock logs web"


def test_workers_should_share_a_sandbox_when_lanes_are_for_compose(shop: Tiny) -> None:
    assert load(shop.path, {}).lanes == "stack"
    settings = load(shop.path, ON_A_SANDBOX)
    assert (settings.lanes, settings.sources["lanes"]) == ("shared", "as a sandbox has no lanes")


def test_lanes_should_be_refused_when_they_are_asked_for_on_a_sandbox(shop: Tiny) -> None:
    with pytest.raises(ConfigError) as refused:
        load(shop.path, {**ON_A_SANDBOX, "lanes": "database"})
    assert str(refused.value) == (
        "option: a sandbox has no lanes: all workers share it\n"
        "  lanes = 'database', target = 'sandbox'\n"
        "-> leave lanes out, or run the tests on compose"
    )


def test_a_journal_should_be_left_alone_when_it_is_of_another_target(
    shop: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    on_compose = load(shop.path, {})
    on_sandbox = load(shop.path, {**ON_A_SANDBOX, "sandbox": "pr-7"})
    for settings in (on_compose, on_sandbox):
        stack = Stack.of(settings)
        journal = folder_of(settings.state_dir, stack.name) / "1-0.ndjson"
        journal.parent.mkdir(parents=True)
        journal.write_text(json.dumps({"on": 1, "kind": "pause"}))
    assert sorted(path.name for path in (on_compose.state_dir / "faults").iterdir()) == sorted(
        [shop.name, "sandbox-pr-7"]
    )
    for settings, other in ((on_compose, "sandbox-pr-7"), (on_sandbox, shop.name)):
        with pytest.raises(NomockError):  # its own journal cannot be read, or asked for
            heal(settings, set_aside=False)
        command = "nomock heal" if other == shop.name else "nomock sandbox heal --id pr-7"
        said = capsys.readouterr().out
        assert f"faults of stack {other} are not looked at: {command}\n" in said
