"""What is public: its names, its types, and the page that lists it."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from api_page import PAGE, is_error, members_of, page

import nomock
from nomock.faults.fault import Fault
from nomock.faults.faults import Faults, kinds

CLASSES = [name for name in nomock.__all__ if isinstance(getattr(nomock, name), type)]


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_should_be_loaded_when_nomock_is_imported() -> None:
    look = "import sys, typing; before = set(sys.modules); import nomock; "
    assert python(f"{look}print(sorted(set(sys.modules) - before))") == "['nomock']"


def test_every_public_name_should_be_there_when_neither_an_engine_nor_pytest_is() -> None:
    program = "import os, sys; os.environ['DOCKER_HOST'] = 'unix:///nowhere'; import nomock; "
    program += "[getattr(nomock, name) for name in nomock.__all__]; "
    assert python(f"{program}print('pytest' in sys.modules)") == "False"
    assert dir(nomock) == nomock.__all__ == sorted(nomock.__all__)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Stak", "did you mean 'Stack'?"),
        ("recover_within", "did you mean 'recovers_within'?"),
        ("context", "nomock docs api lists what is public"),
    ],
)
def test_a_name_should_be_refused_with_a_hint_when_it_is_not_public(name: str, hint: str) -> None:
    with pytest.raises(AttributeError) as refused:
        getattr(nomock, name)
    assert str(refused.value) == f"module 'nomock' has no attribute {name!r}; {hint}"
    # As a user sees it: Python has hints of its own.
    program = [sys.executable, "-c", f"import nomock; nomock.{name}"]
    shown = subprocess.run(program, capture_output=True, text=True).stderr
    assert shown.splitlines()[-1] == f"AttributeError: {refused.value}"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("latncy", "did you mean 'latency'?"),
        ("delay", "did you mean 'http_delay' or 'packet_delay'?"),
        ("earthquake", "nomock docs faults has all that there are"),
    ],
)
def test_a_fault_should_be_refused_with_a_hint_when_there_is_none_of_its_name(
    name: str, hint: str
) -> None:
    with pytest.raises(AttributeError) as refused:
        getattr(Faults.__new__(Faults), name)
    assert str(refused.value) == f"there is no fault {name!r}; {hint}"


def test_the_page_of_the_api_should_be_as_made_when_docstrings_change() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python tests/harness/support/api_page.py"


def test_every_error_should_be_public_when_it_is_in_errors() -> None:
    from nomock import errors

    named = {name for name, kind in vars(errors).items() if is_error(kind)}
    assert named == {name for name in nomock.__all__ if is_error(getattr(nomock, name))}


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_and_its_members_should_be_described_when_they_are_public(name: str) -> None:
    kind = getattr(nomock, name)
    assert inspect.getdoc(kind)
    for member, value in members_of(kind):
        if callable(value) and not is_error(kind):
            assert inspect.getdoc(value), f"{name}.{member}"


@pytest.mark.parametrize("name", kinds())
class TestKind:
    """The method of ``faults`` for each kind of fault, and what an editor shows of it."""

    def test_a_method_should_take_what_its_fault_takes_when_a_kind_has_fields(
        self, name: str
    ) -> None:
        given = list(inspect.signature(getattr(Faults, name)).parameters.values())[1:]
        wanted = {
            field.name: (
                field.type,
                inspect.Parameter.empty if field.default is MISSING else field.default,
                field.kw_only,
            )
            for field in fields(kinds()[name])
        }
        assert {
            parameter.name: (
                parameter.annotation,
                parameter.default,
                parameter.kind is parameter.KEYWORD_ONLY,
            )
            for parameter in given
        } == wanted

    def test_a_method_should_hand_on_what_it_is_given_when_it_makes_its_fault(
        self, name: str
    ) -> None:
        made: list[Fault] = []

        class Recorded(Faults):
            def __init__(self) -> None:
                pass

            def on(self, fault: Fault) -> Any:
                made.append(fault)

        given = {field.name: f"the {field.name}" for field in fields(kinds()[name])}
        getattr(Recorded(), name)(**given)
        assert [(type(fault), fault.arguments) for fault in made] == [(kinds()[name], given)]

    def test_a_docstring_should_have_arguments_errors_and_an_example_when_a_method_makes_a_fault(
        self, name: str
    ) -> None:
        text = inspect.getdoc(getattr(Faults, name)) or ""
        parts = re.split(r"^(Args|Raises|Example):$", text, flags=re.MULTILINE)
        assert parts[1::2] == ["Args", "Raises", "Example"]
        told = re.findall(r"^    (\w+): [A-Z\"]", parts[2], re.MULTILINE)
        assert told == list(inspect.signature(getattr(Faults, name)).parameters)[1:]
        errors = re.findall(r"^    (\w+): ", parts[4], re.MULTILINE)
        assert errors and all(is_error(getattr(nomock, error)) for error in errors)
        example = ast.parse(dedent(parts[6]))
        calls = [node.func for node in ast.walk(example) if isinstance(node, ast.Call)]
        assert any(isinstance(call, ast.Attribute) and call.attr == name for call in calls)


@pytest.mark.slow
def test_mypy_strict_should_accept_a_test_module_only_when_its_arguments_are_right(
    tmp_path: Path,
) -> None:
    """With the examples of all kinds, as a user's editor would complete them."""
    examples = "".join(
        f"    {line}\n"
        for name in kinds()
        for line in dedent((inspect.getdoc(getattr(Faults, name)) or "").split("Example:")[1])
        .strip("\n")
        .splitlines()
    )
    module = tmp_path / "test_typed.py"
    module.write_text(
        "import httpx\n"
        "from nomock import Acknowledged, Faults, Postgres, Stack, recovers_within, steady\n\n\n"
        "def test_all(\n"
        "    stack: Stack, faults: Faults, postgres: Postgres, acknowledged: Acknowledged\n"
        ") -> None:\n"
        '    http: httpx.Client = stack["shop"].http\n'
        '    order: dict[str, str] = {"name": "TEST"}\n'
        f"{examples}"
        '    with steady(lambda: http.get("/"), within_s=2) as watch:\n'
        '        acknowledged.send("a", lambda: http.post("/", json=order))\n'
        "    seconds: float = watch.recovers_within(5)\n"
        '    assert seconds + recovers_within(lambda: http.get("/"), 5) < 10\n'
        "    with postgres.connect() as connection:\n"
        '        acknowledged.check(row[0] for row in connection.execute("select name from t"))\n',
        encoding="utf-8",
    )
    wrong = tmp_path / "test_wrong.py"
    wrong.write_text(
        "from nomock import Faults\n\n\n"
        "def test_it(faults: Faults) -> None:\n"
        '    faults.latency("a->b", latency_s=1)\n',
        encoding="utf-8",
    )
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    ran = subprocess.run([*mypy, str(module)], capture_output=True, text=True, cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "Success: no issues found in 1 source file\n")
    ran = subprocess.run([*mypy, str(wrong)], capture_output=True, text=True, cwd=tmp_path)
    assert 'Unexpected keyword argument "latency_s" for "latency" of "EdgeMethods"' in ran.stdout
