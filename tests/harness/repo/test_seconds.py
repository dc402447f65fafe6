"""The reference suite holds no second of its own: it computes its bounds from the stack's waits."""

from __future__ import annotations

import ast
import re

import pytest
from places import ROOT

SUITE = [
    *ROOT.glob("tests/test_*.py"),
    *ROOT.glob("tests/helpers/*.py"),
    ROOT / "tests/conftest.py",
]
# Where the suite's own margins stand, and all else is computed.
ALLOWED = ROOT / "tests/helpers/waits.py"
# What a test does to the stack, or how often it looks: no bound of an answer or a recovery.
DOINGS = {"latency_ms", "jitter_ms", "delay_ms", "after_ms", "lasts_s", "period_ms", "every_s"}
LIFETIMES = {"access_token_lifetime_s"}
BOUND = re.compile(r"(?:.*_(?:s|ms)|timeout|seconds)$", re.IGNORECASE)


def literal(node):
    """Whether a number of seconds is written here, by itself or as something added."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)
    if isinstance(node, ast.UnaryOp):
        return literal(node.operand)
    if isinstance(node, ast.Tuple | ast.List):
        return any(map(literal, node.elts))
    if isinstance(node, ast.BinOp):
        sides = literal(node.left), literal(node.right)
        return any(sides) if isinstance(node.op, ast.Add | ast.Sub) else all(sides)
    return False


def bound(name):
    """Whether something of this name is a time that bounds."""
    return bool(name and BOUND.match(name)) and name not in DOINGS | LIFETIMES


def a_time(node):
    """Whether an expression is a time, such as one that something took."""
    if isinstance(node, ast.Name | ast.Attribute):
        return bound(node.id if isinstance(node, ast.Name) else node.attr)
    if isinstance(node, ast.GeneratorExp):
        return a_time(node.elt)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return a_time(node.left) or a_time(node.right)
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            return node.func.attr == "total_seconds"
        return getattr(node.func, "id", "") in {"max", "min", "sum"} and any(map(a_time, node.args))
    return False


def written_seconds(source):
    """Return the lines on which a test holds a second of its own."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            wrong = [k.value for k in node.keywords if bound(k.arg) and literal(k.value)]
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
            if (called.id if isinstance(called, ast.Name) else called) == "recovers_within":
                wrong += filter(literal, node.args)
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            wrong = [side for side in sides if literal(side)] if any(map(a_time, sides)) else []
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            told = any(bound(getattr(target, "id", "")) for target in targets)
            wrong = [node.value] if told and node.value and literal(node.value) else []
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args]
            defaults = zip(reversed(given), reversed(node.args.defaults), strict=False)
            pairs = [*defaults, *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]
            wrong = [value for arg, value in pairs if bound(arg.arg) and literal(value)]
        else:
            continue
        found.update(each.lineno for each in wrong)
    return sorted(found)


@pytest.mark.parametrize(
    "source",
    [
        "eventually(ask, within_s=5, reason='soon')",
        "eventually(ask, within_s=lifetime_s + 8)",
        "service.stop(timeout_s=3)",
        "sent.result(timeout=20)",
        "recovers_within(ask, 10)",
        "watch.recovers_within(15.0)",
        "assert reply.elapsed.total_seconds() < 4",
        "assert 0.6 < took_s",
        "assert max(reply.elapsed.total_seconds() for reply in replies) < 3 * 2",
        "ANSWER_S = 4.0",
        "LIFETIMES_S: tuple = (2, 6)",
        "def reach(state, within_s: float = 15): ...",
    ],
)
def test_second_should_be_found_when_a_test_writes_one_down(source):
    assert written_seconds(source) == [1]


@pytest.mark.parametrize(
    "source",
    [
        "eventually(ask, within_s=3 * waits.answer_s, every_s=0.01)",
        "recovers_within(ask, waits.back_s, in_a_row=10)",
        "assert reply.elapsed.total_seconds() < waits.refusal_s",
        "late_s = 0.7 * waits.auth_try_s",
        "faults.latency('a->b', latency_ms=20)",
        "make_client(access_token_lifetime_s=120)",
        "assert claims['exp'] - claims['iat'] == 300",
    ],
)
def test_number_should_pass_when_it_bounds_nothing(source):
    assert written_seconds(source) == []


@pytest.mark.parametrize("path", SUITE, ids=lambda path: path.name)
def test_suite_should_take_its_bounds_from_the_stack_when_it_waits(path):
    if path != ALLOWED:
        found = written_seconds(path.read_text(encoding="utf-8"))
        assert found == [], f"{path.name}: take these from tests/helpers/waits.py"
