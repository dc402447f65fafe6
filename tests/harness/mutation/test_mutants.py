"""Mutants of whole modules: what they are called, where they are, and that they stay themselves."""

from __future__ import annotations

import ast
import json
import string
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nomock.errors import MutationError
from nomock.mutation import Mutant, decoded, diff, mutants_of, mutate

SHOP = '''"""A shop."""

LIMIT = 3


class Shop:
    """Sells."""

    def sell(self, count: int, *, paid: bool = False) -> int:
        """Return what is left."""
        def left() -> int:
            return LIMIT - count

        if count > LIMIT and not paid:
            raise ValueError(count)
        return left()
'''


def only(source: str, operator: str) -> Mutant:
    (mutant,) = [m for m in mutants_of("shop.py", source) if m.operator == operator]
    return mutant


def test_a_mutant_should_say_where_it_is_and_what_changes_when_it_is_shown() -> None:
    mutant = only(SHOP, "arithmetic")
    assert str(mutant) == f"{mutant.id} shop.py:12 arithmetic: - -> +"
    assert mutant.qualname == "Shop.sell.left"
    assert (mutant.line, mutant.column, mutant.end_line, mutant.end_column) == (12, 25, 12, 26)
    assert len(mutant.id) == 10 and int(mutant.id, 16) >= 0
    assert diff(SHOP, mutant, context=1) == (
        "--- shop.py\n+++ shop.py\n@@ -11,3 +11,3 @@\n"
        "         def left() -> int:\n"
        "-            return LIMIT - count\n"
        "+            return LIMIT + count\n"
        " "
    )


def test_a_mutant_should_be_of_the_code_around_a_function_when_it_is_in_a_default() -> None:
    found = {m.qualname for m in mutants_of("shop.py", SHOP) if m.original in ("3", "False")}
    assert found == {""}


def test_ids_should_stay_when_lines_change_elsewhere() -> None:
    before = {m.id for m in mutants_of("shop.py", SHOP)}
    moved = "import os\n\n\ndef other(a, b):\n    return a < b\n\n\n" + SHOP
    assert before < {m.id for m in mutants_of("shop.py", moved)}


def test_an_id_should_be_another_one_when_its_line_changes() -> None:
    changed = SHOP.replace("LIMIT - count", "LIMIT - count - 0")
    ids = {m.id for m in mutants_of("shop.py", changed) if m.operator == "arithmetic"}
    assert only(SHOP, "arithmetic").id not in ids


def test_ids_should_differ_when_one_line_has_the_same_change_twice() -> None:
    first, second = mutants_of("app.py", "x = f(a < b, a < b)"), mutants_of("app.py", "x = a < b")
    assert len({m.id for m in first}) == len(first) == 4
    assert not {m.id for m in first} & {m.id for m in second}


def test_mutants_should_come_in_the_order_of_their_places_when_operators_find_them() -> None:
    places = [(m.line, m.column) for m in mutants_of("shop.py", SHOP)]
    assert places == sorted(places)


def test_a_mutant_should_be_refused_when_its_file_is_another_one_by_now() -> None:
    mutant = only(SHOP, "arithmetic")
    with pytest.raises(MutationError) as refused:
        mutate("LIMIT = 3\n", mutant)
    assert str(refused.value) == (
        f"mutant {mutant.id} at shop.py:12: the file is not the one that the mutant was made from\n"
        "  not there: -\n"
        "-> run again: mutants are made from the files as they are"
    )
    with pytest.raises(MutationError):
        mutate(SHOP, replace(mutant, column=3))


def test_mutants_should_meet_when_they_change_some_of_the_same_text() -> None:
    found = {m.original: m for m in mutants_of("app.py", "x = f(1) + 2\n")}
    assert found["+"].meets(found["+"])
    whole, one, two = replace(found["+"], column=4, end_column=12), found["1"], found["2"]
    assert whole.meets(two)
    assert two.meets(whole)
    assert not one.meets(two)
    assert not one.meets(replace(one, path="other.py"))
    assert not one.meets(replace(one, column=one.end_column, end_column=one.end_column + 1))


def test_a_mutant_should_be_left_out_when_it_compiles_to_the_same() -> None:
    # A constant that nobody reads is not in the bytecode.
    assert mutants_of("app.py", "if False:\n    x = 1\nelse:\n    y()\n", operators=()) == []
    sources = [m.replacement for m in mutants_of("app.py", "def f():\n    if 0: g(1)\n")]
    assert "2" not in sources


def test_a_mutant_should_be_given_once_when_two_compile_to_the_same() -> None:
    found = mutants_of("app.py", "def f():\n    while a != b: return c\n")
    assert [m.operator for m in found] == ["comparison", "result"]


def test_a_source_should_be_refused_when_python_does_not_understand_it() -> None:
    with pytest.raises(MutationError) as refused:
        mutants_of("services/app.py", "def f(:\n")
    version = ".".join(map(str, sys.version_info[:2]))
    assert str(refused.value).splitlines()[0] == (
        f"services/app.py: is no source for Python {version}, so that it has no mutants"
    )
    assert str(refused.value).splitlines()[-1] == (
        "-> run the tests with the Python of the service, or leave the file out"
    )
    with pytest.raises(MutationError):
        mutants_of("app.py", "x = 1\0")


def test_mutants_should_compile_and_keep_lines_when_modules_of_a_library_have_them() -> None:
    for name in ("scanner.py", "tool.py"):
        path = Path(json.__file__).with_name(name)
        source = decoded(path.read_bytes())
        found = mutants_of(path.name, source)
        assert len({m.id for m in found}) == len(found)
        for mutant in found:
            mutated = mutate(source, mutant)
            assert mutated.count("\n") == source.count("\n")
            assert mutated != source
            compile(mutated, path.name, "exec")


NAMES = st.sampled_from(["a", "b", "self.c", "log", "d()"])
LEAVES = (
    NAMES
    | st.integers(-3, 600).map(str)
    | st.text(string.ascii_letters + " ü'", max_size=4).map(repr)
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.sampled_from(["+", "-", "<", ">=", "and", "or", "is not", "not in", "%"])
    return st.one_of(
        st.tuples(inner, binary, inner).map(lambda t: f"({t[0]} {t[1]}\n {t[2]})"),
        inner.map(lambda x: f"(not {x})"),
        st.tuples(inner, inner).map(
            lambda t: f"f({t[0]}, {t[1]}, timeout={t[0]}, headers={{'A': {t[1]}}})"
        ),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        inner.map(lambda x: f"[y for y in {x} if {x}]"),
    )


EXPRESSIONS = st.recursive(LEAVES, _larger, max_leaves=6)
STATEMENTS = st.one_of(
    EXPRESSIONS.map(lambda x: f"return {x}"),
    EXPRESSIONS.map(lambda x: f"x = {x}"),
    EXPRESSIONS.map(lambda x: f"self.x = {x}"),
    EXPRESSIONS.map(lambda x: f"await g({x})"),
    EXPRESSIONS.map(lambda x: f"if {x}: raise E({x})"),
    EXPRESSIONS.map(lambda x: f"with a.transaction(): h({x})"),
)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # such as `1 is a`
@settings(max_examples=25, deadline=None)
@given(st.lists(STATEMENTS, min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_each_mutant_should_compile_differ_and_revert_when_statements_are_made_by_chance(
    statements: list[str], end: str
) -> None:
    body = "\n".join(f"        {each}" for each in statements)
    source = f"class A:\n    async def f(self, a, b):\n{body}\n".replace("\n", end)
    tree = ast.dump(ast.parse(source))
    found = mutants_of("app.py", source)
    assert len({m.id for m in found}) == len(found)
    for mutant in found:
        mutated = mutate(source, mutant)
        assert mutated.count(end) == source.count(end)
        assert ast.dump(ast.parse(mutated)) != tree
        compile(mutated, "app.py", "exec")
        at = len("".join(source.splitlines(keepends=True)[: mutant.line - 1])) + mutant.column
        back = mutated[:at] + mutant.original + mutated[at + len(mutant.replacement) :]
        assert back == source
