"""Names of nomock's own tests are sentences, as `test_names = "error"` has those of the suite."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import HARNESS

from nomock.quality.names import suggestion

# Programs and projects of others, whose tests are run by tests alone.
MATERIAL = {"apps", "defects", "support"}
FILES = [
    path
    for path in sorted(HARNESS.rglob("test_*.py"))
    if path.relative_to(HARNESS).parts[0] not in MATERIAL
]


def complaints(tree: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Yield each test of a file or a class whose name is no sentence, with one that is."""
    class_name = tree.name if isinstance(tree, ast.ClassDef) else ""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from complaints(node)
        elif (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.startswith("test_")
            and (better := suggestion(node.name, class_name))
        ):
            yield f"  line {node.lineno}: {node.name}\n    -> {better}"


def test_a_better_name_should_be_told_when_one_is_no_sentence() -> None:
    source = """
def test_quota_is_enforced(): ...
def test_quota_should_hold_when_asked():
    def test_inside(): ...
class TestQuota:
    def test_should_hold_when_asked(self): ...
    async def test_fails(self): ...
    def test(self): "no test, but a fixture"
"""
    assert [*complaints(ast.parse(source))] == [
        "  line 2: test_quota_is_enforced\n    -> test_quota_should_be_enforced_when_<condition>",
        "  line 7: test_fails\n    -> test_quota_should_fail_when_<condition>",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HARNESS)))
def test_a_name_should_say_what_is_to_happen_when_it_is_that_of_a_test(path: Path) -> None:
    found = [*complaints(ast.parse(path.read_bytes()))]
    assert not found, "\n".join(
        [f"{path.relative_to(HARNESS)}, names that say too little:", *found]
    )
