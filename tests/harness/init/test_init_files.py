"""What `nomock init` writes into files: what is there stays, and all can be taken away."""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from nomock.config import Settings
from nomock.coverage.overlay import signed as signed_overlay
from nomock.errors import ConfigError
from nomock.faults.http.program import put_program
from nomock.init import Edit, Found, FoundService, apply, edits, removals
from nomock.init.found import FirstTest

OURS = FirstTest("test_web_should_answer", "stack", ['assert stack["web"]'], ("socket",))


@pytest.fixture
def found(tmp_path: Path) -> Found:
    """A project in which one service has a first test."""
    web = FoundService("web", "HTTP", "GET / answers 200", "", "", OURS)
    return Found(Settings(tmp_path), tmp_path, [web], {"postgres": "db"}, [tmp_path])


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder with its text, line ends as they are."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(p.relative_to(folder)): p.read_bytes().decode() for p in files}


def test_all_files_should_be_written_when_there_are_none(found: Found) -> None:
    apply(edits(found))
    there = contents(found.folder)
    assert there.keys() == {
        ".dockerignore",
        ".gitignore",
        "justfile",
        "nomock.just",
        "pyproject.toml",
        "tests/test_stack.py",
    }
    assert tomllib.loads(there["pyproject.toml"]) == {"tool": {"nomock": {"postgres": "db"}}}
    assert (
        'def test_web_should_answer(stack):\n    assert stack["web"]\n'
        in (there["tests/test_stack.py"])
    )
    assert "\nimport socket\n" in there["tests/test_stack.py"]
    compile(there["tests/test_stack.py"], "test_stack.py", "exec")


def test_nothing_should_be_done_when_it_is_done_already(found: Found) -> None:
    apply(edits(found))
    assert edits(found) == []


THEIRS = {
    "pyproject.toml": '# mine\n[project]\nname = "shop"  # ours\n\n[tool.ruff]\nline-length = 99\n',
    ".gitignore": "*.pyc\n",
    "Justfile": "# all\ntest *args:\n    tox {{ args }}\n\nup: build\n    true\n",
    ".dockerignore": "out\n.git",
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_should_be_as_they_were_when_all_is_taken_away(found: Found, end: str) -> None:
    before = {name: text.replace("\n", end) for name, text in THEIRS.items()}
    for name, text in before.items():
        (found.folder / name).write_bytes(text.encode())
    apply(edits(found))
    changed = contents(found.folder)
    for name, text in before.items():
        assert changed[name].startswith(text)
        assert "\n" not in changed[name].replace(end, "")
    apply(removals(found))
    assert {n: t.rstrip() for n, t in contents(found.folder).items()} == {
        n: t.rstrip() for n, t in before.items()
    }


def test_no_recipe_should_take_a_name_when_the_justfile_has_it(found: Found) -> None:
    (found.folder / "Justfile").write_text(THEIRS["Justfile"])
    apply(edits(found))
    written = contents(found.folder)
    assert "\ntest *arguments" not in written["nomock.just"]
    assert "\ntest-fast *arguments" in written["nomock.just"]
    assert written["Justfile"].endswith("\nimport 'nomock.just'\n")


def test_the_programs_should_be_the_environments_when_it_has_a_runner(found: Found) -> None:
    apply(edits(replace(found, runner="uv run", is_on_github=True)))
    written = contents(found.folder)
    assert '    uv run pytest "$@"\n' in written["nomock.just"]
    assert "      - run: uv run pytest" in written[".github/workflows/nomock.yml"]
    assert "uv sync" in written[".github/workflows/nomock.yml"]
    apply(removals(found))
    assert contents(found.folder) == {}


def test_coverage_should_be_nowhere_when_no_service_has_a_python(found: Found) -> None:
    apply(edits(replace(found, is_on_github=True, is_covered=False)))
    written = contents(found.folder)
    assert "coverage" not in written["nomock.just"] + written[".github/workflows/nomock.yml"]


def test_what_somebody_changed_should_stay_when_all_is_taken_away(found: Found) -> None:
    apply(edits(found))
    for name in ("tests/test_stack.py", "nomock.just"):
        path = found.folder / name
        path.write_text("# mine\n" + path.read_text())
    apply(removals(found))
    assert contents(found.folder).keys() == {"tests/test_stack.py", "nomock.just", "justfile"}


def test_a_table_should_keep_what_it_says_when_more_is_added(found: Found) -> None:
    text = "[tool.nomock]\ntimeout_s = 60  # slow\n[tool.other]\na = 1\n"
    (found.folder / "pyproject.toml").write_text(text)
    apply(edits(found))
    written = contents(found.folder)["pyproject.toml"]
    assert "timeout_s = 60  # slow\n" in written
    assert tomllib.loads(written)["tool"] == {
        "nomock": {"timeout_s": 60, "postgres": "db"},
        "other": {"a": 1},
    }


def test_tests_should_stay_when_there_are_some_of_that_name(found: Found) -> None:
    path = found.folder / "test" / "test_stack.py"
    path.parent.mkdir()
    path.write_text("mine\n")
    apply(edits(found))
    assert path.read_text() == "mine\n"
    assert not (found.folder / "tests").exists()


def test_no_file_should_be_changed_when_one_cannot_be_written(found: Found) -> None:
    (found.folder / "pyproject.toml").write_text(THEIRS["pyproject.toml"])
    before = contents(found.folder)
    blocked = Edit(found.folder / "pyproject.toml" / "x", None, "text")
    with pytest.raises(ConfigError, match="all files are as they were"):
        apply([*edits(found), blocked])
    assert contents(found.folder) == before
    assert [path.name for path in found.folder.iterdir()] == ["pyproject.toml"]


def test_a_table_should_be_refused_when_the_file_is_not_toml(found: Found) -> None:
    (found.folder / "pyproject.toml").write_text("[tool\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        edits(found)


def test_a_patch_should_be_applied_when_git_is_given_it(found: Found, tmp_path: Path) -> None:
    (found.folder / ".dockerignore").write_text(".git")  # without an end of its line
    patch = "".join(edit.diff(found.folder) for edit in edits(found))
    done = subprocess.run(
        ["git", "apply", "-"], input=patch, cwd=tmp_path, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert edits(found) == []


def test_overlays_should_be_taken_away_when_nobody_changed_them(found: Found) -> None:
    settings = found.settings
    for name in (settings.edges_overlay, settings.traces_overlay):
        (found.folder / name).write_text(signed_overlay("# head\n", "services: {}\n"))
    (found.folder / settings.coverage_overlay).write_text("services: {}  # mine\n")
    put_program(found.folder)
    (found.folder / "httpfaults" / "mine.py").write_text("")
    apply(removals(found))
    assert contents(found.folder).keys() == {settings.coverage_overlay, "httpfaults/mine.py"}
