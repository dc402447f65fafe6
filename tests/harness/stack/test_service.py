"""One service of the stack: where it answers, what it logged, and what is done to it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest
from tiny import IMAGE, LISTENS, Tiny, idle, inspect, server

from nomock.errors import ComposeError, ConfigError, NotReadyError, ServiceDiedError
from nomock.project import Project, ServiceConfig
from nomock.stack.database import Postgres
from nomock.stack.postgres_service import postgres_service
from nomock.stack.service import Service


def test_a_service_should_do_what_it_is_told_when_it_runs(tiny: Tiny) -> None:
    web = server(before="echo begun $(hostname)", healthcheck=LISTENS)
    tiny.compose(web=web, other=idle())
    stack = tiny.stack()
    stack.prepare()
    web = stack["web"]
    assert repr(web) == f"<Service web of {tiny.name}>"
    assert repr(stack) == f"<Stack {tiny.name}: other, web>"
    assert (list(stack), len(stack)) == (["other", "web"], 2)
    assert web.url == f"http://127.0.0.1:{web.port(8000)}"
    assert web.http.get("/").status_code == 200
    assert web.http is web.http

    assert web.exec("sh", "-c", "echo one; echo two >&2").split() == ["one"]
    with pytest.raises(ComposeError) as failed:
        web.exec("sh", "-c", "echo wrong >&2; exit 3")
    assert str(failed.value) == (
        "service web: 'sh -c echo wrong >&2; exit 3' ended with 3\n  wrong\n-> nomock logs web"
    )
    assert web.exec("printf", " a\\n\\n") == " a\n\n"
    assert web.exec("printf", "\\344") == "\ufffd"
    with pytest.raises(ComposeError) as failed:
        web.exec("sh", "-c", "printf '\\377\\376broken' >&2; exit 1")
    assert failed.value.seen == "\ufffd\ufffdbroken"
    with pytest.raises(ComposeError, match="executable file not found"):
        web.exec("gone", "-x")

    assert web.logs(tail=1).startswith(("begun", "127.", "172.", "192.", "10."))
    assert web.logs().startswith("begun ")
    now = datetime.now(UTC)
    assert web.logs(since=now) == ""
    assert web.logs(since=now.timestamp() + 1) == ""
    assert web.logs(since=0.0) == web.logs()

    (before,) = [c for c in stack.containers() if c.service == "web"]
    web.restart()
    assert web.http.get("/").status_code == 200
    assert inspect(before.id)["State"]["StartedAt"] > now.isoformat()

    web.kill()
    with pytest.raises(ComposeError, match="is not running"):
        web.exec("true")
    with pytest.raises(NotReadyError) as stopped:
        web.port(8000)
    assert str(stopped.value) == (
        "service web: port 8000 is not open: the container is exited\n"
        "-> stack['web'].start(), or: nomock logs web"
    )
    assert stack.differences() == {"web": "exited with code 137"}
    web.start()
    assert web.http.get("/").status_code == 200
    web.stop()
    assert tiny.states() == {"web": "exited", "other": "running"}
    web.start()
    assert stack.differences() == {}
    stack.close()


def test_a_service_should_be_found_again_when_another_container_takes_its_place(
    tiny: Tiny,
) -> None:
    tiny.compose(web=server(healthcheck=LISTENS))
    stack = tiny.stack()
    stack.prepare()
    web = stack["web"]
    before = web.container_id
    assert web.http.get("/").status_code == 200
    again = ["up", "--detach", "--wait", "--force-recreate"]
    subprocess.run(["docker", "compose", *again], cwd=tiny.path, check=True, capture_output=True)
    assert web.container_id != before
    assert web.http.get("/").status_code == 200
    assert inspect(web.container_id)["State"]["Running"]


def test_a_service_should_be_named_when_it_does_not_get_ready_again(tiny: Tiny) -> None:
    once = "test ! -e /tmp/was || { echo no second time; exit 5; }; touch /tmp/was"
    tiny.compose(web=server(before=once))
    stack = tiny.stack()
    stack.prepare()
    with pytest.raises(ServiceDiedError) as caught:
        stack["web"].restart()
    assert str(caught.value) == (
        "service web: exited with code 5\n"
        "  Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...\n"
        "  no second time\n"
        "-> see all of it: nomock logs web"
    )
    stack.close()


def test_a_service_should_be_missed_when_it_has_no_container(tiny: Tiny) -> None:
    tiny.compose(web=server())
    with pytest.raises(NotReadyError) as caught:
        tiny.stack()["web"].logs()
    assert str(caught.value) == "service web: it has no container\n-> nomock up"


@pytest.mark.parametrize(
    ("ports", "asked", "text"),
    [
        ([], 8000, "does not publish port 8000\n  published: none"),
        (["127.0.0.1::9000"], 8000, "does not publish port 8000\n  published: 9000"),
        (["127.0.0.1::9000/udp"], 9000, "does not publish port 9000\n  published: 9000/udp"),
    ],
    ids=["none", "another", "UDP"],
)
def test_the_published_ports_should_be_said_when_one_is_not(
    tiny: Tiny, ports: list[str], asked: int, text: str
) -> None:
    one = idle(ports=ports, network_mode="bridge")
    tiny.compose(one=one)
    stack = tiny.stack(probes={"one": "none"})
    stack.prepare()
    with pytest.raises(ConfigError) as caught:
        stack["one"].port(asked)
    assert str(caught.value) == (
        f"service one: the compose file {text}\n"
        f'-> publish it: add to one in the compose file  ports: ["127.0.0.1::{asked}"]'
    )
    stack.close()


def test_a_service_should_have_no_url_when_it_publishes_no_port(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    with pytest.raises(ConfigError, match="does not publish any port"):
        _ = tiny.stack()["one"].url


def project(**services: dict[str, object]) -> Project:
    found = {name: ServiceConfig(name, config, "p") for name, config in services.items()}
    return Project("p", (), found, frozenset())


PORTS, WEB = [{"target": 5432}], [{"target": 8000}]
TOLD: dict[str, object] = {"environment": {"POSTGRES_PASSWORD": "x"}}
DATA = [{"type": "volume", "source": "data", "target": "/var/lib/postgresql/data"}]


@pytest.mark.parametrize(
    ("services", "setting", "chosen"),
    [
        ({"db": {"image": "postgres:17", "ports": PORTS}, "web": {"image": "web"}}, None, "db"),
        ({"db": {"image": "registry:5000/x/postgres:17", "ports": PORTS}}, None, "db"),
        ({"db": {"environment": {"POSTGRES_PASSWORD": "x"}, "ports": PORTS}}, None, "db"),
        ({"a": {"image": "postgres"}, "b": {"image": "postgres", "ports": PORTS}}, None, "b"),
        ({"a": {"image": "x", "ports": PORTS}, "b": {"image": "postgres"}}, "a", "a"),
        ({"db": {"image": "postgis/postgis:17"}, "web": TOLD | {"ports": WEB}}, None, "db"),
        ({"db": {"image": "x/timescaledb-ha:pg17"}, "web": TOLD}, None, "db"),
        ({"db": {"image": "postgres"}, "seen": {"image": "x/postgres-exporter"}}, None, "db"),
        ({"db": {"image": "postgres@sha256:0"}, "api": {"image": "x/postgrest"}}, None, "db"),
        ({"db": TOLD | {"volumes": DATA}, "web": TOLD}, None, "db"),
        ({"db": TOLD | {"healthcheck": {"test": "pg_isready"}}, "web": TOLD}, None, "db"),
        ({"db": TOLD, "web": TOLD | {"ports": WEB}}, None, "db"),
        ({"db": {"image": "postgres", "ports": [{"target": 5433}]}, "b": TOLD}, None, "db"),
        ({"postgres-ui": {"build": {}}, "db": {"image": "postgres"}}, None, "db"),
    ],
    ids=[
        "by image",
        "of a registry with a port",
        "by environment",
        "the published",
        "by setting",
        "PostGIS, unpublished",
        "TimescaleDB beside a client",
        "beside its exporter",
        "beside PostgREST",
        "by its data",
        "by its healthcheck",
        "the only one told that serves nothing else",
        "on another port",
        "not by the name of what is built",
    ],
)
def test_the_database_should_be_found_when_one_service_looks_like_it(
    services: dict[str, dict[str, object]], setting: str | None, chosen: str
) -> None:
    assert postgres_service(project(**services), setting) == chosen


@pytest.mark.parametrize(
    ("services", "said"),
    [
        (
            {"web": {"image": "web"}},
            "stack p: no service looks like a PostgreSQL database\n"
            "  its services: web\n"
            '-> where there is one, name it: postgres = "…" in [tool.nomock]',
        ),
        (
            {n: {"image": "postgres", "ports": PORTS} for n in "ab"},
            "stack p: which service is the PostgreSQL database?\n"
            "  candidates: a, b\n"
            '-> name it: postgres = "…" in [tool.nomock]',
        ),
    ],
    ids=["none", "two"],
)
def test_the_setting_should_be_asked_for_when_the_database_is_not_clear(
    services: dict[str, dict[str, object]], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        postgres_service(project(**services), None)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ("postgres", "", "postgres")),
        ({"POSTGRES_USER": "me", "POSTGRES_PASSWORD": "x"}, ("me", "x", "me")),
        ({"POSTGRES_USER": "me", "POSTGRES_DB": "app"}, ("me", "", "app")),
    ],
)
def test_the_credentials_should_be_those_of_the_compose_file_when_it_names_them(
    tiny: Tiny, environment: dict[str, str], expected: tuple[str, str, str]
) -> None:
    tiny.compose(db={"image": IMAGE, "environment": environment})
    service: Service = tiny.stack()["db"]
    database = Postgres(service)
    assert (database.user, database.password, database.dbname) == expected
