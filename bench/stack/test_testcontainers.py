from pathlib import Path

import pytest
from testcontainers.compose import DockerCompose


@pytest.fixture(scope="session")
def compose():
    with DockerCompose(str(Path(__file__).parent), wait=True) as compose:
        yield compose


def test_web_should_be_found_when_testcontainers_has_started_it(compose):
    assert compose.get_service_port("web", 8000)
