"""The statements of the stack's PostgreSQL, and who waited for whose lock, as evidence."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from evidenced import evidence_of, folder_of_run, two_services
from stores import POSTGRES
from tiny import Tiny, idle

from nomock.adapters.postgres import Connection
from nomock.evidence.causes import Known, causes_of
from nomock.evidence.sampler import APPLICATION, Sampler
from nomock.evidence.statements import Activity, Session
from nomock.loading import load
from nomock.plugin.statements import StacksDatabase
from nomock.stack import Stack

CANARY = "Canary-4f9a1c07e2"
SERVICES = {
    "db": POSTGRES,
    # A client of the database that is another container.
    "shop": idle(image=POSTGRES["image"], network_mode=None, environment={"PGPASSWORD": "secret"}),
}
LOCKED = """
    import sys
    from threading import Event, Thread

    import pytest

    UPDATE = "UPDATE orders SET state = 'paid', password = 'CANARY'"
    WAITS = "select pid from pg_stat_activity where wait_event_type = 'Lock'"
    LONG = " and clock_timestamp() - query_start > interval '1.1 s'"

    @pytest.fixture
    def held(stack):
        psql = ["psql", "--host=db", "--username=postgres", "--command", UPDATE]
        with stack.postgres.connect() as holder, stack.postgres.connect(autocommit=True) as looks:
            looks.execute("create table orders (state text, password text)")
            holder.execute("lock table orders")
            waiter = Thread(target=stack["shop"].exec, args=psql)
            waiter.start()
            while not looks.execute(WAITS + LONG).fetchone():
                Event().wait(0.02)
            yield
        waiter.join()

    def test_waits(held):
        assert False

    def test_after_it(stack):
        assert False
""".replace("CANARY", CANARY)


def without(names: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is None."""
    return {name: value for name, value in names.items() if value is not None}


@pytest.mark.slow
def test_a_lock_should_be_in_the_evidence_and_the_likeliest_cause_when_a_service_waits_for_it(
    tiny: Tiny,
) -> None:
    tiny.compose(**{name: without(service) for name, service in SERVICES.items()})
    tiny.tests(LOCKED)
    tiny.run("--evidence-database").assert_outcomes(failed=2)

    found = evidence_of(tiny, "test_waits")
    (wait,) = found["database"]["lock_waits"]
    assert (wait["service"], wait["blocked_by"]) == ("shop", "test")
    assert wait["text"] == "UPDATE orders SET state = '[redacted]', password = '[redacted]'"
    assert wait["blocked_by_text"] == "lock table orders"
    assert wait["blocked_by_state"] == "idle in transaction"
    assert 0 < wait["blocked_by_at_s"] < wait["at_s"] < wait["until_s"] - 1
    assert wait["until_s"] < found["test"]["took_s"]
    # A look may have found the beginning of a transaction, too.
    statements = {(s["service"], s["text"]): s for s in found["database"]["statements"]}
    ran = statements["shop", wait["text"]]
    assert (ran["state"], ran["looks"] > 1) == ("active", True)
    assert 0 < ran["at_s"] < ran["until_s"]
    assert ran["longest_s"] > 1
    assert ("test", "lock table orders") in statements
    assert found["missing"] == []
    # What one test saw is not told of the next one.
    assert evidence_of(tiny, "test_after_it")["database"]["lock_waits"] == []

    told = json.loads(tiny.nomock("diagnose", "--json").stdout.str())
    cause = told["failures"][0]["causes"][0]
    assert cause["kind"] == "locked"
    assert cause["text"] == (
        f"waited {wait['until_s'] - wait['at_s']:.1f} s for a lock: shop's UPDATE orders SET "
        "state = '[redacted]', password = '[redacted]', held by test, idle in transaction after: "
        "lock table orders"
    )
    assert len(cause["proof"]) == 2
    written = [p for p in folder_of_run(tiny).rglob("*") if p.is_file()]
    assert len(written) == 3
    assert not [path for path in written if CANARY in path.read_text(encoding="utf-8")]


@pytest.mark.slow
def test_nothing_of_it_should_be_loaded_or_kept_when_it_is_off(tiny: Tiny) -> None:
    tiny.compose(db=POSTGRES)
    tiny.tests("""
        import sys

        OURS = {"nomock.evidence.sampler", "nomock.evidence.statements", "psycopg"}

        def test_first(stack):
            stack["db"].logs()

        def test_fails(stack):
            assert not OURS & set(sys.modules)
            raise ValueError("on purpose")
    """)
    # A start asks PostgreSQL whether it lets anybody in; a run on a stack that is up does not.
    assert tiny.nomock("up").ret == 0
    # A process that nothing was loaded into before.
    pytest_alone = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    done = subprocess.run(pytest_alone, cwd=tiny.path, capture_output=True, text=True, timeout=120)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    found = evidence_of(tiny, "test_fails")
    assert found["failures"][0]["message"] == "ValueError: on purpose"
    assert (found["database"], found["missing"]) == (None, [])


def test_the_evidence_should_say_so_when_the_stack_has_no_postgresql(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOMOCK_EVIDENCE_DATABASE", "yes")
    two_services(tiny).tests("def test_fails(stack): assert False\n")
    result = tiny.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*evidence_database*$NOMOCK_EVIDENCE_DATABASE*"])
    found = evidence_of(tiny, "test_fails")
    assert found["database"]["statements"] == []
    (missing,) = found["missing"]
    assert missing.startswith("database statements, from 0.")
    assert "no service looks like a PostgreSQL database" in missing


@pytest.mark.slow
def test_the_evidence_should_say_when_the_database_was_not_there_and_go_on_after_it(
    tiny: Tiny,
) -> None:
    tiny.compose(db=POSTGRES)
    tiny.tests("""
        import pytest

        def test_gone(stack):
            stack["db"].kill()
            assert False

        @pytest.fixture
        def back(stack):
            stack["db"].start()
            with stack.postgres.connect() as connection:
                connection.execute("select 'it is back'")
                yield

        def test_back(back):
            assert False
    """)
    tiny.run("--evidence-database").assert_outcomes(failed=2)
    (missing,) = evidence_of(tiny, "test_gone")["missing"]
    assert missing.startswith("database statements, from ")
    found = evidence_of(tiny, "test_back")
    shown = [(s["service"], s["state"], s["text"]) for s in found["database"]["statements"]]
    assert ("test", "idle in transaction", "select 'it is back'") in shown
    assert found["missing"][0].startswith("database statements, from 0.0 s to ")


@pytest.mark.slow
def test_only_its_own_database_should_be_looked_at_when_a_lane_has_one(tiny: Tiny) -> None:
    url = "postgresql://postgres:secret@db/app"
    server = POSTGRES | {"environment": POSTGRES["environment"] | {"POSTGRES_DB": "app"}}
    web = without(idle(network_mode=None, environment={"DATABASE_URL": url}))
    tiny.compose(db=server, web=web)
    tiny.tests("""
        from pathlib import Path
        from threading import Event

        import pytest

        @pytest.fixture
        def both(request, postgres):
            with postgres.connect() as connection:
                connection.execute(f"select '{request.node.name}'")
                Path(f"{request.node.name}.open").touch()
                while len(list(Path().glob("*.open"))) < 2:
                    Event().wait(0.02)
                yield

        @pytest.mark.xdist_group("one")
        def test_one(both):
            assert False

        @pytest.mark.xdist_group("two")
        def test_two(both):
            assert False
    """)
    run = ("-n2", "--dist=loadgroup", "--lanes=database", "--evidence-database")
    tiny.run(*run).assert_outcomes(failed=2)
    for test in ("test_one", "test_two"):
        found = evidence_of(tiny, test)["database"]["statements"]
        shown = {s["text"] for s in found if s["text"].startswith("select 'test_")}
        (text,) = shown
        assert text.startswith(f"select '{test}")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of one PostgreSQL, a role that may see nothing, and a service that has that role."""
    folder, name = tmp_path_factory.mktemp("sampled"), f"nomock-t-{uuid4().hex[:8]}"
    (folder / ".env").write_text(f"COMPOSE_PROJECT_NAME={name}\n", encoding="utf-8")
    url = {"DATABASE_URL": "postgresql://weak:weak@pooler/postgres"}
    others = {"shop": idle(environment=url), "pooler": without(idle(network_mode=None))}
    services = json.dumps({"services": {"db": POSTGRES, **others}})
    (folder / "docker-compose.yml").write_text(services, encoding="utf-8")
    with ExitStack() as undo:
        found = Stack.of(load(folder, {}))
        undo.callback(found.close)
        undo.callback(found.down, volumes=True)
        found.prepare()
        with found.postgres.connect(autocommit=True) as connection:
            connection.execute("create role weak login password 'weak'")
            connection.execute("create database other encoding 'SQL_ASCII' template template0")
        yield found


class Looked:
    """A database of that stack, as some role sees it."""

    def __init__(self, stack: Stack, user: str = "postgres", password: str = "secret") -> None:
        self.name = "postgres"
        self.connected = 0
        how = {"application_name": APPLICATION, "autocommit": True}
        self._connect = lambda: stack.postgres.connect(user, password, **how)

    def connect(self) -> Connection[Any]:
        self.connected += 1
        return self._connect()

    def who(self, application: str, address: str | None, user: str) -> str:
        return user


def shown(sampler: Sampler) -> set[tuple[str, str]]:
    activity, _ = sampler.seen(0.0)
    assert activity is not None
    return {(each.service, each.text) for each in activity.statements}


def test_only_its_own_database_should_be_seen_when_the_role_may_see_all(stack: Stack) -> None:
    with closing(Sampler(Looked(stack))) as sampler, ExitStack() as undo:
        for dbname, text in (("postgres", "select 'own'"), ("other", "select 'anothers'")):
            connection = undo.enter_context(stack.postgres.connect(dbname=dbname))
            connection.execute(text)
        assert sampler.seen(0.0) == (None, [])
        sampler.begin()
        assert shown(sampler) == {("postgres", "select 'own'")}
        sampler.end()
        assert sampler.seen(0.0) == (None, [])


def test_a_text_should_be_shown_when_it_is_in_no_encoding(stack: Stack) -> None:
    looked = Looked(stack)
    looked.name = "other"
    with closing(Sampler(looked)) as sampler, stack.postgres.connect(dbname="other") as connection:
        connection.execute(b"select '\xe4'")
        sampler.begin()
        assert shown(sampler) == {("postgres", "select '\ufffd'")}


def test_it_should_be_said_when_the_role_may_not_see_others(stack: Stack) -> None:
    looked = Looked(stack, "weak", "weak")
    with closing(Sampler(looked)) as sampler, stack.postgres.connect() as connection:
        connection.execute("select 1")
        sampler.begin()
        activity, missing = sampler.seen(monotonic())
    assert activity is not None
    assert activity.statements == []
    assert missing == [
        "database statements, those of others are not shown to weak: "
        "GRANT pg_read_all_stats TO weak"
    ]


def test_a_connection_should_be_opened_anew_when_it_was_ended(stack: Stack) -> None:
    looked = Looked(stack)
    # It returns when that one is gone.
    ends = "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
    ends += " where application_name = %s"
    with closing(Sampler(looked)) as sampler, stack.postgres.connect() as connection:
        sampler.begin()
        assert shown(sampler) == set()
        assert connection.execute(ends, [APPLICATION]).fetchall() == [(True,)]
        assert ("postgres", ends.replace("%s", "$1")) in shown(sampler)
        assert looked.connected == 2
        assert sampler.seen(0.0)[1] == []


def test_a_test_should_not_wait_when_its_database_hangs(stack: Stack) -> None:
    with closing(Sampler(Looked(stack))) as sampler:
        sampler.begin()
        assert shown(sampler) == set()
        server = stack["db"].container_id
        stack.engine.pause(server)
        try:
            _, missing = sampler.seen(0.0)
        finally:
            stack.engine.unpause(server)
        assert [text.endswith("on: it does not answer") for text in missing] == [True]


def test_a_session_should_be_of_a_service_when_its_name_address_or_role_says_so(
    stack: Stack,
) -> None:
    addresses = {
        container.service: network.addresses[0]
        for container in stack.containers()
        for network in container.ports.networks
        if network.addresses
    }
    who = StacksDatabase(stack).who
    assert who("shop", addresses["pooler"], "postgres") == "shop"
    assert who("", addresses["pooler"], "postgres") == "pooler"
    assert who("psql", addresses["pooler"], "weak") == "shop"
    assert who("psql", None, "weak") == "db"
    assert who("psql", "127.0.0.1", "weak") == "db"
    assert who("", "192.0.2.1", "weak") == "test"
    assert who("nomock-0123456789ab", "192.0.2.1", "postgres") == "a fault"


def test_nothing_should_be_used_when_nomock_itself_looks_at_the_database(stack: Stack) -> None:
    used: list[tuple[str, int]] = []
    stack.call_before_use(lambda *use: used.append(use))
    try:
        with StacksDatabase(stack).connect() as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        assert used == []
        stack.postgres.connect().close()
        assert used == [("db", 5432)]
    finally:
        stack.call_before_use(lambda *use: None)
    assert stack.postgres.on_database("other").aside().dbname == "other"


def session(text: str, **more: Any) -> Session:
    values: dict[str, Any] = {"pid": 1, "service": "web", "state": "active", "query": 1.0}
    values |= {"age_s": 0.0, "transaction_age_s": 0.0, "waits_for": None}
    return Session(text=text, **{**values, **more})


def test_statements_should_be_folded_and_the_shortest_left_out_when_there_are_too_many() -> None:
    activity = Activity(100.0)
    activity.add([session("slow", age_s=0.5)], 100.1)
    activity.add([session("slow", age_s=0.6)], 100.2)
    (slow,) = activity.statements
    assert (slow.looks, slow.longest_s, slow.until_s) == (2, 0.6, 100.2)
    assert slow.at_s == pytest.approx(99.6)
    activity.add([session(f"quick {n}", age_s=n / 1e4) for n in range(999, -1, -1)], 100.3)
    kept = {each.text for each in activity.statements}
    assert (len(kept), activity.statements_cut) == (200, 801)
    assert {"slow", "quick 999"} <= kept
    assert "quick 0" not in kept


def test_the_root_of_waits_should_be_named_when_they_wait_for_one_another() -> None:
    activity = Activity(100.0)
    holds = session("holds", pid=1, service="worker", state="idle in transaction")
    first = session("first", pid=2, query=2.0, age_s=0.3, waits_for=[1])
    second = session("second", pid=3, query=3.0, age_s=0.2, waits_for=[2, 1])
    activity.add([first], 100.05)
    activity.add([holds, first, second], 100.1)
    found = {wait.text: wait for wait in activity.waits}
    assert (found["first"].blocked_by, found["second"].blocked_by) == ("worker", "worker")
    assert found["second"].at_s == 100.05  # it did not wait at the look before
    activity.add([holds, second], 100.2)
    assert [wait.until_s for wait in activity.waits] == [100.1, 100.2]


def test_a_gap_should_be_said_with_its_time_when_looks_failed_or_were_not_answered() -> None:
    activity = Activity(100.0)
    activity.add([], 100.1)
    activity.fail("refused", 100.3)
    activity.fail("refused", 100.4)
    activity.add([], 100.5)
    activity.add([], 102.0)
    assert activity.missing(100.0) == [
        "database statements, from 0.1 s to 0.5 s: refused",
        "database statements, from 0.5 s to 2.0 s: it did not answer",
    ]
    for n in range(10):
        activity.fail("refused", 103.0 + n)
        activity.add([], 103.1 + n)
    assert activity.missing(100.0)[-2:] == [
        "database statements, from 11.1 s to 12.1 s: refused",
        "database statements, 7 more times",
    ]


def wait(at_s: float, until_s: float, **more: Any) -> dict[str, Any]:
    nobody = {"blocked_by": "", "blocked_by_state": "", "blocked_by_text": ""}
    times = {"at_s": at_s, "until_s": until_s, "blocked_by_at_s": None}
    return {"service": "web", "text": "UPDATE\n  t", **nobody, **times, **more}


@pytest.mark.parametrize(
    ("took_s", "found", "text"),
    [
        (10.0, wait(1.0, 2.2), "waited 1.2 s for a lock: web's UPDATE t"),
        (0.5, wait(-9.0, 0.3), "waited 0.3 s for a lock: web's UPDATE t"),
        (10.0, wait(1.0, 1.9), ""),
        (0.1, wait(0.0, 0.09), ""),
        (
            2.0,
            wait(0.5, 2.0, blocked_by="worker", blocked_by_state="active", blocked_by_text="x"),
            "waited 1.5 s for a lock: web's UPDATE t, held by worker: x",
        ),
        (
            2.0,
            wait(0.5, 2.0, blocked_by="a prepared transaction"),
            "waited 1.5 s for a lock: web's UPDATE t, held by a prepared transaction",
        ),
    ],
)
def test_a_wait_should_be_a_cause_when_it_took_long_or_most_of_the_test(
    took_s: float, found: dict[str, Any], text: str
) -> None:
    nothing = dict.fromkeys(("exchanges", "logs", "faults", "fault_story", "events"), ())
    record = {
        "test": {"took_s": took_s},
        "failures": [{"phase": "call", "message": "assert 0", "text": ""}],
        "database": {"lock_waits": [wait(0, 0.01), found]},
        **nothing,
    }
    causes = causes_of(record, Known())
    assert [cause.text for cause in causes if cause.kind == "locked"] == [text] * bool(text)


def test_the_cause_should_be_the_shorter_wait_when_its_service_logged_a_warning() -> None:
    line = {"service": "web", "whose": "own", "level": "warning", "message": "late"}
    line |= {"at_s": 3.9, "fields": {}}
    record = {
        "test": {"took_s": 5.0},
        "failures": [{"phase": "call", "message": "assert 0", "text": ""}],
        "database": {"lock_waits": [wait(0, 4.0, service="worker"), wait(0.1, 3.9)]},
        "logs": [line],
        **dict.fromkeys(("exchanges", "faults", "fault_story", "events"), ()),
    }
    (cause,) = (cause for cause in causes_of(record, Known()) if cause.kind == "locked")
    assert cause.text == "waited 3.8 s for a lock: web's UPDATE t"
