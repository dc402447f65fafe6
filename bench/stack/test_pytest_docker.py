from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def docker_compose_file():
    return str(Path(__file__).parent / "docker-compose.yml")


def test_web_should_be_found_when_pytest_docker_has_started_it(docker_services):
    assert docker_services.port_for("web", 8000)
