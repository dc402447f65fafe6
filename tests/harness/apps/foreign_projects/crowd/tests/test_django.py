import httpx
import pytest


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, stack):
    from django.db import connections

    host, port = stack["db"].address(5432)
    connections["default"].settings_dict.update(HOST=host, PORT=port)


def test_live_server(live_server, stack, faults):
    from django.contrib.auth.models import User

    User.objects.create_user("a")
    assert httpx.get(f"{live_server}/users").text == "1"
    with faults.latency("web->api", latency_ms=1):
        assert stack["web"].http.get("/").status_code == 200


@pytest.mark.django_db
def test_rolled_back(stack):
    from django.contrib.auth.models import User

    assert User.objects.count() == 0
