"""Real concurrency: races, exhausted pools, held locks, and workers that die in the middle."""

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from helpers.eventually import eventually
from helpers.orders import (
    Orders,
    held,
    refusal,
    resources,
    rows,
    sever,
    waiting_behind,
    waiting_for_a_lock,
)
from helpers.waits import SOON_S, Waits

from nomock import Postgres, Stack

Name = Callable[[], str]

LOCK_TENANT = "SELECT FROM instances.tenants WHERE tenant_id = %s FOR UPDATE"
# What the worker locks before it provisions an instance of a size; orders do not need it.
LOCK_SIZE = "SELECT FROM instances.sizes WHERE size = %s FOR NO KEY UPDATE"
# What an order needs as well: its size has to go on existing.
LOCK_SIZE_AWAY = "SELECT FROM instances.sizes WHERE size = %s FOR UPDATE"
LOCK_JOB = "SELECT FROM instances.jobs WHERE instance_id = %s FOR UPDATE"


def statuses(replies: list[Any]) -> Counter[int]:
    return Counter(reply.status_code for reply in replies)


# Races


@pytest.mark.parametrize(("tier", "quota", "at_once"), [("free", 2, 12), ("pro", 10, 12)])
def test_quota_should_be_exact_when_orders_race(
    make_orders: Callable[..., Orders], unique_name: Name, tier: str, quota: int, at_once: int
) -> None:
    orders = make_orders(tier)
    replies = orders.at_once(*(orders.order(unique_name()) for _ in range(at_once)))
    assert statuses(replies) == {202: quota, 409: at_once - quota}
    assert len(orders.all()) == quota


def test_last_place_should_go_to_one_order_when_two_have_begun(
    orders: Orders, unique_name: Name, postgres: Postgres, waits: Waits
) -> None:
    orders.placed(unique_name())
    two = [orders.order(unique_name(), "medium") for _ in range(2)]
    # Both come as far as they can before either may go on: no other test orders this size.
    with held(postgres, LOCK_SIZE_AWAY, "medium") as holder, ThreadPoolExecutor(1) as senders:
        sent = senders.submit(orders.at_once, *two)
        try:
            eventually(
                lambda: waiting_behind(postgres, holder) == 2,
                within_s=waits.lock_s,
                reason="both orders should wait, one for the size and one for the other",
            )
        finally:
            holder.rollback()
        assert statuses(sent.result()) == {202: 1, 409: 1}
    assert len(orders.all()) == 2


def test_order_should_happen_once_when_its_key_comes_many_times_at_once(
    orders: Orders, unique_name: Name
) -> None:
    order = orders.order(unique_name(), key=uuid.uuid4().hex)
    replies = orders.at_once(*[order] * 8)
    assert statuses(replies) == {202: 8}
    assert len({reply.content for reply in replies}) == 1
    assert len(orders.all()) == 1


def test_name_should_go_to_one_order_when_many_want_it_at_once(
    make_orders: Callable[..., Orders], unique_name: Name
) -> None:
    orders = make_orders("pro")
    replies = orders.at_once(*[orders.order(unique_name())] * 8)
    assert statuses(replies) == {202: 1, 409: 7}
    assert {refusal(reply) for reply in replies if reply.is_error} == {(409, "name_taken")}


def test_removal_should_be_queued_once_when_it_is_asked_for_many_times_at_once(
    orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    instance_id = orders.running(unique_name())["id"]
    request = {"method": "DELETE", "path": f"/instances/{instance_id}"}
    assert statuses(orders.at_once(*[request] * 8)) == {202: 8}
    orders.reach(instance_id, "deprovisioned")
    jobs = "SELECT count(*) FROM instances.jobs WHERE instance_id = %s AND kind = 'deprovision'"
    assert rows(postgres, jobs, instance_id) == [(1,)]


def test_all_orders_should_run_with_one_resource_each_when_many_come_at_once(
    make_orders: Callable[..., Orders], unique_name: Name, postgres: Postgres
) -> None:
    orders = make_orders("enterprise")
    replies = orders.at_once(*(orders.order(unique_name()) for _ in range(10)))
    assert statuses(replies) == {202: 10}
    for reply in replies:
        orders.reach(reply.json()["id"], "running")
    assert [resources(postgres, reply.json()["id"]) for reply in replies] == [1] * 10


# Locks and connections that are not to be had


def test_order_should_be_refused_in_time_when_its_tenant_is_locked(
    orders: Orders,
    make_orders: Callable[..., Orders],
    unique_name: Name,
    postgres: Postgres,
    waits: Waits,
) -> None:
    name, key = unique_name(), uuid.uuid4().hex
    first, other = orders.placed(unique_name()), make_orders()
    with held(postgres, LOCK_TENANT, orders.tenant.tenant_id):
        refused = orders.place(name, key=key)
        assert other.place(unique_name()).status_code == 202  # another tenant does not notice
    assert refusal(refused) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.elapsed.total_seconds() < waits.refusal_s
    repeated = orders.placed(name, key=key)
    assert {each["id"] for each in orders.all()} == {first["id"], repeated["id"]}


@pytest.mark.serial("stack")
def test_requests_should_be_refused_in_time_when_the_pool_is_exhausted(
    stack: Stack,
    orders: Orders,
    make_orders: Callable[..., Orders],
    unique_name: Name,
    postgres: Postgres,
    waits: Waits,
) -> None:
    pool_size = int(stack["instances"].exec("printenv", "POOL_SIZE"))
    orders.placed(unique_name())
    other = make_orders()
    other.all()

    def asked() -> httpx.Response | None:
        """Ask while all of the pool wait for a lock; return None where they never all did."""
        with (
            held(postgres, LOCK_TENANT, orders.tenant.tenant_id),
            ThreadPoolExecutor(max_workers=1) as background,
        ):
            stuck = [orders.order(unique_name()) for _ in range(pool_size)]
            replies = background.submit(orders.at_once, *stuck)
            try:
                eventually(
                    lambda: len(waiting_for_a_lock(postgres, "instances_service")) == pool_size,
                    within_s=waits.lock_s,
                    reason="every connection of the pool should wait for the lock",
                    every_s=0.01,
                )
            except AssertionError:  # on a busy machine one may have been refused before
                return None
            reply = other.send("GET", "/instances")  # would need no lock, but a connection
            assert statuses(replies.result()) == {503: pool_size}
        return reply

    began = datetime.now(UTC)
    # Where a busy machine lets them in one by one, the first gives its connection back too soon.
    replies = (asked() for _ in range(5))
    refused = next((reply for reply in replies if reply is not None and reply.is_error), None)
    assert refused is not None, "five times in a row a request got a connection that was not there"
    assert refusal(refused) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert "PoolTimeout" in stack["instances"].logs(since=began)
    assert other.all() == []
    assert len(orders.all()) == 1


@pytest.mark.serial("stack")
def test_requests_should_be_served_when_the_database_has_ended_all_connections(
    orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    orders.placed(unique_name())
    assert sever(postgres, "instances_service") >= 1
    assert len(orders.all()) == 1
    assert orders.place(unique_name()).status_code == 202


# The queue


@pytest.mark.serial("stack")
def test_worker_should_pass_over_a_job_when_another_worker_has_claimed_it(
    orders: Orders, make_orders: Callable[..., Orders], unique_name: Name, postgres: Postgres
) -> None:
    busy = make_orders()
    with held(postgres, LOCK_SIZE, "large") as size:
        # The worker hangs in this one until the others are queued and the first is claimed.
        busy_id = busy.placed(unique_name(), "large")["id"]
        busy.reach(busy_id, "provisioning")
        claimed, free = orders.placed(unique_name())["id"], orders.placed(unique_name())["id"]
        with held(postgres, LOCK_JOB, claimed):
            size.rollback()
            orders.reach(free, "running")
            assert orders.get(claimed).json()["state"] == "requested"
    assert orders.reach(claimed, "running")["attempts"] == 1
    assert busy.reach(busy_id, "running")["attempts"] == 1


@pytest.mark.serial("stack")
def test_instance_should_never_get_a_resource_when_it_is_given_back_while_it_is_provisioned(
    orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    with held(postgres, LOCK_SIZE, "large"):
        instance_id = orders.placed(unique_name(), "large")["id"]
        orders.reach(instance_id, "provisioning")
        assert orders.give_back(instance_id).json()["state"] == "deprovisioning"
    orders.reach(instance_id, "deprovisioned")
    assert resources(postgres, instance_id) == 0


@pytest.mark.serial("stack")
def test_order_should_run_with_one_resource_when_the_worker_is_killed_in_the_middle(
    stack: Stack, orders: Orders, unique_name: Name, postgres: Postgres, waits: Waits
) -> None:
    try:
        with held(postgres, LOCK_SIZE, "large"):
            instance_id = orders.placed(unique_name(), "large")["id"]
            assert orders.reach(instance_id, "provisioning")["attempts"] == 1
            killed = eventually(
                lambda: waiting_for_a_lock(postgres, "worker_service"),
                within_s=SOON_S,
                reason="the worker should be in the middle of its transaction",
            )
            stack["worker"].kill()
            # The database notices, although the statement waits for a lock, and frees the job. In
            # a sandbox another worker is there at once, and waits for the same lock.
            eventually(
                lambda: not killed & waiting_for_a_lock(postgres, "worker_service"),
                within_s=waits.abandoned_s,
                reason="the killed worker's transaction should be gone",
            )
    finally:
        stack["worker"].start()
    assert orders.reach(instance_id, "running")["attempts"] == 2
    assert resources(postgres, instance_id) == 1


@pytest.mark.serial("stack")
def test_orders_should_wait_and_then_run_when_the_worker_is_away(
    stack: Stack, orders: Orders, unique_name: Name
) -> None:
    stack["worker"].stop()
    try:
        first, second = orders.placed(unique_name()), orders.placed(unique_name())
        assert {each["state"] for each in orders.all()} == {"requested"}
    finally:
        stack["worker"].start()
    assert orders.reach(first["id"], "running")["attempts"] == 1
    assert orders.reach(second["id"], "running")["attempts"] == 1


@pytest.mark.serial("stack")
def test_worker_should_stop_in_time_when_it_is_in_the_middle_of_a_job(
    stack: Stack, orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    began = datetime.now(UTC)
    try:
        with held(postgres, LOCK_SIZE, "large"):
            instance_id = orders.placed(unique_name(), "large")["id"]
            orders.reach(instance_id, "provisioning")
            stack["worker"].stop()
    finally:
        stack["worker"].start()
    # It was not killed, as it would have been after its grace period.
    assert '"message": "stopped"' in stack["worker"].logs(since=began)
    orders.reach(instance_id, "running")
    assert resources(postgres, instance_id) == 1


@pytest.mark.serial("stack")
def test_worker_should_go_on_when_the_database_has_ended_its_connections(
    orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    orders.running(unique_name())  # so that it has both
    assert sever(postgres, "worker_service") == 2
    orders.running(unique_name())


@pytest.mark.serial("stack")
def test_orders_should_be_taken_and_run_when_the_database_was_restarted(
    stack: Stack, orders: Orders, unique_name: Name
) -> None:
    before = orders.running(unique_name())
    stack["postgres"].restart()
    assert orders.get(before["id"]).json() == before
    orders.running(unique_name())
