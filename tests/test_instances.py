"""The provisioning API and its worker: orders, states, quotas, idempotency."""

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from helpers.eventually import eventually
from helpers.logs import logged
from helpers.orders import Orders, one, refusal, resources, rows
from helpers.waits import SOON_S, Waits

from nomock import Faults, Postgres, Stack, recovers_within

Name = Callable[[], str]


# From order to end


def test_order_should_be_accepted_as_requested_when_the_quota_allows(
    orders: Orders, unique_name: Name
) -> None:
    name = unique_name()
    reply = orders.place(name)
    ordered = reply.json()
    assert reply.status_code == 202
    assert reply.headers["location"] == f"/instances/{ordered['id']}"
    assert (ordered["name"], ordered["size"], ordered["state"]) == (name, "small", "requested")


def test_order_should_end_running_when_the_worker_has_provisioned_it(
    orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    instance = orders.running(unique_name())
    assert instance["attempts"] == 1
    assert instance["failure_reason"] is None
    assert resources(postgres, instance["id"]) == 1


def test_order_should_fail_with_a_reason_when_no_rack_has_room(
    orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    failed = orders.reach(orders.placed(unique_name(), "broken")["id"], "failed")
    assert failed["failure_reason"] == "no rack has room for another broken"
    assert resources(postgres, failed["id"]) == 0


def test_second_order_should_fail_when_its_size_has_one_place(
    orders: Orders, unique_name: Name, postgres: Postgres, undo: ExitStack
) -> None:
    size = size_of_one_place(postgres, undo)
    first = orders.running(unique_name(), size)
    second = orders.placed(unique_name(), size)
    orders.reach(second["id"], "failed")
    assert (resources(postgres, first["id"]), resources(postgres, second["id"])) == (1, 0)


def test_order_should_find_room_when_only_another_size_is_used_up(
    orders: Orders, unique_name: Name, postgres: Postgres, undo: ExitStack
) -> None:
    for _ in range(2):
        orders.running(unique_name(), size_of_one_place(postgres, undo))


def test_instance_should_end_deprovisioned_when_it_is_given_back(
    orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    instance = orders.running(unique_name())
    reply = orders.give_back(instance["id"])
    assert (reply.status_code, reply.json()["state"]) == (202, "deprovisioning")
    orders.reach(instance["id"], "deprovisioned")
    assert resources(postgres, instance["id"]) == 0


def test_failed_instance_should_be_deprovisioned_at_once_when_it_is_given_back(
    orders: Orders, unique_name: Name
) -> None:
    failed = orders.reach(orders.placed(unique_name(), "broken")["id"], "failed")
    assert orders.give_back(failed["id"]).json()["state"] == "deprovisioned"


def test_giving_back_should_change_nothing_when_it_is_repeated(
    orders: Orders, unique_name: Name
) -> None:
    instance = orders.running(unique_name())
    orders.give_back(instance["id"])
    ended = orders.reach(instance["id"], "deprovisioned")
    repeated = orders.give_back(instance["id"])
    assert (repeated.status_code, repeated.json()) == (202, ended)


# What a tenant sees


def test_list_should_show_the_newest_first_when_there_are_several(
    orders: Orders, unique_name: Name
) -> None:
    first, second = orders.placed(unique_name()), orders.placed(unique_name())
    assert [each["id"] for each in orders.all()] == [second["id"], first["id"]]
    assert [each["id"] for each in orders.all(limit=1)] == [second["id"]]


def test_list_should_show_one_state_only_when_it_is_asked_for(
    orders: Orders, unique_name: Name
) -> None:
    running = orders.running(unique_name())
    failed = orders.reach(orders.placed(unique_name(), "broken")["id"], "failed")
    assert orders.all(state="running") == [running]
    assert orders.all(state="failed") == [failed]


def test_list_should_have_an_end_when_it_is_longer(
    orders: Orders, postgres: Postgres, unique_name: Name
) -> None:
    orders.insert(postgres, *[(unique_name(), "deprovisioned")] * 201)
    assert len(orders.all()) == 200
    assert len(orders.all(limit=200)) == 200
    for limit in (0, 201):
        reply = orders.send("GET", "/instances", params={"limit": limit})
        assert refusal(reply) == (422, "invalid_request")


def test_instance_should_not_exist_when_another_tenant_asks(
    orders: Orders, make_orders: Callable[..., Orders], unique_name: Name
) -> None:
    instance = orders.running(unique_name())
    other = make_orders()
    assert refusal(other.get(instance["id"])) == (404, "not_found")
    assert refusal(other.give_back(instance["id"])) == (404, "not_found")
    assert other.all() == []
    assert orders.get(instance["id"]).json() == instance


# What is refused


@pytest.mark.parametrize(
    "body",
    [
        {"size": "small"},
        {"name": "", "size": "small"},
        {"name": "TEST \0", "size": "small"},
        {"name": "TEST \n", "size": "small"},
        {"name": "x" * 201, "size": "small"},
        {"name": 7, "size": "small"},
        {"name": "TEST", "size": "small", "tier": "enterprise"},
        [],
    ],
    ids=[
        "no name",
        "empty name",
        "NUL",
        "line feed",
        "long name",
        "number as name",
        "unknown field",
        "no object",
    ],
)
def test_order_should_be_refused_when_it_is_malformed(orders: Orders, body: Any) -> None:
    assert refusal(orders.send("POST", "/instances", json=body)) == (422, "invalid_request")
    assert orders.all() == []


@pytest.mark.parametrize("content", [b'{"name": ', b'{"name": "\\ud800"}', b'{"\\ud800": 1}'])
def test_order_should_be_refused_when_it_cannot_be_read(orders: Orders, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    reply = orders.send("POST", "/instances", content=content, headers=headers)
    assert refusal(reply) == (422, "invalid_request")


def test_order_should_be_refused_when_the_size_is_unknown(
    orders: Orders, unique_name: Name
) -> None:
    assert refusal(orders.place(unique_name(), "gigantic")) == (422, "unknown_size")


def test_order_should_be_refused_when_a_live_instance_has_its_name(
    orders: Orders, unique_name: Name
) -> None:
    name = unique_name()
    orders.placed(name)
    assert refusal(orders.place(name)) == (409, "name_taken")
    assert len(orders.all()) == 1


def test_name_should_be_free_again_when_its_instance_is_deprovisioned(
    orders: Orders, unique_name: Name
) -> None:
    name = unique_name()
    first = orders.running(name)
    orders.give_back(first["id"])
    orders.reach(first["id"], "deprovisioned")
    assert orders.running(name)["id"] != first["id"]


def test_name_should_be_free_when_only_another_tenant_has_it(
    orders: Orders, make_orders: Callable[..., Orders], unique_name: Name
) -> None:
    name = unique_name()
    orders.placed(name)
    assert make_orders().place(name).status_code == 202


@pytest.mark.parametrize(("tier", "quota"), [("free", 2), ("pro", 10)])
def test_order_should_be_refused_when_the_quota_of_the_tier_is_used_up(
    make_orders: Callable[..., Orders], unique_name: Name, tier: str, quota: int
) -> None:
    orders = make_orders(tier)
    for _ in range(quota):
        orders.placed(unique_name())
    reply = orders.place(unique_name())
    assert refusal(reply) == (409, "quota_exceeded")
    assert reply.json()["quota"] == quota


def test_quota_should_have_room_again_when_an_instance_failed(
    orders: Orders, unique_name: Name
) -> None:
    failed = orders.placed(unique_name(), "broken")
    orders.placed(unique_name())
    orders.reach(failed["id"], "failed")
    assert orders.place(unique_name()).status_code == 202


# Idempotency keys


def test_order_should_get_the_same_answer_when_its_key_is_repeated(
    orders: Orders, unique_name: Name
) -> None:
    name, key = unique_name(), uuid.uuid4().hex
    first = orders.place(name, key=key)
    orders.reach(first.json()["id"], "running")
    second = orders.place(name, key=key)
    assert (second.status_code, second.content) == (202, first.content)
    assert second.headers["location"] == first.headers["location"]
    assert len(orders.all()) == 1


def test_order_should_be_refused_when_its_key_came_with_another_order(
    orders: Orders, unique_name: Name
) -> None:
    name, key = unique_name(), uuid.uuid4().hex
    orders.placed(name, "small", key)
    assert refusal(orders.place(name, "large", key)) == (422, "idempotency_key_reused")
    assert refusal(orders.place(unique_name(), "small", key)) == (422, "idempotency_key_reused")
    assert len(orders.all()) == 1


def test_orders_should_both_happen_when_each_has_a_key_of_its_own(
    orders: Orders, unique_name: Name
) -> None:
    keys = ["k" * 255, "k" * 254]
    placed = [orders.placed(unique_name(), key=key)["id"] for key in keys]
    assert sorted(placed) == sorted(each["id"] for each in orders.all())


@pytest.mark.parametrize("key", ["k" * 256, "a\tb", ""], ids=["long", "unprintable", "empty"])
def test_key_should_be_refused_when_it_is_none(orders: Orders, unique_name: Name, key: str) -> None:
    assert refusal(orders.place(unique_name(), key=key)) == (422, "invalid_request")
    assert orders.all() == []


def test_key_should_mean_nothing_when_another_tenant_uses_it(
    orders: Orders, make_orders: Callable[..., Orders], unique_name: Name
) -> None:
    name, key = unique_name(), uuid.uuid4().hex
    first = orders.placed(name, key=key)
    assert make_orders().placed(name, key=key)["id"] != first["id"]


def test_key_should_be_forgotten_when_a_day_has_passed(
    orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    key = uuid.uuid4().hex
    first = orders.placed(unique_name(), key=key)
    with postgres.connect() as conn:
        conn.execute(
            "UPDATE instances.idempotency_keys SET created_at = created_at - interval '25 hours'"
            " WHERE key = %s",
            [key],
        )
    assert orders.placed(unique_name(), key=key)["id"] != first["id"]


def test_key_should_not_be_used_up_when_its_order_was_refused(
    orders: Orders, unique_name: Name
) -> None:
    name, key = unique_name(), uuid.uuid4().hex
    first = orders.running(unique_name())
    orders.placed(unique_name())
    assert refusal(orders.place(name, key=key)) == (409, "quota_exceeded")
    orders.give_back(first["id"])
    orders.reach(first["id"], "deprovisioned")
    assert orders.place(name, key=key).status_code == 202


# The worker's promises


def test_worker_should_not_provision_again_when_a_finished_job_is_opened_again(
    orders: Orders, unique_name: Name, postgres: Postgres, waits: Waits
) -> None:
    instance = orders.running(unique_name())
    with postgres.connect() as conn:
        conn.execute(
            "UPDATE instances.jobs SET done_at = NULL WHERE instance_id = %s", [instance["id"]]
        )
        conn.execute("NOTIFY instances_jobs")
    done = "SELECT FROM instances.jobs WHERE instance_id = %s AND done_at IS NOT NULL"
    eventually(
        lambda: rows(postgres, done, instance["id"]),
        within_s=waits.done_s,
        reason="the job should be done",
    )
    assert orders.get(instance["id"]).json() == instance
    assert resources(postgres, instance["id"]) == 1


def done(stack: Stack, instance_id: str, began: datetime, jobs: int = 1) -> dict[str, Any]:
    """Return what the worker has logged of the last of an instance's jobs."""

    lines = eventually(
        lambda: logged(stack["worker"], instance_id, began)[jobs - 1 :],
        within_s=SOON_S,
        reason="the job should be in the log",
    )
    return lines[-1]


def test_worker_should_name_the_test_in_its_log_when_it_does_its_job(
    stack: Stack, orders: Orders, unique_name: Name, request: pytest.FixtureRequest
) -> None:
    began = datetime.now(UTC)
    job = done(stack, orders.running(unique_name())["id"], began)
    assert (job["service"], job["message"]) == ("worker", "provisioned")
    assert job["nomock.test"] == request.node.nodeid


def test_worker_should_log_what_became_of_it_when_it_has_done_a_job(
    stack: Stack, orders: Orders, unique_name: Name
) -> None:
    began = datetime.now(UTC)
    instance_id = orders.running(unique_name())["id"]
    assert done(stack, instance_id, began)["message"] == "provisioned"
    orders.give_back(instance_id)
    orders.reach(instance_id, "deprovisioned")
    assert done(stack, instance_id, began, jobs=2)["message"] == "deprovisioned"
    broken = orders.reach(orders.placed(unique_name(), "broken")["id"], "failed")
    assert done(stack, broken["id"], began)["message"] == f"failed: {broken['failure_reason']}"


@pytest.mark.traced(False)  # the test itself queues a job, which has no traceparent
def test_worker_should_make_nothing_when_an_instance_is_no_longer_wanted(
    stack: Stack, orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    began = datetime.now(UTC)
    orders.insert(postgres, (unique_name(), "deprovisioned"))
    (instance,) = orders.all()
    with postgres.connect() as conn:
        conn.execute(
            "INSERT INTO instances.jobs (instance_id, kind) VALUES (%s, 'provision')",
            [instance["id"]],
        )
    assert done(stack, instance["id"], began)["message"] == "no longer wanted"
    assert orders.all() == [instance]
    assert resources(postgres, instance["id"]) == 0


def test_worker_should_leave_other_instances_alone_when_it_does_a_job(
    make_orders: Callable[..., Orders], unique_name: Name, postgres: Postgres
) -> None:
    orders = make_orders("enterprise")
    runs = orders.running(unique_name())
    states = ["requested", "provisioning", "running", "deprovisioning", "deprovisioned"]
    orders.insert(postgres, *((unique_name(), state) for state in states))
    before = orders.all()
    ordered = orders.running(unique_name())
    orders.give_back(ordered["id"])
    orders.reach(ordered["id"], "deprovisioned")
    assert orders.all()[1:] == before
    assert resources(postgres, runs["id"]) == 1


@pytest.mark.traced(False)  # the test itself queues a job, which has no traceparent
def test_worker_should_give_up_when_a_job_was_tried_too_often(
    orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    orders.placed(unique_name())  # makes the tenant known to instances
    with postgres.connect() as conn:
        (instance_id,) = one(
            conn.execute(
                "INSERT INTO instances.instances (tenant_id, name, size, state, attempts)"
                " VALUES (%s, %s, 'small', 'provisioning', 5) RETURNING instance_id::text",
                [orders.tenant.tenant_id, unique_name()],
            )
        )
        conn.execute(
            "INSERT INTO instances.jobs (instance_id, kind) VALUES (%s, 'provision')",
            [instance_id],
        )
    assert orders.reach(instance_id, "failed")["failure_reason"] == "given up after 5 attempts"


# When another service is away


def test_order_should_be_refused_in_time_when_the_database_is_slow(
    faults: Faults, orders: Orders, unique_name: Name, waits: Waits
) -> None:
    orders.placed(unique_name())
    too_late_ms = round(1500 * waits.transaction_s)
    with faults.latency("instances->postgres", latency_ms=too_late_ms):
        reply = orders.place(unique_name())
    assert refusal(reply) == (503, "unavailable")
    assert int(reply.headers["retry-after"]) >= 1
    assert reply.elapsed.total_seconds() < waits.refusal_s
    assert "toxiproxy" not in reply.text


def test_order_should_happen_once_when_it_is_repeated_after_the_database_was_away(
    faults: Faults, orders: Orders, unique_name: Name
) -> None:
    name, key = unique_name(), uuid.uuid4().hex
    with faults.refused("instances->postgres"):
        assert refusal(orders.place(name, key=key)) == (503, "unavailable")
    ordered = orders.placed(name, key=key)
    assert [each["id"] for each in orders.all()] == [ordered["id"]]


def test_request_should_be_refused_without_asking_when_auth_stays_away(
    faults: Faults, orders: Orders, waits: Waits
) -> None:
    with faults.none("instances->auth"):
        with faults.refused("instances->auth"):
            refusals = [orders.send("GET", "/instances") for _ in range(4)]
        assert {refusal(reply) for reply in refusals} == {(503, "unavailable")}
        # The circuit is open now, although the edge is whole again; after a rest one call tries.
        assert refusal(orders.send("GET", "/instances")) == (503, "unavailable")
        recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)


def size_of_one_place(postgres: Postgres, undo: ExitStack) -> str:
    """Make a size of which there can be one instance, until the test is over."""
    size = f"TEST {uuid.uuid4().hex[:8]}"
    with postgres.connect() as conn:
        conn.execute("INSERT INTO instances.sizes (size, capacity) VALUES (%s, 1)", [size])
    undo.callback(remove_size, postgres, size)
    return size


def remove_size(postgres: Postgres, size: str) -> None:
    with postgres.connect() as conn:
        conn.execute("DELETE FROM instances.instances WHERE size = %s", [size])
        conn.execute("DELETE FROM instances.sizes WHERE size = %s", [size])
