"""What a request to a service may run through."""

from __future__ import annotations

from typing import Any

from nomock.faults.topology import topology_of
from nomock.project import Project, ServiceConfig

PORT = {"ports": [{"target": 8000}]}


def project(one_shots: frozenset[str] = frozenset(), **services: dict[str, Any]) -> Project:
    configs = {name: ServiceConfig(name, config, "p") for name, config in services.items()}
    return Project("p", (), configs, one_shots)


def test_a_service_should_reach_another_when_edges_lead_there() -> None:
    stack = project(shop=PORT, bank=PORT, db={}, cache={}, proxy={})
    edges = {"shop->bank": "proxy", "bank->db": "db", "shop->cache": "cache"}
    reached = topology_of(stack, edges)
    assert reached["shop"] == {
        *("shop", "shop->bank", "proxy", "bank", "bank->db", "db", "shop->cache", "cache"),
    }
    assert reached["bank"] == {"bank", "bank->db", "db"}
    assert reached["cache"] == {"cache"}


def test_a_service_should_reach_itself_once_when_edges_run_in_a_circle() -> None:
    reached = topology_of(project(a=PORT, b=PORT), {"a->b": "b", "b->a": "a"})
    assert reached["a"] == reached["b"] == {"a", "b", "a->b", "b->a"}


def test_a_service_should_reach_what_it_depends_on_when_it_has_no_edges() -> None:
    stack = project(shop={**PORT, "depends_on": {"db": {}}}, db={}, other=PORT)
    reached = topology_of(stack, {})
    assert reached["shop"] == {"shop", "db"}
    assert reached["other"] == {"other"}


def test_a_worker_should_be_reached_when_a_service_shares_its_store() -> None:
    stack = project(
        frozenset({"migrate"}), shop=PORT, site=PORT, queue={}, worker={}, migrate={}, mail={}
    )
    edges = {"shop->queue": "queue", "worker->queue": "queue", "worker->mail": "mail"}
    edges["migrate->queue"] = "queue"
    reached = topology_of(stack, edges)
    assert reached["shop"] == {"shop", "queue", "mail", "worker", *edges} - {"migrate->queue"}
    assert reached["site"] == {"site"}
