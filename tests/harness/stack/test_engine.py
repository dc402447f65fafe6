"""The engine is found where the docker client finds it, and reached however it is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from relay_ssh import SSH
from tiny import Tiny, idle

from nomock.adapters.engine import Engine, endpoint
from nomock.adapters.engine.connection import is_encrypted
from nomock.errors import EngineError, EngineMissingError


def context(folder: Path, name: str, host: str) -> None:
    """Write a docker context as the docker client does."""
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    found = {"Name": name, "Endpoints": {"docker": {"Host": host}}}
    (meta / "meta.json").write_text(json.dumps(found))


def test_the_endpoint_should_be_that_of_the_docker_client_when_its_files_or_variables_say_one(
    tmp_path: Path,
) -> None:
    config = {"DOCKER_CONFIG": str(tmp_path)}
    assert endpoint(config) == "unix:///var/run/docker.sock"
    context(tmp_path, "desktop", "unix:///run/user/desktop.sock")
    context(tmp_path, "far", "ssh://far")
    (tmp_path / "config.json").write_text(json.dumps({"currentContext": "desktop"}))
    assert endpoint(config) == "unix:///run/user/desktop.sock"
    assert endpoint({**config, "DOCKER_CONTEXT": "far"}) == "ssh://far"
    assert endpoint({**config, "DOCKER_CONTEXT": "default"}) == "unix:///var/run/docker.sock"
    assert endpoint({**config, "DOCKER_CONTEXT": "far", "DOCKER_HOST": "tcp://x"}) == "tcp://x"
    assert endpoint({"DOCKER_HOST": "docker:2375"}) == "tcp://docker:2375"
    (tmp_path / "config.json").write_text("{}")
    assert endpoint(config) == "unix:///var/run/docker.sock"


def test_the_context_should_be_named_when_it_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EngineMissingError) as caught:
        endpoint({"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "gone"})
    first, _, last = str(caught.value).splitlines()
    assert first == "engine: the docker context 'gone' cannot be read"
    assert last == "-> docker context ls"


def test_an_engine_should_be_asked_by_the_docker_client_when_it_wants_tls(tmp_path: Path) -> None:
    config = {"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "far"}
    context(tmp_path, "far", "tcp://far:2376")
    assert not is_encrypted(config)
    stored = tmp_path / "contexts" / "tls" / hashlib.sha256(b"far").hexdigest() / "docker"
    stored.mkdir(parents=True)
    assert is_encrypted(config)
    assert not is_encrypted({**config, "DOCKER_HOST": "tcp://near:2375"})
    assert is_encrypted({"DOCKER_HOST": "tcp://near:2376", "DOCKER_TLS_VERIFY": "1"})


@pytest.mark.slow
def test_a_run_should_work_when_only_the_docker_client_can_reach_the_engine(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.compose(only=idle("echo started; exec sleep infinity"))
    tiny.tests("""
        def test_all(stack):
            assert stack.engine.address == "ssh://elsewhere"
            assert stack["only"].logs() == "started"
            stack["only"].restart()
            assert stack["only"].exec("echo", "hello").strip() == "hello"
    """)
    tiny.write("bin/ssh", SSH).chmod(0o755)
    monkeypatch.setenv("PATH", str(tiny.path / "bin"), prepend=":")
    monkeypatch.setenv("DOCKER_HOST", "ssh://elsewhere")
    tiny.run().assert_outcomes(passed=1)


def test_an_engine_should_be_called_missing_when_the_docker_client_cannot_reach_it(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.write(
        "bin/ssh", "#!/bin/sh\nhead -c1 >/dev/null\necho no such host >&2\nexit 255\n"
    ).chmod(0o755)
    monkeypatch.setenv("PATH", str(tiny.path / "bin"), prepend=":")
    monkeypatch.setenv("DOCKER_HOST", "ssh://elsewhere")
    with pytest.raises(EngineMissingError) as caught:
        Engine().containers("any")
    first, *seen, _ = str(caught.value).splitlines()
    assert first == "engine at ssh://elsewhere: no container engine answers"
    assert "no such host" in "\n".join(seen)


def test_an_engine_should_be_given_up_when_the_docker_client_never_gets_an_answer(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.write("bin/ssh", "#!/bin/sh\nexec cat > /dev/null\n").chmod(0o755)
    monkeypatch.setenv("PATH", str(tiny.path / "bin"), prepend=":")
    monkeypatch.setenv("DOCKER_HOST", "ssh://elsewhere")
    with pytest.raises(EngineError) as caught:
        Engine(timeout_s=0.2).exit_state("x")
    assert str(caught.value) == (
        "engine at ssh://elsewhere: the engine did not answer within 0.2 s\n"
        "  GET /containers/x/json\n"
        "-> look at the engine's own log; restart it"
    )
