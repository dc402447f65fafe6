"""Every recipe, fixture, option, setting, command and error is in the docs, and links hold."""

import inspect
import json
import re
import subprocess
from pathlib import Path

import pytest

from nomock import config, errors
from nomock.cli.main import _parser

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def _missing(names, page):
    text = (DOCS / page).read_text()
    return [name for name in names if f"`{name}`" not in text and f"`{name} " not in text]


def test_recipes_page_should_name_every_recipe_when_one_is_added():
    dump = subprocess.run(
        ["just", "--justfile", ROOT / "justfile", "--dump", "--dump-format", "json"],
        capture_output=True,
        check=True,
    )
    recipes = json.loads(dump.stdout)["recipes"].values()
    public = [f"just {r['name']}" for r in recipes if not r["private"]]
    assert len(public) > 20
    assert _missing(public, "recipes.md") == []


def test_recipes_should_have_three_lines_a_group_and_a_comment_when_they_are_public():
    dump = subprocess.run(
        ["just", "--justfile", ROOT / "justfile", "--dump", "--dump-format", "json"],
        capture_output=True,
        check=True,
    )
    for recipe in json.loads(dump.stdout)["recipes"].values():
        assert len(recipe["body"]) <= 3, recipe["name"]
        if not recipe["private"]:
            assert recipe["doc"], recipe["name"]
            assert any("group" in a for a in recipe["attributes"] if isinstance(a, dict)), recipe


def test_messages_page_should_name_every_error_when_one_is_added():
    classes = [
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.NomockError)
    ]
    assert len(classes) > 10
    assert _missing(classes, "messages.md") == []


def test_settings_page_should_name_every_setting_and_its_variable_when_one_is_added():
    names = list(config.CONVERTERS)
    assert _missing(names, "settings.md") == []
    assert _missing([f"NOMOCK_{name.upper()}" for name in names], "settings.md") == []


def test_settings_page_should_name_every_option_and_fixture_when_one_is_added():
    plugin = (ROOT / "src/nomock/plugin/__init__.py").read_text()
    options = re.findall(r'"(--[a-z-]+)"', plugin)
    fixtures = re.findall(r"@pytest\.fixture.*\ndef (\w+)", plugin)
    assert len(options) > 4
    assert len(fixtures) > 3
    assert _missing(options, "settings.md") == []
    assert _missing(fixtures, "settings.md") == []


def test_recipes_page_should_name_every_command_when_one_is_added():
    commands = _parser()._subparsers._group_actions[0].choices
    assert _missing([f"nomock {name}" for name in commands], "recipes.md") == []


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in DOCS.glob("*.md"))])
def test_links_should_lead_to_files_when_they_are_relative(page):
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", (ROOT / page).read_text()):
        assert ((ROOT / page).parent / target).exists(), f"{page} -> {target}"


def test_recipes_named_anywhere_should_exist_when_they_are_typed():
    recipes = {
        line.split()[0]
        for line in subprocess.run(
            ["just", "--justfile", ROOT / "justfile", "--summary"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    }
    for page in [ROOT / "README.md", *DOCS.glob("*.md")]:
        typed = re.findall(r"^ +\./just ([a-z][a-z-]*)", page.read_text(), re.MULTILINE)
        assert set(typed) <= recipes, page


def test_readme_should_lead_to_the_first_result_when_sixty_lines_are_read():
    lines = (ROOT / "README.md").read_text().splitlines()
    commands = [n for n, line in enumerate(lines) if line.startswith("    ./just")]
    assert "test-sidecar-coverage" in lines[commands[0]]
    assert commands[1] < 60
    assert "check" in lines[commands[1]]


def test_readme_test_should_be_valid_python_when_it_is_copied():
    for page in (ROOT / "README.md", DOCS / "tutorial.md"):
        blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
        assert blocks
        for block in blocks:
            compile(block, str(page), "exec")
