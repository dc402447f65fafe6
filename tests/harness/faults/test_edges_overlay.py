"""Who calls whom in a project, and the overlay that puts these edges behind Toxiproxy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from nomock.errors import ConfigError, UnknownServiceError
from nomock.faults.overlay import Call, calls, explicit, overlay_text, plan
from nomock.project import Project, ServiceConfig

DB = {"ports": [{"target": 5432, "protocol": "tcp"}]}


def project(*paths: Path, **services: dict[str, Any]) -> Project:
    configs = {name: ServiceConfig(name, config, "p", paths) for name, config in services.items()}
    return Project("p", (), configs, frozenset())


def exposed(service: ServiceConfig) -> Iterable[int]:
    """What images name: nothing."""
    return ()


def seen(*paths: Path, **services: dict[str, Any]) -> dict[str, Call]:
    return {call.edge: call for call in calls(project(*paths, **services), exposed)}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "postgresql://ann:pass@db:5432/app"),
        ("DATABASE_URL", "postgresql://ann:pass@db/app"),
        ("DB_HOST", "db"),
        ("KAFKA_BROKER", "db"),
        ("SERVERS", "other:1,db:5432"),
    ],
)
def test_a_call_should_be_seen_when_a_variable_has_the_address(variable: str, value: str) -> None:
    found = seen(web={"environment": {variable: value}}, db=DB)
    assert found.keys() == {"web->db"}
    assert (found["web->db"].by, found["web->db"].ports) == (variable, (5432,))


@pytest.mark.parametrize("value", ["db", "mydb:5432", "db-2:5432", "postgres://x@db.example.org/a"])
def test_no_call_should_be_seen_when_a_word_only_looks_like_a_name(value: str) -> None:
    assert seen(web={"environment": {"POSTGRES_DB": value}}, db=DB) == {}


def test_a_call_should_be_seen_when_its_address_stands_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "nginx.conf"
    path.write_text("proxy_pass http://web:8000;\n")
    services = {
        "nginx": ServiceConfig("nginx", {}, "p", (path,)),
        "web": ServiceConfig("web", {"expose": ["8000"]}, "p"),
    }
    [call] = calls(Project("p", (), services, frozenset()), exposed)
    assert (call.edge, call.by, call.is_http) == ("nginx->web", "nginx.conf", True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("server.js", "createClient({\n  host: 'db',\n  port: 1\n})"),
        ("app.py", 'connect(host="db", user="root")'),
        ("app.py", 'host = os.environ.get("DB_HOST", "db")'),
        ("app.py", 'class DB:\n    def __init__(self, host: str = "db"): ...'),
        ("settings.py", 'URL = "postgresql://ann:pass@db/app"'),
        ("Program.cs", 'Open("Server=db;Username=ann;")'),
        ("conf/nginx.conf", "upstream x {\n  server db:5432;\n}"),
    ],
)
def test_a_call_should_be_seen_when_its_address_stands_in_the_source(
    tmp_path: Path, name: str, text: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    built, mounted = {"context": str(tmp_path)}, {"type": "bind", "source": str(tmp_path)}
    for web in ({"build": built}, {"volumes": [{**mounted, "target": "/code"}]}):
        found = seen(web=web, db=DB)
        assert found.keys() == {"web->db"}
        assert (found["web->db"].by, found["web->db"].ports) == (name, (5432,))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("server.js", "const db = require('db')"),
        ("app.py", "from db import db\nprint('db', db)"),
        ("app.py", '@db\ndef f(): return "me@db"'),
        ("deploy.yaml", "image: db:16"),
        ("README.md", "open http://db:5432"),
        ("docker-compose.yml", "URL: http://db:5432"),
        ("node_modules/x/index.js", "host: 'db'"),
    ],
)
def test_no_call_should_be_seen_when_the_source_has_only_the_word(
    tmp_path: Path, name: str, text: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    assert seen(web={"build": {"context": str(tmp_path)}}, db=DB) == {}


def test_no_call_should_be_seen_when_several_dockerfiles_have_the_context(
    tmp_path: Path,
) -> None:
    (tmp_path / "settings.py").write_text("URL = 'redis://redis:6379'")
    web, other = ({"context": str(tmp_path), "dockerfile": name} for name in ("web", "db"))
    mounts = [{"type": "bind", "source": str(tmp_path), "target": "/app"}]
    redis = {"expose": ["6379"]}
    assert seen(web={"build": web}, worker={"build": web}, redis=redis).keys() == {
        "web->redis",
        "worker->redis",
    }
    assert seen(web={"build": web, "volumes": mounts}, db={"build": other}, redis=redis) == {}


def test_a_call_should_be_seen_when_a_service_only_depends_on_another() -> None:
    found = seen(web={"depends_on": {"db": {}}}, db=DB)
    assert found["web->db"].by == "depends_on"


def test_a_port_should_come_first_when_the_caller_is_told_it() -> None:
    environment = {"MQ_HOST": "mq", "MQ_PORT": "5672"}
    found = seen(web={"environment": environment}, mq={"expose": ["15672", "5672"]})
    assert found["web->mq"].ports == (5672, 15672)


@pytest.mark.parametrize(
    ("url", "is_http"),
    [("http://api:80/x", True), ("https://api:443/x", False), ("amqp://api:80", False)],
)
def test_a_call_should_be_http_when_its_address_says_so(url: str, is_http: bool) -> None:
    found = seen(web={"environment": {"API": url}}, api={"expose": ["80"]})
    assert found["web->api"].is_http == is_http


def test_two_proxies_should_be_there_when_two_callers_need_the_same_port() -> None:
    depends = {"depends_on": {"db": {}}}
    stack = project(toxiproxy={}, a=depends, b=depends, c={"depends_on": {"mq": {}}}, db=DB,
                    mq={"expose": ["5672"]})  # fmt: skip
    found = plan(stack, calls(stack, exposed), there=())
    # One name is the project's own.
    assert found.proxy_of == {
        "a->db": "toxiproxy-2",
        "b->db": "toxiproxy-3",
        "c->mq": "toxiproxy-2",
    }


HOST = {"network_mode": "host"}
UDP = {"ports": [{"target": 53, "protocol": "udp"}]}
APART = {**DB, "networks": {"back": None}}


@pytest.mark.parametrize(
    ("caller", "target", "why"),
    [
        ({}, HOST, "db has no network of its own (network_mode: host)"),
        (HOST, DB, "web has no network of its own (network_mode: host)"),
        ({}, UDP, "db has a port of UDP, and Toxiproxy knows only TCP"),
        ({}, {}, "no port of db is known: name it in the compose file, as expose"),
        ({}, APART, "the two share no network"),
    ],
)
def test_a_reason_should_be_given_when_a_call_cannot_be_taken(
    caller: dict[str, Any], target: dict[str, Any], why: str
) -> None:
    stack = project(web={**caller, "depends_on": {"db": {}}}, db=target)
    found = plan(stack, calls(stack, exposed), there=())
    assert [(one.call.edge, one.why) for one in found.untaken] == [("web->db", why)]
    assert found.ways == {}


def test_an_edge_should_be_left_alone_when_it_is_there_already() -> None:
    stack = project(web={"depends_on": {"db": {}}}, db=DB)
    found = plan(stack, calls(stack, exposed), there=["web->db"])
    assert [one.why for one in found.untaken] == [
        "it goes through a Toxiproxy of the project's own"
    ]


def test_an_edge_should_be_refused_when_its_name_is_wrong() -> None:
    stack = project(web={}, db=DB)
    with pytest.raises(UnknownServiceError):
        explicit(stack, ["web->moon"], exposed)
    with pytest.raises(ConfigError, match="write it in quotes"):
        explicit(stack, ["web"], exposed)
    [call] = explicit(stack, ["web->db"], exposed)
    assert (call.by, call.ports) == ("asked for", (5432,))


def test_the_overlay_should_change_only_names_when_an_address_has_a_secret() -> None:
    url = "postgresql://ann:a-secret@db:5432/app"
    both = {"front": None, "back": None}
    stack = project(
        web={"environment": {"DATABASE_URL": url, "API": "http://api/x"}, "networks": both},
        db={**DB, "networks": {"back": {"aliases": ["main-db"]}}},
        api={"expose": ["80"], "networks": both},
    )
    text = overlay_text(plan(stack, calls(stack, exposed), there=()), ["compose.yaml"])
    assert "a-secret" not in text
    overlay = yaml.safe_load(text)
    assert overlay["services"]["web"] == {
        "links": ["toxiproxy:api", "toxiproxy:db", "toxiproxy:main-db"],
        "depends_on": {"toxiproxy": {"condition": "service_healthy"}},
    }
    assert overlay["services"].keys() == {"web", "toxiproxy", "httpfaults"}
    assert overlay["services"]["toxiproxy"]["networks"] == ["front", "back"]
    edges = json.loads(overlay["configs"]["toxiproxy-edges"]["content"])
    assert [(e["name"], e["listen"], e["upstream"]) for e in edges] == [
        ("web->api", "0.0.0.0:80", "httpfaults:18000"),
        ("web->db", "0.0.0.0:5432", "db:5432"),
    ]
    behind = json.loads(overlay["configs"]["httpfaults-edges"]["content"])
    assert [(e["name"], e["upstream"]) for e in behind] == [("web->api", "api:80")]
