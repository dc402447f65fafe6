"""Where no local node can be: one message each, before anything is started."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from odd_engine import Answer, http

from nomock.adapters.engine import Engine
from nomock.errors import ConfigError, EngineError
from nomock.sandbox.node.images import NODE_IMAGE, provide_images
from nomock.sandbox.node.machine import check_engine, check_room

Answering = Callable[[Answer | bytes], Engine]
ROOMY = {"NCPU": 2, "MemTotal": 8 << 30, "DockerRootDir": "/", "SecurityOptions": []}


def machine(**differs: Any) -> bytes:
    """What an engine says of its machine, which is not this one."""
    return http(json.dumps({**ROOMY, **differs}))


def refusal(check: Callable[[Engine], None], engine: Engine) -> str:
    with pytest.raises(EngineError) as caught:
        check(engine)
    return str(caught.value).replace(engine.address, "ADDRESS")


def test_an_engine_should_be_refused_when_it_has_not_the_rights_of_root(
    answering: Answering,
) -> None:
    engine = answering(machine(SecurityOptions=["name=seccomp,profile=builtin", "name=rootless"]))
    assert refusal(check_engine, engine) == (
        "engine at ADDRESS: a local node cannot run on this engine: it runs without root's rights "
        "(rootless), and kubelet needs a privileged container\n"
        "-> choose an engine that runs as root (docker context use); or name a cluster that you "
        "have: --context"
    )


def test_an_engine_should_be_refused_when_it_is_on_another_machine() -> None:
    assert refusal(check_engine, Engine("tcp://192.0.2.77:2375")) == (
        "engine at ADDRESS: a local node cannot run on this engine: it is on another machine, and "
        "the local node is reached on its loopback only\n"
        "-> choose an engine on this machine (DOCKER_HOST, docker context use); or name a cluster "
        "that you have: --context"
    )


def test_a_machine_should_be_refused_when_too_little_memory_is_free(answering: Answering) -> None:
    assert refusal(check_room, answering(machine(MemTotal=700 << 20))) == (
        "engine at ADDRESS: a local node cannot run on this engine: 0.7 GiB of memory are free, "
        "and it takes 1.0 GiB\n"
        "-> end what you do not need: nomock down takes this folder's stack down; or name a "
        "cluster that you have: --context"
    )


def test_a_machine_should_be_refused_when_its_disk_is_full(answering: Answering) -> None:
    assert refusal(check_room, answering(machine(DockerRootDir="/proc"))) == (
        "engine at ADDRESS: a local node cannot run on this engine: 0.0 GiB are free in /proc, and "
        "it takes 3.0 GiB\n"
        "-> free some space: docker system df shows what the engine holds; or name a cluster that "
        "you have: --context"
    )


def test_a_project_should_be_told_who_builds_the_node_when_it_cannot(
    answering: Answering, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        provide_images(tmp_path, answering(http("[]")), print, argocd=False)
    assert str(caught.value) == (
        f"local node: there is no image {NODE_IMAGE.stand_in}, and nothing here builds it\n"
        f"  no {tmp_path}/images/kubernetes.sh\n"
        "-> call nomock sandbox local once in a checkout of nomock, whose image all projects of "
        "this engine use then; or name a cluster that you have: --context"
    )
