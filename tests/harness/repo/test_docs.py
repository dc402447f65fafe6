"""Every recipe, fixture, option, setting, command and error is in the docs, and links hold."""

import inspect
import json
import re
import shlex
import subprocess

import pytest
import server_table
from places import ROOT
from tiny import server

from nomock import converters, errors
from nomock.cli.command_line import command_line

ROOT = ROOT
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
    names = list(converters.CONVERTERS)
    assert _missing(names, "settings.md") == []
    assert _missing([f"NOMOCK_{name.upper()}" for name in names], "settings.md") == []


def test_settings_page_should_name_every_option_and_fixture_when_one_is_added():
    plugin = ROOT / "src/nomock/plugin"
    options = re.findall(r'"(--[a-z-]+)"', (plugin / "declared.py").read_text())
    fixtures = re.findall(r"@pytest\.fixture.*\ndef (\w+)", (plugin / "__init__.py").read_text())
    assert len(options) > 4
    assert len(fixtures) > 3
    assert _missing(options, "settings.md") == []
    assert _missing(fixtures, "settings.md") == []


def test_recipes_page_should_name_every_command_when_one_is_added():
    commands = command_line()._subparsers._group_actions[0].choices
    assert _missing([f"nomock {name}" for name in commands], "recipes.md") == []


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in DOCS.glob("*.md"))])
def test_links_should_lead_to_files_when_they_are_relative(page):
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", (ROOT / page).read_text()):
        assert ((ROOT / page).parent / target).exists(), f"{page} -> {target}"


def test_table_of_servers_should_be_that_of_the_tested_set_ups_when_one_is_added():
    written = server_table.found(server_table.PAGE.read_text(encoding="utf-8"))
    assert written == server_table.table(), "python tests/harness/support/server_table.py"


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


def test_code_of_the_readme_should_pass_when_it_is_run_as_it_stands(tiny):
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    fault, traced, first = code
    examples = re.findall(r"```python\n(.*?)```", (DOCS / "faults.md").read_text(), re.DOTALL)
    assert fault in "".join(examples)  # which run with the reference suite
    shown = (DOCS / "traces.md").read_text()
    assert all(line in shown for line in traced.splitlines()[1:])  # the same test, by another name
    tiny.compose(web=server())
    tiny.tests(first)
    tiny.run().assert_outcomes(passed=1)


def test_the_code_of_the_tutorial_should_be_valid_python_when_it_is_copied():
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "tutorial.md").read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        compile(block, "tutorial.md", "exec")


def _typed(page):
    """Return the words of each command that a page shows in a block of its own."""
    text = page.read_text()
    fenced = re.findall(r"^```(?:sh|console|bash|text)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    indented = re.findall(
        r"^    (\S.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M
    )
    for line in [*indented, *"\n".join(fenced).splitlines()]:
        command = line.removeprefix("$ ").partition("  #")[0].strip()
        if command.split(" ")[0] in {"nomock", "pytest"} and not command.endswith(":"):
            yield shlex.split(command.replace("…", ""))


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_should_be_ones_that_there_are_when_they_are_typed(page):
    options = re.findall(
        r'"--nomock-([a-z-]+)"', (ROOT / "src/nomock/plugin/declared.py").read_text()
    )
    ours = {f"--{prefix}{name}" for name in options for prefix in ("", "nomock-")} | {"--since"}
    for program, *words in _typed(page):
        if program == "nomock":
            command_line().parse_args(words)  # ends the test where it does not know one
        else:
            given = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert given <= ours | PYTESTS, page


# What pytest and its plugins know themselves.
PYTESTS = {"--pdb", "--dist", "--collect-only"}


def test_every_page_should_be_linked_from_the_index_when_it_is_in_the_docs():
    linked = set(re.findall(r"\]\((\S+)\.md\)", (DOCS / "index.md").read_text()))
    assert linked == {page.stem for page in DOCS.glob("*.md")} - {"index"}
