"""Each wait of the reference services stands once, in docker-compose.yml, and keeps its order."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from places import ROOT

SERVICES = ROOT / "services"


def _text_of(anchor):
    """The lines of an anchor of docker-compose.yml."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return re.search(rf"^{anchor}: .*\n((?:  .*\n)+)", text, re.MULTILINE)[1]


def compose_waits():
    """Return the waits that docker-compose.yml sets, by name."""
    return dict(re.findall(r'^  ([A-Z_]+): "([\d.]+)"', _text_of("x-waits"), re.MULTILINE))


@pytest.fixture
def environment(monkeypatch):
    """The services' modules, and an environment in which they start."""
    for folder in ("shared", "auth", "instances", "mcp", "worker", "billing"):
        monkeypatch.syspath_prepend(SERVICES / folder)
    secrets = {"AUTH_CLIENT_ID": "i", "AUTH_CLIENT_SECRET": "s"}
    addresses = {"AUTH_URL": "http://a", "INSTANCES_URL": "http://i"}
    for name, value in {**compose_waits(), **secrets, **addresses}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def read_all():
    """Read the waits of each service, as it does when it starts."""
    from auth.waits import Waits as OfAuth
    from billing.waits import Waits as OfBilling
    from instances.waits import Waits as OfInstances
    from mcp_server.config import Config
    from worker.waits import Waits as OfWorker

    return (
        OfAuth.from_environment(),
        OfInstances.from_environment(),
        OfWorker.from_environment(),
        Config.from_environment(),
        OfBilling.from_environment(),
    )


@pytest.mark.parametrize("factor", [0.5, 1, 7])
def test_waits_should_keep_their_order_when_all_are_set_anew(environment, factor):
    for name, value in compose_waits().items():
        environment.setenv(name, str(float(value) * factor))
    auth, instances, worker, mcp, billing = read_all()
    for waits in (auth.database, instances.database, billing.database, billing.task):
        assert waits.check_s < waits.connection_s
        assert waits.lock_s < waits.statement_s < waits.transaction_s < waits.idle_s
    assert instances.database.connection_s < instances.database.lock_s
    for calls in (instances.auth, mcp.auth_waits, mcp.instances_waits, billing.instances):
        assert instances.database.transaction_s < calls.patience_s
    assert billing.auth.patience_s + billing.instances.patience_s < billing.task.transaction_s
    assert worker.turn_s < worker.lock_s < worker.statement_s < worker.job_s < worker.idle_s


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_S", "soon", "is 'soon'; seconds: more than 0"),
        ("REDIS_TIMEOUT_S", "0", "is '0'; seconds: more than 0"),
        ("JOB_S", "inf", "is 'inf'; seconds: more than 2, the TURN_S: a job may take some turns"),
        (
            "AUTH_TIMEOUT_S",
            "2",
            "is '2'; seconds: more than 2.25, half of DATABASE_S: who calls is more patient than a"
            " transaction",
        ),
        (
            "INSTANCES_TIMEOUT_S",
            "2.5",
            "is '2.5'; seconds: more than 2.5, the AUTH_TIMEOUT_S: instances calls auth itself"
            " before it answers",
        ),
    ],
)
def test_start_should_stop_with_the_name_when_a_wait_will_not_do(environment, name, value, says):
    environment.setenv(name, value)
    from shared.settings import SettingError

    with pytest.raises(SettingError) as error:
        read_all()
    assert str(error.value) == f"the environment variable {name} {says}"


@pytest.mark.parametrize("name", compose_waits())
def test_wait_should_be_read_and_documented_when_the_compose_file_sets_it(environment, name):
    environment.delenv(name)
    pages = "".join(page.read_text() for page in ROOT.glob("docs/services-*.md"))
    assert f"`{name}`" in pages
    if name.startswith("UVICORN_TIMEOUT_GRACEFUL"):
        return  # read by uvicorn alone
    from shared.settings import MissingSettingError

    with pytest.raises(MissingSettingError, match=f"{name} is not set"):
        read_all()


def test_services_should_start_with_the_waits_when_compose_has_resolved_them():
    command = ["docker", "compose", "config", "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    services = json.loads(done.stdout)["services"]
    waits = compose_waits()
    assert len(waits) > 10
    for name in ("auth", "instances", "worker", "migrate", "billing"):
        assert waits.items() <= services[name]["environment"].items(), name
    assert waits.keys() <= services["mcp"]["environment"].keys()
