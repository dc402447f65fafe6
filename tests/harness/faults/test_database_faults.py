"""What is done to the database: its backends end, a table is locked, its slots are taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from threading import Event
from time import monotonic
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from driving import heal_elsewhere, on, run_elsewhere
from stores import POSTGRES
from tiny import Tiny, idle

from nomock.errors import ConfigError, EngineError, FaultError
from nomock.faults.database import lock_table, sessions
from nomock.faults.database.end_backends import EndBackends
from nomock.faults.database.fill_slots import FillSlots
from nomock.faults.database.lock_table import LockTable
from nomock.faults.fault import Fault
from nomock.faults.service.pause import Pause
from nomock.faults.stack_control import StackControl
from nomock.loading import load
from nomock.stack import Stack

# Many times as long as the pause between two looks for those who wait.
LONG_MS = 1000
URL = "postgresql+psycopg://shop:p%40ss@toxiproxy:15432/postgres?connect_timeout=2"
SERVICES = {
    "db": POSTGRES,
    "shop": idle(environment={"DATABASE_URL": URL, "HOME": "/tmp"}),
    "till": idle(environment={"PGUSER": "till", "PGPASSWORD": "pass"}),
    "gone": idle(environment={"DATABASE_URL": "postgres://nobody@db"}),
    "plain": idle(environment={"REDIS_URL": "redis://user@redis"}),
}
SCHEMA = """
    create role shop login password 'p@ss';
    create role till login password 'pass';
    create role owner;
    create schema shop;
    create table shop.orders (id int);
    create table shop."Odd % 'table" (id int);
    create table visible (id int);
    grant all on visible to public;
    grant usage on schema shop to public;
    grant all on all tables in schema shop to public;
"""


OTHERS = """
    select from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid()
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of one PostgreSQL and of services that say how they would connect to it."""
    folder = tmp_path_factory.mktemp("database")
    name = f"nomock-t-{uuid4().hex[:8]}"
    (folder / ".env").write_text(f"COMPOSE_PROJECT_NAME={name}\n", encoding="utf-8")
    (folder / "docker-compose.yml").write_text(json.dumps({"services": SERVICES}), encoding="utf-8")
    with ExitStack() as undo:
        found = Stack.of(load(folder, {}))
        undo.callback(found.close)
        undo.callback(found.down, volumes=True)
        found.prepare()
        with found.postgres.connect() as connection:
            connection.execute(SCHEMA)
        yield found


@pytest.fixture
def control(stack: Stack) -> Iterator[StackControl]:
    """The ground of that stack; afterwards no session of a fault may be left."""
    with stack.postgres.connect(autocommit=True) as observer:  # what has been closed may still end
        eventually(lambda: observer.execute(OTHERS).rowcount == 0)
    control = StackControl(stack)
    yield control
    assert control.live == {}
    assert sessions_of_faults(stack) == 0


def sessions_of_faults(stack: Stack) -> int:
    with stack.postgres.connect() as connection:
        return connection.execute(
            "select from pg_stat_activity where application_name ~ '^nomock-[0-9a-f]{12}$'"
        ).rowcount


def connect(stack: Stack, user: str = "shop", **options: Any) -> Any:
    """Connect as the service would; not committed at the end, but closed."""
    password = {"shop": "p@ss", "till": "pass", "postgres": "secret"}[user]
    return closing(stack.postgres.connect(user, password, autocommit=True, **options))


def read(stack: Stack, table: str = "shop.orders", *, within_ms: int = 0) -> str:
    """Read a table as the service would; within_ms 0 waits for as long as it takes."""
    with connect(stack, options=f"-c lock_timeout={within_ms}") as connection:
        try:
            connection.execute(f"select from {table}")
        except psycopg.errors.LockNotAvailable:
            return "gave up"
    return "read"


def refused(stack: Stack, user: str = "shop") -> str:
    """Return in which words a new connection is refused, "" when it is let in."""
    try:
        with connect(stack, user):
            return ""
    except EngineError as error:
        return error.seen.rpartition("FATAL:  ")[2]


def eventually(what: Any, within_s: float = 10.0) -> None:
    deadline, pause = monotonic() + within_s, Event()
    while not what():
        assert monotonic() < deadline
        pause.wait(0.01)


# The backends


@pytest.mark.parametrize(
    "fault", [EndBackends(service="shop"), EndBackends(role="shop")], ids=["service", "role"]
)
def test_connections_of_one_role_should_end_once_when_its_backends_are_ended(
    stack: Stack, control: StackControl, fault: EndBackends
) -> None:
    with ExitStack() as opened:
        first, second = (opened.enter_context(connect(stack)) for _ in range(2))
        other = opened.enter_context(connect(stack, "till"))
        with on(control, fault) as seen:
            for ended in (first, second):
                with pytest.raises(psycopg.errors.AdminShutdown):
                    ended.execute("select 1")
            assert other.execute("select 1").fetchone() == (1,)
            again = opened.enter_context(connect(stack))
        assert again.execute("select 1").fetchone() == (1,)
    assert seen == ["connections ended: 2"]


def test_backends_should_have_met_nothing_when_there_are_none(
    stack: Stack, control: StackControl
) -> None:
    with on(control, EndBackends(service="till")) as seen:
        pass
    assert seen == [""]


def test_another_fault_should_stay_on_when_the_backends_of_its_role_are_ended(
    stack: Stack, control: StackControl
) -> None:
    with connect(stack, "postgres"), on(control, LockTable("shop.orders")) as locked:
        with on(control, EndBackends(role="postgres")) as ended:
            pass
        assert read(stack, within_ms=LONG_MS) == "gave up"
    assert ended == ["connections ended: 1"]
    assert locked == ["sessions that waited: 1, of shop"]


def test_who_was_disconnected_should_be_refused_when_the_slots_are_taken(
    stack: Stack, control: StackControl
) -> None:
    shop = EndBackends(service="shop")
    with connect(stack), on(control, FillSlots()) as slots, on(control, shop) as ended:
        assert refused(stack)
    assert ended == ["connections ended: 1"]
    assert "connections refused: 1, with" in slots[0]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            EndBackends(),
            "fault end_backends: whose connections are to be ended?\n"
            "  role=None, service=None\n"
            "-> name one of the two: a role of the database, or a service of the stack",
        ),
        (
            EndBackends("shop", "shop"),
            "fault end_backends: whose connections are to be ended?\n"
            "  role='shop', service='shop'\n"
            "-> name one of the two: a role of the database, or a service of the stack",
        ),
        (
            EndBackends("shopp"),
            "fault end_backends shopp: there is no role 'shopp' that may log in\n"
            "  the roles are: postgres, shop, till\n"
            "-> did you mean 'shop'?",
        ),
        (
            EndBackends(service="gone"),
            "fault end_backends gone: there is no role 'nobody' that may log in\n"
            "  the roles are: postgres, shop, till\n"
            "-> name one of them",
        ),
        (
            EndBackends(service="plain"),
            "service plain: its environment does not say as which role it connects to the "
            "database\n"
            "  variables: REDIS_URL\n"
            "-> name the role itself: role=…; it is read from a postgresql:// URL, or PGUSER",
        ),
        (
            EndBackends(service="shopp"),
            "stack NAME: there is no service 'shopp'\n"
            "  the services are: db, gone, plain, shop, till\n"
            "-> did you mean 'shop'?",
        ),
        (
            LockTable("shop.order"),
            "fault lock_table shop.order: there is no table 'shop.order'\n"
            '  the tables are: public.visible, shop."Odd % \'table", shop.orders\n'
            "-> did you mean 'shop.orders'?",
        ),
        (
            LockTable("orders"),
            "fault lock_table orders: there is no table 'orders'\n"
            '  the tables are: public.visible, shop."Odd % \'table", shop.orders\n'
            "-> did you mean 'shop.orders'?",
        ),
        (
            LockTable("pg_catalog.pg_class"),
            "fault lock_table pg_catalog.pg_class: there is no table 'pg_catalog.pg_class'\n"
            '  the tables are: public.visible, shop."Odd % \'table", shop.orders\n'
            "-> name one of them, as SQL would",
        ),
        (
            LockTable("visible", "exclusive"),  # type: ignore[arg-type]
            "fault lock_table visible: there is no lock mode 'exclusive'\n"
            "  the modes are: ACCESS SHARE, ROW SHARE, ROW EXCLUSIVE, SHARE UPDATE EXCLUSIVE, "
            "SHARE, SHARE ROW EXCLUSIVE, EXCLUSIVE, ACCESS EXCLUSIVE\n"
            "-> name one of them",
        ),
        (
            FillSlots(-1),
            "fault fill_slots database: leave cannot be -1\n  it is a whole number from 0 to 16",
        ),
        (
            FillSlots(17),
            "fault fill_slots database: leave cannot be 17\n  it is a whole number from 0 to 16",
        ),
        (
            FillSlots(leave=1.5),  # type: ignore[arg-type]
            "fault fill_slots database: leave cannot be 1.5\n  it is a whole number from 0 to 16",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_a_fault_should_be_refused_when_its_arguments_fit_nothing(
    stack: Stack, control: StackControl, fault: Fault, message: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        fault.validate_kind(control)
    assert str(refusal.value).replace(stack.name, "NAME") == message


@pytest.mark.parametrize("fault", [EndBackends("a"), LockTable("a"), FillSlots()])
def test_a_fault_should_be_refused_when_the_stack_has_no_database(tiny: Tiny, fault: Fault) -> None:
    tiny.compose(plain=idle())
    with pytest.raises(ConfigError, match="no service looks like a PostgreSQL database"):
        fault.validate_kind(StackControl(tiny.stack()))


def test_a_fault_should_be_refused_when_the_role_of_the_tests_has_not_the_right_to_it(
    stack: Stack, control: StackControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``till`` is no superuser; of its own connections and tables it may do what it likes."""
    with stack.postgres.connect(autocommit=True) as connection:
        connection.execute("create table not_for_till (id int)")
    monkeypatch.setenv("PGOPTIONS", "-c role=till")  # of each session from now on
    with pytest.raises(FaultError, match="may not end the connections of others") as caught:
        EndBackends("shop").validate_kind(control)
    assert caught.value.seen == "till is no superuser, and no member of pg_signal_backend"
    EndBackends("till").validate_kind(control)
    with pytest.raises(FaultError, match="may not lock it"):
        LockTable("not_for_till").validate_kind(control)
    LockTable("visible").validate_kind(control)
    as_superuser = {"autocommit": True, "options": "-c role=postgres"}
    with stack.postgres.connect(**as_superuser) as connection:
        connection.execute("grant pg_signal_backend to till")
        EndBackends("shop").validate_kind(control)
        with pytest.raises(FaultError, match="may not end the connections of others"):
            EndBackends("postgres").validate_kind(control)
        connection.execute("drop table not_for_till; revoke pg_signal_backend from till")


def test_the_database_should_be_taken_when_a_fault_is_on_it(control: StackControl) -> None:
    for fault in (EndBackends("shop"), LockTable("visible"), FillSlots()):
        assert fault.exclusive_parts(control) == {"db"}


# A locked table


@pytest.mark.parametrize("table", ["shop.orders", 'shop."Odd % \'table"'])
def test_a_reader_should_count_when_it_gave_up_before_the_lock_ended(
    stack: Stack, control: StackControl, table: str
) -> None:
    with on(control, LockTable(table)) as seen:
        assert read(stack, table, within_ms=LONG_MS) == "gave up"
        assert read(stack, "visible", within_ms=LONG_MS) == "read"
    assert seen == ["sessions that waited: 1, of shop"]
    assert read(stack, table, within_ms=LONG_MS) == "read"


def test_a_reader_should_go_on_when_the_lock_ends(stack: Stack, control: StackControl) -> None:
    with ThreadPoolExecutor(2) as readers:
        with on(control, LockTable("shop.orders")) as seen:
            sent = [readers.submit(read, stack) for _ in range(2)]
            with connect(stack, "postgres") as observer:
                waiting = "select from pg_locks where not granted"
                eventually(lambda: observer.execute(waiting).rowcount == 2)
            assert not any(reader.done() for reader in sent)
        assert [reader.result() for reader in sent] == ["read", "read"]
    assert seen == ["sessions that waited: 2, of shop"]


def test_only_writers_should_wait_when_the_mode_is_a_weak_one(
    stack: Stack, control: StackControl
) -> None:
    with on(control, LockTable("visible", "SHARE")) as seen, connect(stack, "postgres") as writer:
        assert writer.execute("select from visible").rowcount == 0
        writer.execute(f"set lock_timeout = {LONG_MS}")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            writer.execute("insert into visible values (1)")
    assert seen == ["sessions that waited: 1, of postgres"]


def test_a_lock_should_have_met_nothing_when_nobody_waited(
    stack: Stack, control: StackControl
) -> None:
    with on(control, LockTable("visible")) as seen:
        assert read(stack, within_ms=LONG_MS) == "read"
    assert seen == [""]


@pytest.mark.slow
def test_a_lock_should_end_by_itself_when_it_expires(stack: Stack, control: StackControl) -> None:
    with on(control, LockTable("shop.orders", expires_s=10)) as seen:
        # There is no other end to this wait.
        assert read(stack) == "read"
    assert seen == ["sessions that waited: 1, of shop"]


def test_a_lock_should_say_who_has_the_table_when_it_is_not_to_be_had(
    stack: Stack, control: StackControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_table, "_LOCKED_WITHIN_S", 0.1)
    with connect(stack) as reader, reader.transaction():
        reader.execute("select from shop.orders")
        with pytest.raises(FaultError) as busy, on(control, LockTable("shop.orders")):
            pass
    assert str(busy.value) == (
        "fault lock_table shop.orders: the lock was not to be had within 0.1 s\n"
        "  held by shop (idle in transaction): select from shop.orders\n"
        "-> end the transaction that holds it"
    )


# Taken slots


def test_new_connections_should_be_refused_when_the_slots_are_taken(
    stack: Stack, control: StackControl
) -> None:
    with connect(stack) as open_already:
        with on(control, FillSlots()) as seen:
            assert refused(stack) == refused(stack, "till")
            assert "remaining connection slots are reserved" in refused(stack)
            assert open_already.execute("select 1").fetchone() == (1,)
            assert refused(stack, "postgres") == ""  # the test itself may look
        assert refused(stack) == ""
    words = "'remaining connection slots are reserved for roles with the SUPERUSER attribute'"
    assert seen == [f"connections refused: 3, with {words}"]


def test_a_slot_should_be_taken_again_when_it_becomes_free(
    stack: Stack, control: StackControl
) -> None:
    with connect(stack) as open_already, on(control, FillSlots()):
        open_already.close()
        eventually(lambda: refused(stack))


def test_some_connections_should_be_let_in_when_slots_are_left(
    stack: Stack, control: StackControl
) -> None:
    with on(control, FillSlots(leave=2)) as seen, connect(stack), connect(stack):
        assert refused(stack)
    assert "connections refused: 1, with" in seen[0]


def test_taken_slots_should_have_met_nothing_when_nobody_connected(control: StackControl) -> None:
    with on(control, FillSlots()) as seen:
        pass
    assert seen == [""]


def test_superusers_should_be_refused_when_there_is_nobody_else(
    stack: Stack, control: StackControl
) -> None:
    with stack.postgres.connect(autocommit=True) as connection, ExitStack() as undo:
        for role in ("shop", "till"):
            connection.execute(f"alter role {role} superuser")
            undo.callback(connection.execute, f"alter role {role} nosuperuser")
        with on(control, FillSlots()) as seen:
            assert refused(stack) == "sorry, too many clients already"
        assert seen == ["connections refused: 1, with 'sorry, too many clients already'"]


def test_slots_should_become_free_by_themselves_when_the_fault_expires(
    stack: Stack, control: StackControl
) -> None:
    with on(control, FillSlots(expires_s=2)):
        eventually(lambda: not refused(stack))


# Whoever heals


@pytest.mark.parametrize("fault", [LockTable("shop.orders"), FillSlots()], ids=["lock", "slots"])
def test_nothing_should_be_left_when_another_process_heals(
    stack: Stack, control: StackControl, fault: Fault
) -> None:
    state = fault.prepare(control)
    written = dict(state)
    fault.begin(control, state)
    assert sessions_of_faults(stack) > 1
    heal_elsewhere(stack.settings.root, fault, written)
    fault.heal(control, written)
    fault.heal(control, written)
    assert (read(stack, within_ms=LONG_MS), refused(stack)) == ("read", "")


@pytest.mark.parametrize("fault", [LockTable("shop.orders"), FillSlots()], ids=["lock", "slots"])
def test_nothing_should_be_left_when_the_process_is_killed(
    stack: Stack, control: StackControl, fault: Fault
) -> None:
    state = fault.prepare(control)
    with run_elsewhere(stack.settings.root, fault, state, "begin") as breaker:
        assert breaker.stdout.readline() == "done\n"  # type: ignore[union-attr]
        assert sessions_of_faults(stack) > 1
        breaker.kill()
    eventually(lambda: sessions_of_faults(stack) == 0)
    assert (read(stack, within_ms=LONG_MS), refused(stack)) == ("read", "")
    fault.heal(control, state)


@pytest.mark.parametrize("fault", [LockTable("pg_class"), FillSlots()], ids=["lock", "slots"])
def test_a_fault_should_be_healed_when_it_never_began(control: StackControl, fault: Fault) -> None:
    fault.heal(control, fault.prepare(control))


@pytest.mark.slow
def test_a_fault_should_be_healed_when_the_database_has_died_under_it(tiny: Tiny) -> None:
    tiny.compose(db=POSTGRES)
    stack = tiny.stack()
    stack.prepare()
    control = StackControl(stack)
    with stack.postgres.connect() as connection:
        connection.execute("create table orders (id int)")
    with on(control, LockTable("orders")), on(control, FillSlots()):
        stack["db"].kill()
    assert control.live == {}
    stack.close()


@pytest.mark.slow
def test_a_fault_should_end_in_time_when_the_database_hangs(
    stack: Stack, control: StackControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_ANSWERS_WITHIN_S", 0.5)
    for fault, met in ((LockTable("shop.orders"), None), (FillSlots(), "")):
        state = fault.prepare(control)
        begun = fault.begin(control, state)
        held = sessions.Sessions.of(control, state)
        with ThreadPoolExecutor(1) as others:
            pause = Pause("db")
            paused = pause.prepare(control)
            pause.begin(control, paused)
            try:
                # In another thread, so that this one could let the database go on.
                seen = others.submit(fault.observe_effect, control, state, begun)
                if met is None:
                    with pytest.raises(FaultError, match="the database has not answered"):
                        seen.result(timeout=60)
                else:
                    assert seen.result(timeout=60) == met
                others.submit(fault.heal, control, state).result(timeout=60)
                assert held is not None
                assert held._thread is not None
                assert not held._thread.is_alive()
            finally:
                pause.heal(control, paused)
        eventually(lambda: sessions_of_faults(stack) == 0)
        assert (read(stack, within_ms=LONG_MS), refused(stack)) == ("read", "")
