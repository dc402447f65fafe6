"""Rows that tests left are found and removed, whatever the schema is; what refuses is named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread
from typing import Any

import pytest

from nomock.cleanup.kind import Found, Removed
from nomock.cleanup.rows import Rows
from nomock.cleanup.rules import DEFAULT, TableRule, read_rules
from nomock.errors import CleanupError
from nomock.names import make, new_run
from nomock.stack import Postgres

SCHEMA = """
    create schema shop;
    create table shop.customers (id int primary key, name text, note text);
    create table shop.orders (
        id int primary key, customer int references shop.customers, display_name varchar(80));
    create table shop."Odd % 'table" (id int, name text);
    create table shop.lines (
        id int primary key, order_id int references shop.orders on delete cascade);
    create view shop.names as select name from shop.customers;
    insert into shop.customers values
        (1, 'TEST ann 1', ''), (2, 'Bob', 'TEST is not a name'), (3, 'TESTER', '');
    insert into shop.orders values (1, 1, 'TEST order'), (2, 2, 'real');
    insert into shop."Odd % 'table" values (1, 'TEST it''s odd'), (2, 'kept');
    insert into shop.lines values (1, 1), (2, 2);
"""


def do(database: Postgres, sql: str) -> None:
    with database.connect() as connection:
        connection.execute(sql.encode())


def ids(database: Postgres, table: str) -> list[int]:
    with database.connect() as connection:
        found = connection.execute(f"select id from {table} order by 1".encode())
        return [row[0] for row in found]


def rows_of(database: Postgres, *rules: TableRule) -> Rows:
    return Rows(database, rules or [DEFAULT])


def places(found: list[Found]) -> dict[str, int]:
    return {one.where: one.count for one in found}


def test_only_the_rows_of_tests_should_be_removed_when_others_are_beside_them(
    database: Postgres,
) -> None:
    do(database, SCHEMA)
    rows = rows_of(database)
    assert rows.look() == [
        Found("rows", "shop.Odd % 'table", "", 1, "TEST it's odd"),
        Found("rows", "shop.customers", "", 1, "TEST ann 1"),
        Found("rows", "shop.orders", "", 1, "TEST order"),
    ]
    removed = rows.remove([""])
    assert (removed.count, removed.troubles) == (3, [])
    assert rows.look() == []
    assert ids(database, "shop.customers") == [2, 3]
    assert ids(database, "shop.orders") == [2]
    assert ids(database, "shop.lines") == [2]


TYPES = """
    create extension if not exists citext;
    create domain word as varchar(40) check (value <> '');
    create table padded (id int, name char(30));
    create table domains (id int, name word);
    create table caseless (id int, name citext);
    create table unnamed (id int, "Full_name" text, other_name text);
    create table parted (id int, name text) partition by range (id);
    create table parted_1 partition of parted for values from (0) to (10);
    create table parted_2 partition of parted for values from (10) to (20);
    create table mother (id int, name text);
    create table daughter (more int) inherits (mother);
    insert into padded values (1, 'TEST a'), (2, 'real');
    insert into domains values (1, 'TEST a'), (2, 'real');
    insert into caseless values (1, 'TEST a'), (2, 'test of mine');
    insert into unnamed values (1, 'x', 'TEST a'), (2, null, null);
    insert into parted values (1, 'TEST a'), (2, 'real'), (11, 'TEST b');
    insert into mother values (1, 'TEST a'), (2, 'real');
    insert into daughter values (3, 'TEST b', 1), (4, 'real', 1);
"""


def test_rows_should_be_found_when_any_type_of_text_or_table_holds_the_name(
    database: Postgres,
) -> None:
    do(database, TYPES)
    rows = rows_of(database)
    every = {f"public.{name}": 1 for name in ("caseless", "daughter", "domains", "mother")}
    every |= {"parted": 2, "public.padded": 1, "public.unnamed": 1}
    assert places(rows.look()) == every
    assert rows.remove([""]).troubles == []
    assert rows.look() == []
    for table in ("padded", "domains", "caseless", "parted", "unnamed"):
        assert ids(database, table) == [2]
    assert ids(database, "mother") == [2, 4]


@pytest.mark.parametrize(
    ("sql", "where", "seen"),
    [
        (
            "create function keep() returns trigger language plpgsql"
            " as $$ begin raise exception 'the ledger is for ever'; end $$;"
            "create trigger keep before delete on shop.customers"
            " for each row execute function keep()",
            "shop.customers",
            "the ledger is for ever",
        ),
        (
            "create function keep() returns trigger language plpgsql"
            " as $$ begin raise exception 'not yet'; end $$;"
            "create constraint trigger keep after delete on shop.customers"
            " deferrable initially deferred for each row execute function keep()",
            "shop.customers",
            "not yet",
        ),
        (
            "create rule keep as on delete to shop.customers do instead nothing",
            "shop.customers",
            "PostgreSQL said it deleted them: a trigger or a rule keeps them\nTEST ann 1",
        ),
        (
            "insert into shop.orders values (9, 1, 'a real order')",
            "shop.customers",
            "violates foreign key constraint",
        ),
    ],
    ids=["trigger", "at the commit", "rule", "still pointed to"],
)
def test_the_rest_should_be_removed_and_the_refusal_said_when_a_row_is_refused(
    database: Postgres, sql: str, where: str, seen: str
) -> None:
    do(database, SCHEMA)
    do(database, "insert into shop.orders values (3, null, 'TEST of nobody')")
    do(database, sql)
    removed = rows_of(database).remove([""])
    assert removed.count == 3 or "rule" in sql
    (trouble,) = removed.troubles
    assert (trouble.where, trouble.what) == (f"database, {where}", "1 row cannot be deleted")
    assert seen in trouble.seen
    assert places(rows_of(database).look()) == {where: 1}


class AsOwner(Postgres):
    """A database whose image made its user an ordinary one."""

    def connect(self, user: Any = None, password: Any = None, **options: Any) -> Any:
        return super().connect("owner", "secret", **options)


def test_what_a_role_may_not_see_should_be_said_when_the_rest_is_removed(
    database: Postgres,
) -> None:
    do(
        database,
        "create role owner login password 'secret';"
        "create table plain (id int, name text);"
        "create table guarded (id int, name text);"
        "create table foreigners (id int, name text);"
        "alter table plain owner to owner; alter table guarded owner to owner;"
        "alter table guarded force row level security; alter table guarded enable row level"
        " security; create policy high on guarded using (id > 5);"
        "insert into plain values (1, 'TEST a'); insert into guarded values (1, 'TEST a');"
        "insert into foreigners values (1, 'TEST a')",
    )
    try:
        owners = AsOwner(database.service, database.dbname)
        rows = rows_of(owners)
        assert places(rows.look()) == {"public.plain": 1}
        troubles = {trouble.where: trouble.seen for trouble in rows.troubles}
        assert troubles == {
            "database, public.foreigners": "permission denied for table foreigners",
            "database, public.guarded": "query would be affected by row-level security policy for"
            ' table "guarded"\nHINT:  To disable the policy for the table\'s owner, use ALTER TABLE'
            " NO FORCE ROW LEVEL SECURITY.",
        }
        removed = rows.remove([""])
        assert removed.count == 1
        assert {trouble.where for trouble in removed.troubles} == troubles.keys()
        assert ids(database, "guarded") == ids(database, "foreigners") == [1]
    finally:
        do(database, "drop owned by owner; drop role owner")


def test_rows_should_be_removed_in_any_order_when_they_point_to_one_another(
    database: Postgres,
) -> None:
    do(
        database,
        "create table a (id int primary key, name text, b int);"
        "create table b (id int primary key, name text, a int references a, up int references b);"
        "alter table a add foreign key (b) references b;"
        "insert into a values (1, 'TEST a', null), (2, 'TEST b', null);"
        "insert into b values (2, 'TEST b', 1, null), (1, 'TEST a', null, 2);"
        "update a set b = 1 where id = 2",
    )
    removed = rows_of(database).remove([""])
    assert (removed.count, removed.troubles) == (4, [])


def test_rows_of_a_run_should_be_removed_alone_when_their_names_say_it(database: Postgres) -> None:
    one, other = new_run(), new_run()
    do(database, "create table things (id int, name text)")
    with database.connect() as connection:
        for number, name in enumerate((make("a", one, 1, ""), make("a", other, 2, ""), "TEST x")):
            connection.execute("insert into things values (%s, %s)", [number, name])
    rows = rows_of(database)
    assert {found.run for found in rows.look()} == {one, other, ""}
    assert rows.remove([one]).count == 1
    assert ids(database, "things") == [1, 2]


def test_only_its_rows_should_be_found_when_a_rule_names_tables_columns_or_a_condition(
    database: Postgres,
) -> None:
    do(database, SCHEMA)
    do(database, "insert into shop.customers values (7, 'carol', 'made by ann@test.example')")
    notes = TableRule(("customers",), columns=("note",), like="TEST %")
    assert places(rows_of(database, notes).look()) == {"shop.customers": 1}
    condition = TableRule(("shop.cust*",), where="note like '%@test.example' and id > 5")
    assert rows_of(database, condition).remove([""]).count == 1
    assert ids(database, "shop.customers") == [1, 2, 3]


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (TableRule(("custmers",)), "a rule is about tables that are not there: custmers"),
        (
            TableRule(("customers",), columns=("nam",)),
            "a rule is about text columns that are not there: nam",
        ),
        (
            TableRule(("customers",), where="nme = 'x'"),
            "a rule's condition is none of table shop.customers",
        ),
        (
            TableRule(("customers",), where="1 = 1"),
            "a rule's condition is true of every row of shop.customers",
        ),
    ],
)
def test_a_rule_should_be_refused_when_it_means_nothing_or_everything(
    database: Postgres, rule: TableRule, what: str
) -> None:
    do(database, SCHEMA)
    with pytest.raises(CleanupError) as refused:
        rows_of(database, rule).look()
    assert refused.value.what == what
    assert refused.value.todo or refused.value.seen


@pytest.mark.parametrize(
    "rule",
    [
        {"tables": "x", "like": "%"},
        {"tables": "x", "where": "name like '%'"},
        {"tables": "x", "where": " "},
    ],
)
def test_a_rule_should_not_be_read_when_it_is_about_every_row(rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rule 1: .* would be every row"):
        read_rules([rule])


def test_the_clean_up_should_let_others_have_the_table_when_they_need_it_alone(
    database: Postgres,
) -> None:
    do(
        database,
        "create table things (id int, name text);"
        "insert into things select n, 'TEST ' || n from generate_series(1, 20000) n",
    )
    with database.connect() as holder, database.connect() as other:
        other.execute("set lock_timeout = '10s'")
        holder.execute("lock table things in access exclusive mode")
        removed: list[Any] = []
        began = Event()

        def remove() -> None:
            began.set()
            removed.append(rows_of(database).remove([""]))

        working = Thread(target=remove)
        working.start()
        began.wait()
        holder.commit()
        other.execute("lock table things in access exclusive mode")  # nobody waits for the clean-up
        other.commit()
        working.join()
    assert (removed[0].count, removed[0].troubles) == (20000, [])


def test_the_clean_up_should_go_on_when_the_database_went_away_meanwhile(
    database: Postgres,
) -> None:
    do(
        database,
        "create table things (id int, name text);"
        "insert into things select n, 'TEST ' || n from generate_series(1, 3000) n;"
        "create function go() returns trigger language plpgsql as $$ begin"
        " if old.id = 1500 then perform pg_terminate_backend(pg_backend_pid()); end if;"
        " return old; end $$;"
        "create trigger go before delete on things for each row execute function go()",
    )
    with pytest.raises(CleanupError) as gone:
        rows_of(database).remove([""])
    assert "do it again: it goes on with what is left" in gone.value.todo
    left = len(ids(database, "things"))
    assert 0 < left < 3000
    do(database, "drop trigger go on things")
    removed = rows_of(database).remove([""])
    assert (removed.count, removed.troubles) == (left, [])


def test_nothing_should_be_refused_or_left_when_two_clean_up_at_once(database: Postgres) -> None:
    do(
        database,
        "create table shops (id int primary key, name text);"
        "create table sales (id int, shop int references shops, name text);"
        "insert into shops select n, 'TEST ' || n from generate_series(1, 2000) n;"
        "insert into sales select n, n % 2000 + 1, 'TEST ' || n from generate_series(1, 9000) n",
    )
    begin = Barrier(2)

    def clean() -> Removed:
        rows = rows_of(database)
        begin.wait()
        return rows.remove([""])

    with ThreadPoolExecutor(2) as both:
        one, other = (beside.result() for beside in [both.submit(clean), both.submit(clean)])
    assert (ids(database, "shops"), ids(database, "sales")) == ([], [])
    assert one.count + other.count == 11000
    assert (one.troubles, other.troubles) == ([], [])
