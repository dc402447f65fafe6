from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def docker_compose_file(pytestconfig):
    return str(Path(pytestconfig.rootpath, "alone.yml"))


@pytest.fixture(scope="session")
def docker_compose_project_name(pytestconfig):
    return f"{pytestconfig.rootpath.name}-alone".lower()


def test_two_stacks(stack, docker_services):
    assert docker_services.port_for("alone", 8000)
    assert stack["web"].http.get("/").status_code == 200
