"""Traces: who does what for a request, through the queue too, and that no service loses it.

In the suite with `pytest --traces`, which starts the services with OpenTelemetry; else skipped.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from helpers.mcp import RawSession
from helpers.oauth import AuthClient, User
from helpers.orders import Orders, held, refusal
from helpers.waits import Waits

from nomock import CurrentTrace, Faults, Postgres, Stack

if TYPE_CHECKING:
    from playwright.sync_api import Page

ORDER = "instances POST /instances"
LIST = "instances GET /instances"
INTROSPECTION = "auth POST /introspect"
LOCK_TENANT = "SELECT * FROM instances.tenants WHERE tenant_id = %s FOR UPDATE"

Name = Callable[[], str]


@pytest.fixture
def session(stack: Stack, mcp_token: str) -> Iterator[RawSession]:
    """A caller of `mcp` in an open session."""
    with RawSession(stack["mcp"].http, mcp_token) as opened:
        yield opened


# What a request does


def test_page_should_be_in_the_trace_of_its_test_when_a_browser_opens_it(
    trace: CurrentTrace, browser_page: "Page"
) -> None:
    browser_page.goto("http://instances:8000/ui")  # which sends to the login

    trace.expect("instances GET /ui")
    trace.expect("auth GET /authorize")
    trace.no_errors()


def test_order_should_reach_the_worker_when_it_is_placed(
    trace: CurrentTrace, orders: Orders, unique_name: Name
) -> None:
    orders.placed(unique_name())

    trace.expect(ORDER).calls(INTROSPECTION, "postgres INSERT", "worker provision")
    trace.unbroken().no_errors()


def test_order_should_be_linked_to_its_job_when_it_goes_through_the_queue(
    trace: CurrentTrace, orders: Orders, unique_name: Name
) -> None:
    orders.placed(unique_name())

    trace.linked()
    trace.expect("instances send instances.jobs").calls("worker provision")
    job = trace.expect("worker provision").attribute("messaging.operation.type", "process")
    assert {span.kind for span in job.spans} == {"CONSUMER"}


def test_removal_should_reach_the_worker_when_an_instance_is_given_back(
    trace: CurrentTrace, orders: Orders, unique_name: Name
) -> None:
    instance = orders.running(unique_name())
    orders.give_back(instance["id"])

    trace.expect("instances DELETE /instances/{instance_id}").calls("worker deprovision")
    trace.unbroken().linked()


def test_job_should_write_no_resource_when_its_size_has_no_room(
    trace: CurrentTrace, orders: Orders, unique_name: Name
) -> None:
    orders.placed(unique_name(), size="broken")

    trace.expect("worker provision").calls("postgres UPDATE").count("postgres INSERT", 0)
    trace.no_errors()


def test_two_orders_should_have_a_job_each_when_they_come_at_once(
    trace: CurrentTrace, orders: Orders, unique_name: Name
) -> None:
    orders.at_once(orders.order(unique_name()), orders.order(unique_name()))

    trace.count(ORDER, 2).count("worker provision", 2).unbroken().linked()


# What a request does not do


def test_order_should_be_queued_once_when_its_key_comes_twice(
    trace: CurrentTrace, orders: Orders, unique_name: Name
) -> None:
    name = unique_name()
    orders.placed(name, key="the same")
    orders.placed(name, key="the same")

    trace.count(ORDER, 2).count("instances send instances.jobs", 1).count("worker provision", 1)


def test_order_should_not_be_queued_when_it_is_refused(
    trace: CurrentTrace, orders: Orders, unique_name: Name
) -> None:
    assert refusal(orders.place(unique_name(), size="huge")) == (422, "unknown_size")

    trace.expect(ORDER).attribute("http.response.status_code", 422)
    trace.count("instances send", 0).count("worker", 0).unbroken()


def test_database_should_not_be_asked_when_the_token_is_no_token(
    trace: CurrentTrace, stack: Stack
) -> None:
    reply = stack["instances"].http.get("/instances", headers={"Authorization": "Bearer no"})
    assert refusal(reply) == (401, "invalid_token")

    trace.expect(LIST).count("postgres", 0).count(INTROSPECTION, 0)


def test_token_should_be_introspected_once_when_a_request_brings_it(
    trace: CurrentTrace, orders: Orders
) -> None:
    orders.all()

    trace.expect(LIST).count(INTROSPECTION, 1).no_errors()


# Logging in


def test_code_should_be_kept_in_redis_when_a_user_logs_in(
    trace: CurrentTrace, auth_client: AuthClient, user: User
) -> None:
    auth_client.tokens(user)

    trace.expect("auth POST /authorize").calls("postgres INSERT", "redis SET")
    trace.expect("auth POST /token").calls("redis GET", "postgres INSERT")
    trace.unbroken()


# Agents


def test_order_of_an_agent_should_be_one_trace_when_it_passes_four_services(
    trace: CurrentTrace, session: RawSession, unique_name: Name
) -> None:
    order = {"name": "order_instance", "arguments": {"name": unique_name(), "size": "small"}}
    reply = session.request("tools/call", order)
    assert reply.status_code == 200, reply.text

    trace.expect("mcp POST /mcp").calls("auth POST /token", ORDER, "worker provision")
    trace.unbroken().linked()


def test_sdk_of_an_agent_should_go_on_with_the_trace_when_it_lists_instances(
    trace: CurrentTrace, connect_agent: Callable[..., Any], mcp_token: str
) -> None:
    # Its stream of events is a span that ends with its session.
    with connect_agent(mcp_token) as agent:
        assert agent.get("list_instances") == []

    trace.expect("mcp POST /mcp").calls(LIST)
    trace.unbroken()


# What logs say


def test_log_lines_should_name_trace_and_span_when_they_are_of_a_request(
    trace: CurrentTrace, stack: Stack, orders: Orders
) -> None:
    orders.all()

    (served,) = trace.expect(LIST).spans
    lines = [json.loads(line) for line in stack["instances"].logs().splitlines()]
    ids = [line["span_id"] for line in lines if line.get("trace_id") == trace.id]
    assert ids == [served.span_id]


def test_log_line_of_a_job_should_name_the_trace_of_its_order_when_it_is_done(
    trace: CurrentTrace, stack: Stack, orders: Orders, unique_name: Name
) -> None:
    orders.placed(unique_name())

    (job,) = trace.expect("worker provision").spans
    lines = [json.loads(line) for line in stack["worker"].logs().splitlines()]
    ids = [line["span_id"] for line in lines if line.get("trace_id") == trace.id]
    assert ids == [job.span_id]


# Under faults


def test_cause_should_stand_in_the_trace_when_a_request_is_refused_for_it(
    trace: CurrentTrace, faults: Faults, orders: Orders
) -> None:
    with faults.refused("instances->postgres"):
        assert refusal(orders.send("GET", "/instances")) == (503, "unavailable")

    served = trace.expect(f"{LIST} [http.response.status_code=503]")
    served.attribute("exception.type", "shared.errors.Unavailable")
    assert [span.status for span in served.spans] == ["ERROR"]
    trace.unbroken()


def test_each_try_should_be_a_span_when_only_the_first_call_of_auth_fails(
    trace: CurrentTrace, faults: Faults, orders: Orders
) -> None:
    with faults.http_status("instances->auth", 503, path="/introspect", nth=1):
        orders.all()

    tries = trace.expect(LIST).count("instances POST /introspect", 2)
    # The first one was answered on its way.
    tries.count(INTROSPECTION, 1)
    trace.expect("instances POST /introspect [http.response.status_code=503]")
    trace.unbroken()


def test_request_should_take_its_time_when_its_database_is_slow(
    trace: CurrentTrace, faults: Faults, orders: Orders, waits: Waits
) -> None:
    # A good many round trips, still within the time of a transaction.
    trip_ms = round(1000 * waits.transaction_s / 14)
    with faults.latency("instances->postgres", latency_ms=trip_ms):
        orders.all()

    (served,) = trace.expect(LIST).spans
    assert served.duration_ms > trip_ms
    with pytest.raises(AssertionError, match=rf"took .* ms, not {trip_ms}"):
        trace.expect(LIST).within(trip_ms)
    trace.expect(INTROSPECTION).within(served.duration_ms)


@pytest.mark.serial
def test_spans_should_not_be_lost_when_their_service_is_stopped_in_the_middle(
    trace: CurrentTrace, faults: Faults, orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    orders.placed(unique_name())
    with (
        held(postgres, LOCK_TENANT, orders.tenant.tenant_id),
        ThreadPoolExecutor(1) as threads,
        faults.none("instances"),
    ):
        order = threads.submit(orders.place, unique_name())
        trace.count(INTROSPECTION, 2)  # from here on it waits for its tenant
        with faults.stop("instances"):
            assert refusal(order.result()) == (503, "unavailable")
            trace.expect(f"{ORDER} [http.response.status_code=503]").calls("postgres INSERT")
    trace.unbroken()


@pytest.mark.serial
@pytest.mark.traced
def test_order_should_be_one_trace_when_its_worker_is_killed_before_its_job(
    trace: CurrentTrace, faults: Faults, orders: Orders, unique_name: Name
) -> None:
    with faults.kill("worker"):
        orders.placed(unique_name())
        trace.expect(ORDER).count("worker", 0)

    trace.expect(ORDER).calls("worker provision").linked()
