"""The services die, hang and are cut off, and come back: nothing is lost, and nothing is doubled.

A moment in the middle of something is made sure by a lock in the database, never by time. Who holds
such a lock when a fault begins is serial: the one worker hangs in it for all tests, and what waits
for it would not wait as long as the fault may have to wait for others.
"""

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from helpers.eventually import eventually
from helpers.load import check_orders, loaded, settles
from helpers.logs import logged
from helpers.mcp import RawSession, message_of
from helpers.oauth import PASSWORD, Pkce, User, claims_of
from helpers.oauth import refusal as oauth_refusal
from helpers.orders import (
    Orders,
    as_role,
    held,
    refusal,
    resources,
    rows,
    waiting_behind,
    waiting_for_a_lock,
)
from helpers.waits import SOON_S, Waits
from joserfc import jwt
from joserfc.jwk import ECKey

from nomock import (
    Acknowledged,
    Faults,
    NomockError,
    Outcome,
    Postgres,
    Stack,
    recovers_within,
    steady,
)

Name = Callable[[], str]

# The ports of edges: services/toxiproxy/edges.json.
INSTANCES_TO_POSTGRES, WORKER_TO_POSTGRES = 15433, 15434

LOCK_SIZE = "SELECT FROM instances.sizes WHERE size = %s FOR NO KEY UPDATE"
LOCK_ROW = "SELECT FROM instances.instances WHERE instance_id = %s FOR NO KEY UPDATE"
LOCK_RESOURCE = "SELECT FROM instances.resources WHERE instance_id = %s FOR UPDATE"
LOCK_TENANT = "SELECT FROM instances.tenants WHERE tenant_id = %s FOR UPDATE"
LOCK_MIGRATIONS = "SELECT pg_advisory_xact_lock(7207001)"
LOCK_COMMIT = "SELECT pg_advisory_xact_lock(7207900)"
# The transaction that gives an instance its resource waits for a lock while it is committed.
WAIT_IN_COMMIT = """
    DROP FUNCTION IF EXISTS instances.test_wait CASCADE;
    CREATE FUNCTION instances.test_wait() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock(7207900); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER test_wait AFTER INSERT ON instances.resources
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.instance_id = '{}')
    EXECUTE FUNCTION instances.test_wait();
"""
WAIT_NO_MORE = "DROP FUNCTION IF EXISTS instances.test_wait CASCADE"

OPEN = "SELECT FROM instances.jobs WHERE instance_id = %s AND done_at IS NULL"
DONE = "SELECT FROM instances.jobs WHERE instance_id = %s AND done_at IS NOT NULL"


@pytest.fixture(autouse=True)
def circuits(faults: Faults) -> Iterator[None]:
    """Keep other tests off the circuits that a test opens, which it sees closed before it ends."""
    with faults.none("instances->auth"), faults.none("mcp->auth"), faults.none("mcp->instances"):
        yield


# The worker, at a certain moment of a job


@dataclass(frozen=True)
class Moment:
    """The worker waits for a lock in the middle of a job."""

    instance_id: str
    holder: Any

    def go_on(self) -> None:
        """Let whoever waits have the lock."""
        self.holder.rollback()


Moments = Callable[[Orders, Any, Name], AbstractContextManager[Moment]]


@contextmanager
def announcing(orders: Orders, postgres: Postgres, unique_name: Name) -> Iterator[Moment]:
    """Before the attempt is counted, with the job claimed."""
    with held(postgres, LOCK_SIZE, "large") as size:
        # The worker hangs in this one, so that the other is locked before it is looked at.
        busy = orders.placed(unique_name(), "large")["id"]
        orders.reach(busy, "provisioning")
        instance_id = orders.placed(unique_name())["id"]
        with held(postgres, LOCK_ROW, instance_id) as holder:
            size.rollback()
            until_it_waits(postgres, holder)
            yield Moment(instance_id, holder)


@contextmanager
def placing(orders: Orders, postgres: Postgres, unique_name: Name) -> Iterator[Moment]:
    """When the attempt is counted, and nothing is provisioned yet."""
    with held(postgres, LOCK_SIZE, "large") as holder:
        instance_id = orders.placed(unique_name(), "large")["id"]
        until_it_waits(postgres, holder)
        yield Moment(instance_id, holder)


@contextmanager
def committing(orders: Orders, postgres: Postgres, unique_name: Name) -> Iterator[Moment]:
    """When everything is done, and the commit has been asked for."""
    try:
        with (
            held(postgres, LOCK_COMMIT) as holder,
            placing(orders, postgres, unique_name) as earlier,
        ):
            with postgres.connect() as conn:
                conn.execute(WAIT_IN_COMMIT.format(earlier.instance_id))
            earlier.go_on()
            until_it_waits(postgres, holder)
            yield Moment(earlier.instance_id, holder)
    finally:
        with postgres.connect() as conn:
            conn.execute(WAIT_NO_MORE)


def until_it_waits(postgres: Postgres, holder: Any) -> None:
    eventually(
        lambda: waiting_behind(postgres, holder),
        within_s=SOON_S,
        reason="it should wait in the middle",
    )


def until_nobody_waits(postgres: Postgres, waits: Waits, role: str = "worker_service") -> None:
    eventually(
        lambda: not waiting_for_a_lock(postgres, role),
        within_s=waits.abandoned_s,
        reason=f"no connection of {role} should wait for a lock any more",
    )


@pytest.mark.serial("stack")
@pytest.mark.parametrize(("moment", "attempts"), [(announcing, 1), (placing, 2), (committing, 2)])
def test_order_should_run_with_one_resource_when_the_worker_is_killed_in_the_middle(
    faults: Faults,
    orders: Orders,
    unique_name: Name,
    postgres: Postgres,
    moment: Moments,
    attempts: int,
    waits: Waits,
) -> None:
    with moment(orders, postgres, unique_name) as at, faults.kill("worker"):
        # The database notices, although the statement waits, and undoes what was done.
        until_nobody_waits(postgres, waits)
        assert resources(postgres, at.instance_id) == 0
        at.go_on()
    assert orders.reach(at.instance_id, "running")["attempts"] == attempts
    assert resources(postgres, at.instance_id) == 1
    settles(postgres, waits.settled_s, worker_service=2)


def test_nothing_should_be_made_when_an_instance_is_given_back_while_the_worker_makes_it(
    stack: Stack, orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    began = datetime.now(UTC)
    with placing(orders, postgres, unique_name) as at:
        assert orders.give_back(at.instance_id).json()["state"] == "deprovisioning"
        at.go_on()
    assert orders.reach(at.instance_id, "deprovisioned")["attempts"] == 1
    assert resources(postgres, at.instance_id) == 0
    eventually(
        lambda: (
            [line["message"] for line in logged(stack["worker"], at.instance_id, began)]
            == ["no longer wanted", "deprovisioned"]
        ),
        within_s=SOON_S,
        reason="both jobs should be in the log",
    )


@pytest.mark.serial("stack")
def test_order_should_run_once_when_the_worker_is_killed_between_commit_and_acknowledgement(
    stack: Stack, faults: Faults, orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    began = datetime.now(UTC)
    with committing(orders, postgres, unique_name) as at, ExitStack() as broken:
        # Nobody sends anything on the edge now: what is swallowed is the answer to the commit,
        # which the worker does not get, or it would log what it has done.
        deaf = faults.blackhole("worker->postgres", direction="from", expect_traffic=False)
        broken.enter_context(deaf)
        at.go_on()
        eventually(
            lambda: rows(postgres, DONE, at.instance_id),
            within_s=SOON_S,
            reason="the job should be committed",
        )
        broken.enter_context(faults.kill("worker"))
        assert at.instance_id not in stack["worker"].logs(since=began)
        deaf.end()  # or the worker would start behind it
    assert orders.running(unique_name())["attempts"] == 1
    assert orders.get(at.instance_id).json()["state"] == "running"
    assert orders.get(at.instance_id).json()["attempts"] == 1
    assert resources(postgres, at.instance_id) == 1


@pytest.mark.serial("stack")
def test_instance_should_be_removed_when_the_worker_is_killed_while_it_removes_it(
    faults: Faults, orders: Orders, unique_name: Name, postgres: Postgres, waits: Waits
) -> None:
    instance_id = orders.running(unique_name())["id"]
    with held(postgres, LOCK_RESOURCE, instance_id) as holder:
        orders.give_back(instance_id)
        until_it_waits(postgres, holder)
        with faults.kill("worker"):
            until_nobody_waits(postgres, waits)
            assert orders.get(instance_id).json()["state"] == "deprovisioning"
            assert resources(postgres, instance_id) == 1
            holder.rollback()
    orders.reach(instance_id, "deprovisioned")
    assert resources(postgres, instance_id) == 0


@pytest.mark.serial("stack")
def test_job_should_stay_with_its_worker_when_that_is_frozen(
    faults: Faults, orders: Orders, unique_name: Name, postgres: Postgres, waits: Waits
) -> None:
    with placing(orders, postgres, unique_name) as at, faults.pause("worker"):
        at.go_on()
        until_nobody_waits(postgres, waits)
        with as_role(postgres, "worker_service") as another:
            claim = f"{OPEN} FOR UPDATE SKIP LOCKED"
            assert another.execute(claim, [at.instance_id]).fetchall() == []
        assert orders.get(at.instance_id).json()["state"] == "provisioning"
    assert orders.reach(at.instance_id, "running")["attempts"] == 1
    assert resources(postgres, at.instance_id) == 1


@pytest.mark.serial("stack")
def test_job_should_be_done_once_when_a_frozen_worker_wakes_after_another_has_done_it(
    stack: Stack,
    faults: Faults,
    orders: Orders,
    unique_name: Name,
    postgres: Postgres,
    waits: Waits,
) -> None:
    began = datetime.now(UTC)
    with placing(orders, postgres, unique_name) as at, faults.pause("worker"):
        at.go_on()
        # What the database does by itself to a transaction that is left alone.
        with faults.end_backends(service="worker"):
            pass
        with as_role(postgres, "worker_service") as another:
            claim = f"{OPEN} FOR UPDATE SKIP LOCKED"
            assert len(another.execute(claim, [at.instance_id]).fetchall()) == 1
            another.execute(
                "INSERT INTO instances.resources (instance_id, size, attempt)"
                " VALUES (%s, 'large', 77)",
                [at.instance_id],
            )
            another.execute(
                "UPDATE instances.instances SET state = 'running' WHERE instance_id = %s",
                [at.instance_id],
            )
            another.execute(
                "UPDATE instances.jobs SET done_at = now() WHERE instance_id = %s",
                [at.instance_id],
            )
    orders.running(unique_name())
    assert "interrupted" in stack["worker"].logs(since=began)
    assert orders.get(at.instance_id).json()["state"] == "running"
    made = "SELECT attempt FROM instances.resources WHERE instance_id = %s"
    assert rows(postgres, made, at.instance_id) == [(77,)]
    settles(postgres, waits.settled_s, worker_service=2)


@pytest.mark.serial("stack")
def test_worker_should_give_a_job_up_when_it_is_cut_off_from_the_database_in_the_middle(
    stack: Stack,
    faults: Faults,
    orders: Orders,
    unique_name: Name,
    postgres: Postgres,
    waits: Waits,
) -> None:
    began = datetime.now(UTC)
    with (
        placing(orders, postgres, unique_name) as at,
        # Nobody tells it: its packets are dropped, and so are those of the database.
        faults.packet_block("worker", port=WORKER_TO_POSTGRES),
    ):
        at.go_on()
        eventually(
            lambda: "interrupted" in stack["worker"].logs(since=began),
            within_s=waits.given_up_s,
            reason="the worker should not wait for ever",
        )
        stack.wait_ready("worker")
    assert orders.reach(at.instance_id, "running", within_s=waits.redone_s)["attempts"] == 2
    assert resources(postgres, at.instance_id) == 1
    settles(postgres, waits.settled_s, worker_service=2)


@pytest.mark.serial("stack")
def test_worker_should_stop_in_time_when_the_database_no_longer_answers(
    stack: Stack,
    faults: Faults,
    orders: Orders,
    unique_name: Name,
    postgres: Postgres,
    waits: Waits,
) -> None:
    began = datetime.now(UTC)
    with (
        placing(orders, postgres, unique_name) as at,
        # It goes with the container's network, so that in the end nobody can count what it met.
        faults.packet_block("worker", port=WORKER_TO_POSTGRES, expect_traffic=False),
    ):
        at.go_on()
        with faults.stop("worker"):
            # It was not killed, as it would have been after its grace period.
            assert '"message": "stopped"' in stack["worker"].logs(since=began)
    orders.reach(at.instance_id, "running", within_s=waits.redone_s)
    assert resources(postgres, at.instance_id) == 1


@pytest.mark.serial("stack")
def test_worker_should_be_seen_to_live_when_it_cannot_reach_the_database(
    stack: Stack, faults: Faults, waits: Waits
) -> None:
    worker, began = stack["worker"], datetime.now(UTC)
    look = "import os; print(os.stat('/tmp/heartbeat').st_mtime_ns)"
    with faults.refused("worker->postgres"):
        eventually(
            lambda: logged(worker, "interrupted", began),
            within_s=SOON_S,
            reason="it should have lost its connections",
        )
        before = worker.exec("python3", "-c", look)
        eventually(
            lambda: worker.exec("python3", "-c", look) != before,
            within_s=waits.back_s,
            reason="its heartbeat should go on",
        )


# PostgreSQL


def keyed(orders: Orders) -> Callable[[str], httpx.Response]:
    """Return what places an order that may be repeated: its name is its key, too."""
    return lambda name: orders.place(name, key=name)


@pytest.mark.parametrize("kind", ["pause", "isolate"])
def test_orders_should_be_refused_in_time_and_be_done_once_when_the_database_hangs(
    stack: Stack,
    faults: Faults,
    orders: Orders,
    unique_name: Name,
    postgres: Postgres,
    kind: str,
    waits: Waits,
) -> None:
    name = unique_name()
    with (
        steady(lambda: orders.send("GET", "/instances"), within_s=waits.answer_s) as watch,
        getattr(faults, kind)("postgres"),
    ):
        refused = orders.place(name, key=name)
        assert stack["instances"].http.get("/health").status_code == 200
    watch.recovers_within(waits.back_s)
    assert refusal(refused) == (503, "unavailable")
    assert refused.elapsed.total_seconds() < waits.refusal_s
    ordered = orders.placed(name, key=name)
    assert [each["id"] for each in orders.all()] == [ordered["id"]]
    orders.reach(ordered["id"], "running")
    settles(postgres, waits.settled_s, instances_service=5, worker_service=2)


def test_acknowledged_orders_should_be_done_once_when_the_database_ends_the_pools_under_load(
    faults: Faults,
    make_orders: Callable[..., Orders],
    unique_name: Name,
    postgres: Postgres,
    acknowledged: Acknowledged,
    waits: Waits,
) -> None:
    orders = make_orders("enterprise")
    with (
        faults.none("postgres"),
        steady(lambda: orders.send("GET", "/instances"), within_s=waits.answer_s) as watch,
        loaded(keyed(orders), unique_name, acknowledged, waits) as load,
    ):
        for _ in range(3):
            load.acknowledges(2)
            # The worker takes its time to come back, and may have nothing that could be ended.
            worker = faults.end_backends(service="worker", expect_traffic=False)
            with faults.end_backends(service="instances"), worker:
                pass
        watch.recovers_within(waits.back_s)
        load.acknowledges(2)
    check_orders(load, orders, postgres, at_least=8)
    settles(postgres, waits.settled_s, instances_service=5, worker_service=2)


def test_acknowledged_users_should_be_there_once_when_the_database_is_killed_under_load(
    stack: Stack,
    faults: Faults,
    user: User,
    unique_name: Name,
    postgres: Postgres,
    acknowledged: Acknowledged,
    waits: Waits,
) -> None:
    def sign_up(name: str) -> httpx.Response:
        asked = {"username": name, "password": PASSWORD, "tenant": user.username}
        reply: httpx.Response = stack["auth"].http.post("/users", json=asked)
        return reply

    with loaded(sign_up, unique_name, acknowledged, waits) as load:
        load.acknowledges(3)
        with faults.kill("postgres"):
            load.meets_trouble(3)
        load.acknowledges(3)
    there = "SELECT name FROM auth.users WHERE tenant_id = %s"
    acknowledged.check((name for (name,) in rows(postgres, there, user.tenant_id)), at_least=6)
    assert load.statuses.keys() == {201, 503}
    settles(postgres, waits.settled_s, auth_service=10)


def test_requests_should_be_refused_in_time_when_the_database_lets_nobody_in(
    faults: Faults, orders: Orders, unique_name: Name, postgres: Postgres, waits: Waits
) -> None:
    orders.running(unique_name())
    # The edge is closed until all slots are taken, or the pool would be faster.
    closed = faults.refused("instances->postgres", expect_traffic=False)
    with closed, faults.fill_slots():
        closed.end()
        refused = orders.place(unique_name())
    assert refusal(refused) == (503, "unavailable")
    assert refused.elapsed.total_seconds() < waits.refusal_s
    recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)
    orders.running(unique_name())
    settles(postgres, waits.settled_s, instances_service=5, worker_service=2)


@pytest.mark.parametrize("table", ["instances.tenants", "instances.jobs"])
def test_order_should_leave_nothing_half_done_when_a_table_is_locked(
    faults: Faults, orders: Orders, unique_name: Name, postgres: Postgres, table: str, waits: Waits
) -> None:
    name = unique_name()
    orders.running(unique_name())
    with faults.lock_table(table):
        refused = orders.place(name, key=name)
    assert refusal(refused) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.elapsed.total_seconds() < waits.refusal_s
    assert len(orders.all()) == 1
    ordered = orders.placed(name, key=name)  # its key is not used up
    orders.reach(ordered["id"], "running")
    assert len(orders.all()) == 2
    settles(postgres, waits.settled_s, instances_service=5, worker_service=2)


def test_connections_should_not_pile_up_when_a_table_of_auth_stays_locked(
    faults: Faults, orders: Orders, make_user: Callable[..., User], postgres: Postgres, waits: Waits
) -> None:
    client, user, other = orders.tenant.client, orders.tenant.user, make_user()
    with faults.lock_table("auth.grants"), ThreadPoolExecutor(10) as threads:
        # Each call ends in time, and with it what the database does for it: a second lot finds
        # the pool as the first one did.
        for _ in range(2):
            logins = [threads.submit(client.log_in, user, Pkce()) for _ in range(8)]
            replies = [login.result() for login in logins]
            assert {oauth_refusal(reply) for reply in replies} == {(503, "temporarily_unavailable")}
            assert (
                max(reply.elapsed.total_seconds() for reply in replies) < waits.refusal_of_login_s
            )
            settles(postgres, waits.settled_s, auth_service=10)
    # Somebody else: the first has hardly a login left in this minute.
    recovers_within(lambda: client.log_in(other, Pkce()).status_code == 302, waits.back_s)


def test_connections_should_not_pile_up_when_new_ones_are_given_up_half_way(
    faults: Faults, orders: Orders, unique_name: Name, postgres: Postgres, waits: Waits
) -> None:
    # The database answers four times until a connection can be used (SSL, SCRAM's two, welcome),
    # and has let it in with the third: the service gives it up before the fourth is here.
    latency_ms = round(1000 * waits.connect_s / 3.5)
    # Who asks gives up sooner: so many lots of them that a connection is tried three times over.
    lots = math.ceil(3 * waits.connect_s / waits.connection_s)
    with faults.latency("instances->postgres", latency_ms=latency_ms):
        for _ in range(lots):
            asked = [orders.order(unique_name()) for _ in range(8)]
            assert {reply.status_code for reply in orders.at_once(*asked)} == {503}
    recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)
    settles(postgres, waits.settled_s, instances_service=5)


# Redis


@pytest.mark.parametrize("kind", ["kill", "pause"])
def test_logins_should_fail_closed_and_all_else_go_on_when_redis_is_away(
    faults: Faults, orders: Orders, unique_name: Name, kind: str, waits: Waits
) -> None:
    client, user = orders.tenant.client, orders.tenant.user
    refresh_token = client.tokens(user)["refresh_token"]
    with (
        # What needs no limit is asked all the time, and never fails.
        steady(
            lambda: orders.send("GET", "/instances"), within_s=waits.answer_s, allowed_failures=0
        ),
        getattr(faults, kind)("redis"),
        ThreadPoolExecutor(2) as threads,
    ):
        asked = [
            threads.submit(client.log_in, user, Pkce()),
            threads.submit(client.refresh, refresh_token),
        ]
        instance = orders.running(unique_name())
        replies = [each.result() for each in asked]
    for reply in replies:
        assert oauth_refusal(reply) == (503, "temporarily_unavailable")
        assert int(reply.headers["retry-after"]) >= 1
        assert reply.elapsed.total_seconds() < waits.refusal_without_redis_s
    recovers_within(lambda: client.log_in(user, Pkce()).status_code == 302, waits.back_s)
    # It was not used up by the refusal.
    assert client.refresh(refresh_token).status_code == 200
    assert orders.get(instance["id"]).json() == instance


def test_code_should_be_worth_nothing_when_redis_was_restarted(
    stack: Stack, faults: Faults, orders: Orders
) -> None:
    client, user, pkce = orders.tenant.client, orders.tenant.user, Pkce()
    code = client.code(user, pkce)
    with faults.restart("redis"):
        # On the connection that auth had before.
        assert oauth_refusal(client.redeem(code, pkce)) == (400, "invalid_grant")
        assert client.tokens(user)["access_token"]


# auth


def test_token_should_stay_good_when_auth_was_restarted(
    stack: Stack, faults: Faults, orders: Orders, unique_name: Name
) -> None:
    keys = stack["auth"].http.get("/jwks").json()
    instance = orders.running(unique_name())
    with faults.restart("auth"):
        assert orders.get(instance["id"]).json() == instance
        assert stack["auth"].http.get("/jwks").json() == keys
        fresh = orders.tenant.new_token()
    reply = stack["instances"].http.get("/instances", headers={"Authorization": f"Bearer {fresh}"})
    assert [each["id"] for each in reply.json()] == [instance["id"]]


@pytest.mark.parametrize("kind", ["kill", "pause"])
def test_nobody_should_be_let_in_unchecked_when_auth_is_away(
    stack: Stack,
    faults: Faults,
    orders: Orders,
    unique_name: Name,
    mcp_token: str,
    kind: str,
    postgres: Postgres,
    waits: Waits,
) -> None:
    caller = RawSession(stack["mcp"].http, mcp_token)
    caller.open()
    with getattr(faults, kind)("auth"), ThreadPoolExecutor(1) as threads:
        ping = threads.submit(caller.request, "ping")
        by_api, by_agent = orders.place(unique_name()), ping.result()
    assert refusal(by_api) == (503, "unavailable")
    assert oauth_refusal(by_agent) == (503, "temporarily_unavailable")
    for reply, within_s in (by_api, waits.refusal_s), (by_agent, waits.answer_of_agent_s):
        assert int(reply.headers["retry-after"]) >= 1
        assert reply.elapsed.total_seconds() < within_s
    recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)
    recovers_within(lambda: caller.request("ping"), waits.back_s)
    assert orders.all() == []
    settles(postgres, waits.settled_s, instances_service=5)


@pytest.mark.parametrize(("leeways", "status"), [(0.6, 200), (12, 401)])
def test_token_should_be_accepted_only_when_the_clock_of_auth_is_hardly_ahead(
    stack: Stack, orders: Orders, postgres: Postgres, leeways: float, status: int, waits: Waits
) -> None:
    ((key,),) = rows(postgres, "SELECT jwk FROM auth.signing_keys ORDER BY created_at DESC LIMIT 1")
    header, claims = claims_of(orders.tenant.token, 0), claims_of(orders.tenant.token)
    claims |= {"iat": int(time.time() + leeways * waits.clock_leeway_s)}
    token = jwt.encode(header, claims, ECKey.import_key(key), algorithms=["ES256"])
    headers = {"Authorization": f"Bearer {token}"}
    assert stack["instances"].http.get("/instances", headers=headers).status_code == status


def test_job_should_be_done_when_auth_is_away(
    faults: Faults, orders: Orders, unique_name: Name, postgres: Postgres, waits: Waits
) -> None:
    paused = faults.pause("worker")
    paused.begin()  # or it would be done while auth is there
    instance_id = orders.placed(unique_name())["id"]
    with faults.kill("auth"):
        paused.end()
        eventually(
            lambda: rows(postgres, DONE, instance_id),
            within_s=waits.back_s,
            reason="the worker needs no auth",
        )
    recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)
    assert orders.get(instance_id).json()["state"] == "running"


def test_requests_should_all_be_refused_in_time_when_auth_hangs_before_its_keys_are_known(
    stack: Stack, faults: Faults, orders: Orders, waits: Waits
) -> None:
    with faults.restart("instances"), faults.pause("auth"):
        replies = orders.at_once(*[{"method": "GET", "path": "/instances"}] * 8)
    recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)
    assert {refusal(reply) for reply in replies} == {(503, "unavailable")}
    assert max(reply.elapsed.total_seconds() for reply in replies) < waits.refusal_by_auth_s


# instances


@pytest.mark.serial("stack")
def test_order_should_happen_once_when_instances_is_killed_in_the_middle_of_it(
    stack: Stack,
    faults: Faults,
    orders: Orders,
    unique_name: Name,
    postgres: Postgres,
    acknowledged: Acknowledged,
    waits: Waits,
) -> None:
    name = unique_name()
    orders.placed(unique_name())
    with (
        faults.none("instances"),
        held(postgres, LOCK_TENANT, orders.tenant.tenant_id) as holder,
        ThreadPoolExecutor(1) as sender,
    ):
        first = sender.submit(acknowledged.send, name, lambda: orders.place(name, key=name))
        until_it_waits(postgres, holder)
        with faults.kill("instances"):
            assert first.result() is None
            # Its transaction goes with it, although it waits for a lock.
            until_nobody_waits(postgres, waits, "instances_service")
            holder.rollback()
    assert acknowledged.keys(Outcome.UNKNOWN) == [name]
    acknowledged.send(name, lambda: orders.place(name, key=name))
    acknowledged.check((each["name"] for each in orders.all()), at_least=1)
    settles(postgres, waits.settled_s, instances_service=5)


@pytest.mark.serial("stack")
def test_tenant_should_be_free_again_when_instances_is_frozen_in_the_middle_of_an_order(
    faults: Faults, orders: Orders, unique_name: Name, postgres: Postgres, waits: Waits
) -> None:
    name, tenant = unique_name(), orders.tenant.tenant_id
    orders.placed(unique_name())
    with held(postgres, LOCK_TENANT, tenant) as holder, ThreadPoolExecutor(1) as sender:
        order = sender.submit(orders.place, name, key=name)
        until_it_waits(postgres, holder)
        with faults.pause("instances"):
            holder.rollback()
            until_nobody_waits(postgres, waits, "instances_service")
            # The frozen one has the lock now, and may keep it no longer than a request takes.
            eventually(
                lambda: rows(postgres, f"{LOCK_TENANT} SKIP LOCKED", tenant),
                within_s=waits.frozen_s,
                reason="the database should give the lock to others",
            )
    assert refusal(order.result()) == (503, "unavailable")
    ordered = orders.placed(name, key=name)
    assert ordered["id"] in {each["id"] for each in orders.all()}
    assert len(orders.all()) == 2


@pytest.mark.serial("stack")
def test_order_should_be_answered_when_instances_is_stopped_in_the_middle_of_it(
    faults: Faults, orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    orders.placed(unique_name())
    with (
        held(postgres, LOCK_TENANT, orders.tenant.tenant_id) as holder,
        ThreadPoolExecutor(2) as threads,
    ):
        order = threads.submit(orders.place, unique_name())
        until_it_waits(postgres, holder)
        # As a deployment does: whoever has been let in gets an answer.
        stop = faults.stop("instances")
        stopping = threads.submit(stop.begin)
        assert refusal(order.result()) == (503, "unavailable")
        stopping.result()
        stop.end()
    assert len(orders.all()) == 1


# mcp, and what is between it and instances


def call(session: RawSession, tool: str, **arguments: Any) -> dict[str, Any]:
    """Return what a tool answers."""
    reply = session.request("tools/call", {"name": tool, "arguments": arguments})
    assert reply.status_code == 200, reply.text
    result: dict[str, Any] = message_of(reply)["result"]
    return result


def test_agent_should_open_another_session_and_find_its_order_when_mcp_was_killed(
    stack: Stack, faults: Faults, orders: Orders, unique_name: Name, mcp_token: str
) -> None:
    name = unique_name()
    order = {"name": name, "size": "small", "idempotency_key": name}
    caller = RawSession(stack["mcp"].http, mcp_token)
    caller.open()
    ordered = call(caller, "order_instance", **order)["structuredContent"]
    with faults.kill("mcp"):
        pass
    caller.http = stack["mcp"].http  # the port is another one now
    assert caller.request("ping").status_code == 404
    caller = RawSession(stack["mcp"].http, mcp_token)
    caller.open()
    assert call(caller, "order_instance", **order)["structuredContent"] == ordered
    assert [each["id"] for each in orders.all()] == [ordered["id"]]


def test_order_of_an_agent_should_happen_once_when_mcp_and_instances_were_parted(
    stack: Stack, faults: Faults, orders: Orders, unique_name: Name, mcp_token: str, waits: Waits
) -> None:
    name = unique_name()
    order = {"name": name, "size": "small", "idempotency_key": name}
    caller = RawSession(stack["mcp"].http, mcp_token)
    caller.open()
    call(caller, "list_instances")  # so that its token is exchanged
    with (
        # Both sides live on, each for its own callers.
        steady(
            lambda: orders.send("GET", "/instances"), within_s=waits.answer_s, allowed_failures=0
        ),
        steady(
            lambda: caller.request("ping"), within_s=waits.answer_of_agent_s, allowed_failures=0
        ),
        faults.isolate("mcp", "instances"),
    ):
        asked = time.monotonic()
        refused = call(caller, "order_instance", **order)
        took_s = time.monotonic() - asked
    assert refused["isError"]
    assert "instances is unavailable" in refused["content"][0]["text"]
    assert took_s < waits.answer_of_agent_s
    recovers_within(lambda: not call(caller, "list_instances")["isError"], waits.back_s)
    ordered = call(caller, "order_instance", **order)["structuredContent"]
    assert [each["id"] for each in orders.all()] == [ordered["id"]]


def test_order_of_an_agent_should_happen_once_when_only_its_answer_is_lost(
    stack: Stack, faults: Faults, orders: Orders, unique_name: Name, mcp_token: str
) -> None:
    caller = RawSession(stack["mcp"].http, mcp_token)
    caller.open()
    call(caller, "list_instances")
    # Without a key: mcp has one of its own for what it repeats.
    order = {"name": unique_name(), "size": "small"}
    with faults.blackhole("mcp->instances", direction="from"):
        refused = call(caller, "order_instance", **order)
    assert refused["isError"]
    assert "instances is unavailable" in refused["content"][0]["text"]
    # It was sent, and repeated, and done.
    assert [each["name"] for each in orders.all()] == [order["name"]]


# What all have in common


def test_worker_should_go_on_when_it_has_been_without_a_network(
    stack: Stack,
    faults: Faults,
    orders: Orders,
    unique_name: Name,
    postgres: Postgres,
    waits: Waits,
) -> None:
    with faults.isolate("worker"):
        instance_id = orders.placed(unique_name())["id"]
        stack.wait_ready("worker")
    assert orders.reach(instance_id, "running", within_s=waits.redone_s)["attempts"] == 1
    assert resources(postgres, instance_id) == 1
    settles(postgres, waits.settled_s, worker_service=2)


def test_everything_should_answer_503_and_heal_when_the_network_between_all_is_gone(
    stack: Stack,
    faults: Faults,
    orders: Orders,
    unique_name: Name,
    mcp_token: str,
    postgres: Postgres,
    waits: Waits,
) -> None:
    caller = RawSession(stack["mcp"].http, mcp_token)
    caller.open()
    client, user = orders.tenant.client, orders.tenant.user
    with faults.kill("toxiproxy"), ThreadPoolExecutor(3) as threads:
        # At once, since each waits as long as it may.
        asked = [
            threads.submit(orders.place, unique_name()),
            threads.submit(caller.request, "ping"),
            threads.submit(client.log_in, user, Pkce()),
        ]
        replies = [each.result() for each in asked]
        alive = [stack[name].http.get("/health") for name in ("auth", "instances", "mcp")]
    assert [reply.status_code for reply in replies] == [503, 503, 503]
    assert all(int(reply.headers["retry-after"]) >= 1 for reply in replies)
    assert max(reply.elapsed.total_seconds() for reply in replies) < waits.answer_of_agent_s
    assert [reply.status_code for reply in alive] == [200, 200, 200]
    recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)
    recovers_within(lambda: caller.request("ping"), waits.back_s)
    orders.running(unique_name())
    assert len(orders.all()) == 1
    settles(postgres, waits.settled_s, instances_service=5, worker_service=2)


def test_everything_should_come_back_when_all_is_killed_at_once(
    stack: Stack,
    faults: Faults,
    orders: Orders,
    unique_name: Name,
    mcp_token: str,
    postgres: Postgres,
    waits: Waits,
) -> None:
    name = unique_name()
    # What others need comes back first.
    order = ("mcp", "instances", "auth", "worker", "httpfaults", "toxiproxy", "redis", "postgres")
    ordered = orders.placed(name, key=name)
    with ExitStack() as killed:
        for service in order:
            killed.enter_context(faults.kill(service))
    recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)
    # The answer of then, to the token of then; the order was running or will be.
    assert orders.placed(name, key=name) == ordered
    orders.reach(ordered["id"], "running")
    assert resources(postgres, ordered["id"]) == 1
    caller = RawSession(stack["mcp"].http, mcp_token)
    caller.open()
    found = call(caller, "list_instances")["structuredContent"]["result"]
    assert [each["id"] for each in found] == [ordered["id"]]
    settles(postgres, waits.settled_s, auth_service=10, instances_service=5, worker_service=2)


# Orders need no worker, and once the block of a restart begins the service is there again.
@pytest.mark.parametrize(
    ("kind", "service", "troubles"),
    [
        ("kill", "postgres", 3),
        ("restart", "postgres", 0),
        ("kill", "toxiproxy", 3),
        ("kill", "worker", 0),
    ],
)
def test_acknowledged_orders_should_be_done_once_when_a_service_goes_away_under_load(
    faults: Faults,
    make_orders: Callable[..., Orders],
    unique_name: Name,
    postgres: Postgres,
    acknowledged: Acknowledged,
    kind: str,
    service: str,
    troubles: int,
    waits: Waits,
) -> None:
    orders = make_orders("enterprise")
    with (
        faults.none(service),  # else orders might come faster than others let go of it
        steady(lambda: orders.send("GET", "/instances"), within_s=waits.answer_s) as watch,
        loaded(keyed(orders), unique_name, acknowledged, waits) as load,
    ):
        load.acknowledges(3)
        with getattr(faults, kind)(service):
            load.meets_trouble(troubles)
        watch.recovers_within(waits.back_s)
        load.acknowledges(3)
    check_orders(load, orders, postgres, at_least=6)
    settles(postgres, waits.settled_s, instances_service=5, worker_service=2)


def test_acknowledged_orders_should_be_done_once_when_packets_are_lost_under_load(
    faults: Faults,
    make_orders: Callable[..., Orders],
    unique_name: Name,
    postgres: Postgres,
    acknowledged: Acknowledged,
    waits: Waits,
) -> None:
    orders = make_orders("enterprise")
    with (
        steady(lambda: orders.send("GET", "/instances"), within_s=waits.answer_s) as watch,
        loaded(keyed(orders), unique_name, acknowledged, waits) as load,
    ):
        with faults.packet_loss("instances", percent=20, port=INSTANCES_TO_POSTGRES):
            load.acknowledges(5)
        watch.recovers_within(waits.back_s)
        load.acknowledges(5)
    check_orders(load, orders, postgres, at_least=10)
    settles(postgres, waits.settled_s, instances_service=5, worker_service=2)


def test_acknowledged_orders_should_be_done_once_when_instances_has_hardly_any_cpu(
    faults: Faults,
    make_orders: Callable[..., Orders],
    unique_name: Name,
    postgres: Postgres,
    acknowledged: Acknowledged,
    waits: Waits,
) -> None:
    orders = make_orders("enterprise")
    with loaded(keyed(orders), unique_name, acknowledged, waits) as load:
        with faults.squeeze("instances", cpus=0.05):
            load.acknowledges(10)  # the first may have had all their CPU before
        recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)
        load.acknowledges(5)
    check_orders(load, orders, postgres, at_least=15)
    settles(postgres, waits.settled_s, instances_service=5, worker_service=2)


# The migrations

SCHEMA = (
    "SELECT name, applied_at::text FROM public.schema_migrations UNION ALL"
    " SELECT client_id, secret_hash FROM auth.clients WHERE registration_token_hash IS NULL"
)


def test_migrations_should_fail_and_change_nothing_when_the_database_is_out_of_reach(
    stack: Stack, faults: Faults, postgres: Postgres
) -> None:
    before = sorted(rows(postgres, SCHEMA))
    began = datetime.now(UTC)
    with faults.refused("migrate->postgres"), pytest.raises(NomockError):
        stack["migrate"].start()
    assert "migration failed" in stack["migrate"].logs(since=began)
    stack["migrate"].start()
    assert sorted(rows(postgres, SCHEMA)) == before


@pytest.mark.serial("stack")
def test_migrations_should_fail_and_change_nothing_when_the_database_goes_away_in_the_middle(
    stack: Stack, faults: Faults, postgres: Postgres
) -> None:
    before = sorted(rows(postgres, SCHEMA))
    began = datetime.now(UTC)
    with held(postgres, LOCK_MIGRATIONS) as holder, ThreadPoolExecutor(1) as starter:
        starting = starter.submit(stack["migrate"].start)
        until_it_waits(postgres, holder)
        with (
            faults.refused("migrate->postgres", expect_traffic=False),
            pytest.raises(NomockError),
        ):
            starting.result()
        assert "migration failed" in stack["migrate"].logs(since=began)
    stack["migrate"].start()
    assert sorted(rows(postgres, SCHEMA)) == before
