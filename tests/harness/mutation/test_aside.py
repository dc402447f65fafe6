"""The file of the mutants that are set aside: each with a reason."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from nomock.errors import MutationError
from nomock.mutation import Mutant, add_aside, mutants_of, read_asides, stale_asides
from nomock.mutation.aside import FILE

SOURCE = 'def f(a):\n    x = """"a\\\\\n\tü"""\n    return a < 1\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / FILE


def mutants() -> list[Mutant]:
    return mutants_of("services/app.py", SOURCE)


def test_there_should_be_no_entries_when_there_is_no_file(file: Path) -> None:
    assert read_asides(file) == []


def test_an_entry_should_be_read_as_it_was_added_when_its_texts_have_odd_characters(
    file: Path,
) -> None:
    one, two = mutants()[:2]
    add_aside(file, one, '  it is\nthe "same" \\ \x7f for\teach é ')
    file.write_text(file.read_text() + "\n# a comment of a reviewer\n")
    add_aside(file, two, "no test can tell")
    first, second = read_asides(file)
    assert (first.id, first.path, first.operator) == (one.id, "services/app.py", one.operator)
    assert (first.original, first.replacement) == (one.original, one.replacement)
    assert first.reason == 'it is\nthe "same" \\ \x7f for\teach é'
    assert second.id == two.id
    assert "# a comment of a reviewer" in file.read_text()
    assert tomllib.loads(file.read_text())["aside"][0]["id"] == one.id


def test_an_entry_should_be_stale_when_its_mutant_is_gone(file: Path) -> None:
    for mutant in mutants():
        add_aside(file, mutant, "equivalent")
    now = mutants_of("services/app.py", SOURCE.replace("a < 1", "a < 1 + 0"))
    gone = {m.id for m in mutants()} - {m.id for m in now}
    assert gone
    stale = stale_asides(read_asides(file), now, {"services/app.py"})
    assert {entry.id for entry in stale} == gone
    assert stale_asides(read_asides(file), [], {"services/other.py"}) == []


ENTRY = {"id": "1", "path": "a.py", "operator": "b", "original": "c", "replacement": "d"}


def table(**entry: str) -> str:
    return "[[aside]]\n" + "".join(f"{name} = '{text}'\n" for name, text in entry.items())


@pytest.mark.parametrize(
    ("text", "what", "seen"),
    [
        ("[[aside]\n", "cannot be read", "Expected ']]'"),
        ("aside = 1\n", "cannot be read", "only [[aside]] may be"),
        ("[[beside]]\n", "cannot be read", "there is beside, and only [[aside]] may be"),
        (table(**ENTRY), "is not of the form", "missing, not a text or not known: reason"),
        (table(**ENTRY, reason="e", why="f"), "is not of the form", "not known: why"),
        (table(**ENTRY) + "reason = 1\n", "is not of the form", "not known: reason"),
        (table(**ENTRY, reason=" "), "is set aside without a reason", ""),
        (2 * table(**ENTRY, reason="e"), "cannot be read", "the mutant 1 is set aside twice"),
    ],
)
def test_the_file_should_be_refused_when_it_is_not_as_it_should_be(
    file: Path, text: str, what: str, seen: str
) -> None:
    file.write_text(text)
    with pytest.raises(MutationError) as refused:
        read_asides(file)
    assert what in refused.value.what
    assert seen in refused.value.seen
    assert str(file) in refused.value.where and refused.value.todo


def test_the_file_should_be_refused_when_it_is_no_text(file: Path) -> None:
    file.write_bytes(b"\xff")
    with pytest.raises(MutationError, match="cannot be read"):
        read_asides(file)
    with pytest.raises(MutationError, match="cannot be read"):
        add_aside(file, mutants()[0], "equivalent")


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_mutant_should_not_be_set_aside_when_there_is_no_reason(file: Path, reason: str) -> None:
    with pytest.raises(MutationError, match="without a reason"):
        add_aside(file, mutants()[0], reason)
    assert not file.exists()


def test_a_mutant_should_not_be_set_aside_when_it_is_already(file: Path) -> None:
    add_aside(file, mutants()[0], "equivalent")
    before = file.read_bytes()
    with pytest.raises(MutationError, match="set aside twice"):
        add_aside(file, mutants()[0], "another reason")
    assert file.read_bytes() == before


def test_a_mutant_should_not_be_set_aside_when_the_file_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(MutationError) as refused:
        add_aside(tmp_path / "missing" / FILE, mutants()[0], "equivalent")
    assert "No such file" in refused.value.seen
