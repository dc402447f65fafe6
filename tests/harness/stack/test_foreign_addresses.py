"""Other people's ports and passwords: plain ports, engines elsewhere, files with a secret."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import tiny
from foreign import Foreign
from relay import relayed


@pytest.mark.slow
def test_every_form_of_a_port_should_be_reached_when_the_engine_lists_it_twice(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("plain-ports")
    done = project.pytest("-q", "-rA")
    assert done.code == 0, done.text
    listed = tiny.inspect(project.ids()["six"])["NetworkSettings"]["Ports"]
    status = project.nomock("status")
    assert status.code == 0, status.text
    assert f"8000->[::1]:{listed['8000/tcp'][0]['HostPort']}, 8000/udp->127.0.0.1:" in status


@pytest.mark.slow
def test_the_engines_own_host_should_be_asked_when_the_engine_is_elsewhere(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("engine-elsewhere")
    with relayed("127.0.0.2") as engine:
        project.environ["DOCKER_HOST"] = engine
        done = project.pytest("-q")
        assert done.code == 0, done.text
        # As for another host; its loopback is this one's, so that nothing is out of reach.
        status = project.nomock("status")
        assert status.text.count("8000->127.0.0.2:") == 2, status.text


@pytest.mark.slow
def test_the_database_should_be_entered_when_files_hold_its_credentials(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("password-file")
    project.environ["OTHER_PASSWORD"] = "battery staple"
    done = project.pytest("-q")
    assert done.code == 0, done.text
