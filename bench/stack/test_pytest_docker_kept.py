from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def docker_compose_file():
    return str(Path(__file__).parent / "docker-compose.yml")


@pytest.fixture(scope="session")
def docker_compose_project_name():
    return "nomock-bench-warm"


@pytest.fixture(scope="session")
def docker_setup():
    return "up --detach --wait"


@pytest.fixture(scope="session")
def docker_cleanup():
    return False


def test_web_should_be_found_when_pytest_docker_leaves_it_up(docker_services):
    assert docker_services.port_for("web", 8000)
