"""The ledger's files: what a kill, another version, another run or a full disk makes of them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nomock.cleanup.rules import HttpRule, read_rules
from nomock.errors import LedgerError
from nomock.ledger.book import Book, folder_of
from nomock.ledger.left import alive_runs, left_ledgers
from nomock.ledger.posts import deletion
from nomock.ledger.undo import Deletion, Statement, expanded, undo_of

UNDO = Statement("delete from things where name = %s", ("TEST a",)).told()


def written(folder: Path, run: str = "tkx3f2a9q") -> Book:
    """Return the book of a process with two entries, the first of which is undone."""
    book = Book(folder, "shop", run, 1)
    first = book.add("thing", "one", "test_a", UNDO)
    book.add("thing", "two", "test_b", UNDO)
    book.done(first)
    return book


def kill(book: Book) -> None:
    """Do to a book what the end of its process does."""
    assert book._lock is not None
    book._lock.close()


def test_what_is_not_undone_should_be_found_when_its_process_has_ended(tmp_path: Path) -> None:
    book = written(tmp_path)
    assert alive_runs(tmp_path) == {"tkx3f2a9q"}
    with left_ledgers(tmp_path, "shop") as ledgers:
        assert ledgers == []
    kill(book)
    assert alive_runs(tmp_path) == set()
    with left_ledgers(tmp_path, "shop") as ledgers:
        assert [(entry.key, entry.test) for entry in ledgers[0].entries] == [("two", "test_b")]
        with left_ledgers(tmp_path, "shop") as others:  # two runs at once
            assert others == []
        ledgers[0].done(ledgers[0].entries[0])
    with left_ledgers(tmp_path, "shop") as ledgers:
        assert (ledgers[0].entries, ledgers[0].trouble) == ([], "")


def test_a_ledger_should_be_its_users_alone_when_it_is_opened(tmp_path: Path) -> None:
    book = Book(tmp_path, "shop", "tkx3f2a9q", 1)
    book.open()
    assert book.path.stat().st_mode & 0o777 == 0o600
    book.close()


def test_a_ledger_should_be_gone_when_all_of_it_is_undone(tmp_path: Path) -> None:
    book = written(tmp_path)
    book.done(2)
    book.close()
    assert list(folder_of(tmp_path, "shop").iterdir()) == []


def test_each_thing_should_have_its_own_entry_when_threads_make_them(tmp_path: Path) -> None:
    book = Book(tmp_path, "shop", "tkx3f2a9q", 1)
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: book.add("thing", str(n), "", UNDO), range(100)))
    assert sorted(numbers) == list(range(1, 101))
    kill(book)
    with left_ledgers(tmp_path, "shop") as ledgers:
        assert len(ledgers[0].entries) == 100


def test_every_whole_line_should_be_read_when_the_file_was_cut_anywhere(tmp_path: Path) -> None:
    book = written(tmp_path)
    kill(book)
    whole = book.path.read_bytes()
    first_entry = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    for length in range(len(whole)):
        book.path.write_bytes(whole[:length])
        with left_ledgers(tmp_path, "shop") as ledgers:
            (left,) = ledgers
            assert left.run == "tkx3f2a9q"
            assert len(left.entries) == sum(
                (length >= first_entry, length >= whole.index(b'{"done"'))
            )


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ('{"ledger": 2, "run": "r"}\n', "is of version 2: the nomock that wrote it undoes it"),
        ("", "cannot be read: JSONDecodeError"),
        ("[]\n", "cannot be read: TypeError"),
        ('{"ledger": 1}\nnonsense\n', "line 2 of"),
        ('{"ledger": 1}\n{"n": 1, "kind": 3}\n', "line 2 of"),
    ],
)
def test_a_ledger_should_be_told_and_stay_when_it_cannot_be_read(
    tmp_path: Path, text: str, trouble: str
) -> None:
    book = written(tmp_path)
    kill(book)
    book.path.write_text(text)
    with left_ledgers(tmp_path, "shop") as ledgers:
        assert trouble in ledgers[0].trouble
    assert book.path.exists()


def test_nothing_should_be_made_when_it_cannot_be_written_down(tmp_path: Path) -> None:
    folder_of(tmp_path, "").mkdir(parents=True)
    folder_of(tmp_path, "shop").touch()
    with pytest.raises(LedgerError) as full:
        Book(tmp_path, "shop", "tkx3f2a9q", 1).add("thing", "one", "", UNDO)
    assert full.value.what == "it was not made, since it could not be written down how to undo it"
    assert full.value.seen


def test_an_undo_should_be_the_same_when_another_process_reads_it() -> None:
    undo = Deletion("shop", "/customers/1", headers={"A": "$$b"})
    assert undo_of(json.loads(json.dumps(undo.told()))) == undo
    with pytest.raises(LedgerError, match="does not know how to undo it"):
        undo_of({"how": "magic"})


def test_a_deletion_should_have_the_fields_of_what_was_made_when_its_rule_names_them() -> None:
    rule = HttpRule(
        "shop",
        "/orgs/{request.org}/users/{user.id}",
        post="/users",
        headers={"Authorization": "Bearer {token}", "X": "$ADMIN"},
    )
    fields = {"user": {"id": "a/b"}, "token": "t$7", "request": {"org": 3}}
    assert deletion(rule, fields, "POST /users") == Deletion(
        "shop", "/orgs/3/users/a%2Fb", headers={"Authorization": "Bearer t$$7", "X": "$ADMIN"}
    )
    with pytest.raises(LedgerError) as missing:
        deletion(rule, {"user": {}, "request": {"org": 3}}, "POST /users")
    assert missing.value.what == "there is no field 'user.id' to delete it by"


def test_variables_should_be_put_in_and_dollars_stay_when_a_header_is_expanded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    assert expanded("Bearer ${TOKEN} $TOKEN t$$7") == "Bearer s3cret s3cret t$7"
    with pytest.raises(LedgerError, match="the variable NOBODY_SET_IT is not set"):
        expanded("$NOBODY_SET_IT")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"keys": "*"}, r"rule 1: keys = '\*' would be every key"),
        ({"http": "shop", "delete": "/x/{id}"}, r"rule 1: it needs list = PATH, post = PATH"),
        ({"http": "shop", "delete": "/x", "post": "/x"}, "rule 1: delete = '/x' names no field"),
        ({"http": "shop", "delet": "/x"}, "rule 1 has 'delet': it may have http, delete"),
        ({"tables": []}, r"rule 1: tables cannot be \(\)"),
        ({"x": 1}, "rule 1 has none of tables, keys, http"),
    ],
)
def test_a_rule_should_be_refused_when_it_cannot_be(rule: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        read_rules([rule])


def test_rules_should_be_read_when_a_variable_has_them_as_json() -> None:
    (rule,) = read_rules('[{"keys": ["a:*"], "db": 2}]')
    assert rule == read_rules([{"keys": "a:*", "db": 2}])[0]
