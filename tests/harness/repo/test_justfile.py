"""Every test recipe hands pytest's arguments over unharmed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import ROOT

BIN = Path(sys.executable).parent
ARGUMENTS = ["-k", "a and not b", "--pdb", "-s", "tests/x.py::test_y[a b-$HOME-'q'-*]", ""]
# Says what it was given, in place of what the recipe would run.
SAY = "#!{python}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"


def recipes_with_pytest() -> list[str]:
    """Return the recipes that run pytest."""
    text = (ROOT / "justfile").read_text(encoding="utf-8")
    return re.findall(r"^(test[\w-]*) [\w *]*\*arguments:.*\n    (?:cd \S+ && )?pytest", text, re.M)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the justfile, whose pytest and nomock say what they were given."""
    text = (ROOT / "justfile").read_text(encoding="utf-8")
    shutil.copy(ROOT / "justfile", tmp_path)
    for folder in re.findall(r"    cd (\S+) &&", text):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / ".env").touch()
    for name in ("pytest", "nomock"):
        program = tmp_path / ".venv/bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(SAY.format(python=sys.executable))
        program.chmod(0o755)
    return tmp_path


def just(project: Path, *arguments: str) -> list[str]:
    done = subprocess.run(
        [BIN / "just", "--justfile", project / "justfile", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": "/nowhere"},
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(said, list)
    return said


def test_recipes_should_run_pytest_when_their_names_are_for_tests() -> None:
    assert set(recipes_with_pytest()) >= {
        *("test", "test-parallel", "test-n", "test-fast", "test-by-module", "test-by-class"),
        *("test-serial", "test-parallel-safe", "test-harness", "test-sidecar-coverage"),
    }


@pytest.mark.parametrize("recipe", recipes_with_pytest())
def test_pytest_should_get_each_argument_as_typed_when_a_test_recipe_is_given_it(
    project: Path, recipe: str
) -> None:
    workers = ["4"] if recipe == "test-n" else []
    said = just(project, recipe, *workers, *ARGUMENTS)
    assert said[-len(ARGUMENTS) :] == ARGUMENTS
    if workers:
        assert said[:2] == ["-n", "4"]


@pytest.mark.parametrize("recipe", ["logs", "exec"])
def test_compose_should_get_each_argument_as_typed_when_a_recipe_of_the_stack_is_given_it(
    project: Path, recipe: str
) -> None:
    typed = ["-f", "auth", "a  b", "$HOME"]
    assert just(project, recipe, *typed) == [recipe, *typed]
