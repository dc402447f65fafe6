"""Which tests a change needs: by the blocks that they ran, and in doubt all of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from covered import overlay, spied
from covered_project import APP, BUY, EVERY, ODD, SELL, Project, edited
from tiny import IMAGE, LISTENS, Tiny, idle, server

from nomock.adapters.git import Revision
from nomock.coverage.affected import (
    Affected,
    Past,
    Suite,
    in_order,
    save_baseline,
    state_now,
)
from nomock.coverage.affected.blocks import MODULE, blocks_of
from nomock.coverage.affected.ties import ties
from nomock.coverage.harvest import new_run, prepare
from nomock.coverage.harvest.folder import DATA_FILE
from nomock.errors import ConfigError, CoverageError
from nomock.project import resolve


def different(old: str, new: str) -> set[str]:
    before, after = blocks_of(old.encode()), blocks_of(new.encode())
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


class TestBlocks:
    def test_every_function_should_be_a_block_with_its_own_lines_when_a_file_is_parsed(
        self,
    ) -> None:
        lines = {name: block.lines for name, block in blocks_of(APP.encode()).items()}
        assert lines == {
            MODULE: (),
            "route": ((8, 8),),
            "Base.name": ((13, 13),),
            "Shop.sell": ((20, 23),),
            "Shop.refund": ((26, 26),),
            "index": ((31, 31),),
            "sweep": ((35, 35),),
            "unused": ((39, 39),),
            "counter": ((43, 45), (49, 50)),
            "counter.up": ((46, 48),),
        }

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("return 2", "return 2  # two"),
            ('"""An app."""', '"""Another app."""'),
            ('"""Sell some."""', '"""Sell."""'),
            ("LIMIT = 3", "LIMIT = (\n    3\n)"),
            ("    return 1\n\n\ndef", "\n\n    return (1)\n\n\n\ndef"),
        ],
        ids=["comment", "docstring of the module", "of a function", "layout", "moved lines"],
    )
    def test_nothing_should_differ_when_the_code_does_not(self, old: str, new: str) -> None:
        assert different(APP, edited(old, new)) == set()

    @pytest.mark.parametrize(
        ("old", "new", "blocks"),
        [
            ("return 2", "return 3", {"unused"}),
            ("> LIMIT", ">= LIMIT", {"Shop.sell"}),
            ("count: int = 1", "count: int = 2", {"Shop.sell"}),
            ("count: int = 1", "count: float = 1", {"Shop.sell"}),
            ("start += 1", "start += 2", {"counter.up"}),
            ("start = 1", "start = 2", {"counter"}),
            ("def sweep", "async def sweep", {"sweep"}),
            ("def unused", "def used", {"unused", "used"}),
            ("LIMIT = 3", "LIMIT = 4", {MODULE}),
            ("size = 1", "size = 2", {MODULE}),
            ("class Shop(Base)", "class Shop", {MODULE}),
            ('@route("/")', '@route("/shop")', {MODULE}),
            ("def index():", 'def index():\n    """The shop."""', {MODULE}),
            ("def index():", "def index(page):", {MODULE, "index"}),
            ("import sys", "import os", {MODULE}),
            ("import sys", "import sys\nclass New: pass", {MODULE}),
        ],
    )
    def test_only_the_changed_blocks_should_differ_when_a_file_is_edited(
        self, old: str, new: str, blocks: set[str]
    ) -> None:
        assert different(APP, edited(old, new)) == blocks

    @pytest.mark.parametrize(
        ("source", "name", "reach"),
        [
            ("def f(a: int, b=1): pass", "f", ""),
            ("class A:\n    def f(self): pass", "A.f", ""),
            ("if 1:\n    def f(): pass", "f", ""),
            (
                "class A(B):\n    def f(self): pass",
                "A.f",
                "may take the place of one of a base class",
            ),
            (
                "class A:\n    def __eq__(self, o): pass",
                "A.__eq__",
                "may take the place of something with its name",
            ),
            ("def len(x): pass", "len", "may take the place of something with its name"),
            (
                "from a import f\ndef f(x): pass",
                "f",
                "may take the place of something with its name",
            ),
            ("f = 1\ndef f(x): pass", "f", "may take the place of something with its name"),
            ("def f(x=g()): pass", "f", "has defaults that an import evaluates"),
        ],
    )
    def test_a_reason_should_be_given_when_a_new_function_may_matter_by_itself(
        self, source: str, name: str, reach: str
    ) -> None:
        assert blocks_of(source.encode())[name].reach == reach

    def test_definitions_of_one_name_should_be_one_block_when_any_may_be_taken(self) -> None:
        source = "if a:\n    def f():\n        return 1\nelse:\n    def f():\n        return 2\n"
        blocks = blocks_of(source.encode())
        assert blocks["f"].lines == ((3, 3), (6, 6))
        assert different(source, source + "def f(): return 3") == {"f"}

    def test_a_source_should_be_one_block_when_it_cannot_be_read(self) -> None:
        assert set(blocks_of(b"def f(:\n")) == {MODULE}
        assert different("def f(:\n", "def f(:\n\n") == {MODULE}
        assert different("def f(): pass", "def f(:") == {MODULE, "f"}


COMPOSE = """\
services:
  app:
    build: {context: ./app}
    volumes: ["./config:/config:ro", "./made:/made", "/etc/hostname:/name:ro"]
  db: {image: db, environment: [LEVEL]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    tmp_path = tmp_path / "node_modules/checkout"  # it may lie anywhere
    tmp_path.mkdir(parents=True)
    app = "app/shop.py"
    ran = {
        "": [(app, 4), (app, 8), (app, 35)],  # LIMIT, route(), sweep()
        SELL: [(app, 21), (app, 23), (app, 31)],  # Shop.sell(), index()
        f"{BUY}|fault=cut app->db": [(app, 22)],
        ODD: [(app, 47)],  # counter.up()
    }
    project = Project(tmp_path, ran)
    # It knows what the services themselves write: made/.gitignore.
    project.git("init", "--quiet", "--initial-branch", "main")
    project.write("docker-compose.yml", COMPOSE)
    project.write("app/shop.py", APP)
    project.write("app/idle.py", "IDLE = 1\n")
    project.write("app/Dockerfile", "FROM scratch\n")
    project.write("app/requirements.txt", "a==1\n")
    project.write("app/migrations/1.sql", "SELECT 1\n")
    project.write("config/app.toml", "a = 1\n")
    project.write("made/.gitignore", "*\n")
    project.write("pytest.ini", "[pytest]\n")
    project.write("tests/conftest.py", "")
    project.write("tests/helpers/words.py", "")
    project.write("tests/data.json", "{}")
    project.write("tests/test_a.py", "")
    project.write("tests/test_b.py", "")
    project.write("tests/own/pytest.ini", "")
    project.write("tests/own/test_own.py", "")
    project.cover()
    return project


def test_no_test_should_be_needed_when_nothing_changed(project: Project) -> None:
    assert project.reasons() == {}
    project.edit("app/shop.py", '"""An app."""', "# An app, with\n# comments.\n\n")
    assert project.reasons() == {}


@pytest.mark.parametrize(
    ("old", "new", "reason", "tests"),
    [
        ("> LIMIT", ">= LIMIT", "Shop.sell() changed", {SELL, BUY}),
        ("Shop().sell()", "Shop().sell(2)", "index() changed", {SELL}),
        ("start += 1", "start += 2", "counter.up() changed", {ODD}),
        ("start = 1", "start = 2", "counter() changed; none of the tests ran it", set()),
        ("return 2", "return 3", "unused() changed; none of the tests ran it", set()),
        (
            "def unused",
            "def more(a: int = 1): pass\n\n\ndef unused",
            "more() is new; none of the tests ran it",
            set(),
        ),
        (
            "def refund",
            "def name(self): pass\n\n    def refund",
            "Shop.name() is new, and may take the place of one of a base class",
            EVERY,
        ),
        (
            "    def up():\n        nonlocal start\n        start += 1\n        return start\n\n",
            "",
            "counter.up() removed",
            {ODD},
        ),
        (
            "def sweep():\n    return 1",
            "def sweep():\n    return 3",
            "sweep() changed; it runs at start-up or in the background",
            EVERY,
        ),
        ("LIMIT = 3", "LIMIT = 4", "code outside of functions, or a decorator, changed", EVERY),
        ("int = 1", "int = 2", "a default or annotation of Shop.sell() changed", EVERY),
        ("LIMIT = 3", "LIMIT = ", "code outside of functions, or a decorator, changed", EVERY),
    ],
)
def test_the_tests_that_ran_a_block_should_be_chosen_when_it_changed(
    project: Project, old: str, new: str, reason: str, tests: set[str]
) -> None:
    project.edit("app/shop.py", old, new)
    assert project.reasons()[f"app/shop.py: {reason}"] == tests


@pytest.mark.parametrize(
    ("name", "text", "reason", "tests"),
    [
        ("app/Dockerfile", "FROM other\n", "app/Dockerfile: changed", EVERY),
        ("app/requirements.txt", "a==2\n", "app/requirements.txt: changed", EVERY),
        ("app/migrations/2.sql", "SELECT 2\n", "app/migrations/2.sql: is new", EVERY),
        ("app/fresh.py", "", "app/fresh.py: is new", EVERY),
        ("app/idle.py", "IDLE = 2\n", "app/idle.py: changed", EVERY),
        ("config/app.toml", "a = 2\n", "config/app.toml: changed", EVERY),
        ("docker-compose.yml", COMPOSE + "#\n", "docker-compose.yml: changed", EVERY),
        (".env", "A=1\n", ".env: is new", EVERY),
        ("pytest.ini", "[pytest]\naddopts=-q\n", "pytest.ini: changed", EVERY),
        ("conftest.py", "", "conftest.py: is new", EVERY),
        ("tests/conftest.py", "A = 1\n", "tests/conftest.py: changed", EVERY),
        ("tests/helpers/words.py", "A = 1\n", "tests/helpers/words.py: changed", EVERY),
        ("tests/data.json", "[]", "tests/data.json: changed", EVERY),
        ("tests/test_a.py", "A = 1\n", "tests/test_a.py: changed", {SELL, BUY}),
        ("tests/test_c.py", "A = 1\n", "tests/test_c.py: is new", set()),
        ("tests/helpers/conftest.py", "", "tests/helpers/conftest.py: is new", set()),
    ],
)
def test_a_file_should_concern_the_tests_that_may_use_it_when_it_changed(
    project: Project, name: str, text: str, reason: str, tests: set[str]
) -> None:
    project.write(name, text)
    assert project.reasons() == {reason: tests}


@pytest.mark.parametrize(
    "name", ["README.md", "made/data.bin", "tests/own/test_own.py", "app/__pycache__/shop.pyc"]
)
def test_no_test_should_be_needed_when_a_file_is_of_no_service_and_no_test(
    project: Project, name: str
) -> None:
    project.write(name, "else")
    assert project.reasons() == {}


def test_every_test_should_be_chosen_when_a_source_is_removed(project: Project) -> None:
    (project.path / "app/shop.py").unlink()
    (project.path / "app/requirements.txt").unlink()
    assert project.reasons() == {
        "app/shop.py: removed": EVERY,
        "app/requirements.txt: removed": EVERY,
    }


def test_a_source_should_be_known_by_its_blocks_when_only_a_test_loaded_it(
    project: Project,
) -> None:
    project.ran = {**project.ran, ODD: [("app/idle.py", 1)]}
    project.cover()
    project.write("app/idle.py", "IDLE = 1\n\n\ndef new(): pass\n")
    assert project.reasons() == {"app/idle.py: new() is new; none of the tests ran it": set()}


def test_every_test_should_be_chosen_when_a_variable_of_a_service_changed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEVEL", "high")
    assert project.reasons() == {"the configuration of service db changed": EVERY}


def test_a_test_should_be_chosen_when_it_is_not_known_what_it_needs(project: Project) -> None:
    project.cover(passed=[SELL], failed=[ODD])
    project.edit("app/shop.py", "start += 1", "start += 2")
    assert project.reasons() == {
        "not seen to pass in its last covered run": {ODD},
        "app/shop.py: counter.up() changed": {ODD},
    }


def test_a_test_should_be_chosen_when_it_passed_on_the_stack_and_none_of_its_lines_arrived(
    project: Project,
) -> None:
    project.ran = {context: lines for context, lines in project.ran.items() if context != ODD}
    project.cover()
    assert project.reasons() == {"no line was credited to it in its last covered run": {ODD}}
    assert project.reasons(on_stack=[SELL, BUY]) == {}


def test_a_change_should_count_when_it_was_made_during_the_covered_run(project: Project) -> None:
    suite = Suite(project.path, (project.path / "tests",), project.path / "pytest.ini")
    begin = state_now(project.settings, resolve(project.settings), suite)
    project.write("tests/test_a.py", "A = 1\n")
    project.write("app/requirements.txt", "a==2\n")
    save_baseline(project.data_dir, begin, suite, EVERY, ())
    assert project.reasons() == {
        "app/requirements.txt: changed": EVERY,
        "tests/test_a.py: changed": {SELL, BUY},
    }


def test_tests_should_be_no_input_of_an_image_when_its_context_is_the_whole_checkout(
    project: Project,
) -> None:
    project.write("docker-compose.yml", "services: {app: {build: .}}\n")
    project.write("Dockerfile", "FROM scratch\n")
    project.cover()
    project.write("tests/test_b.py", "A = 1\n")
    assert project.reasons() == {"tests/test_b.py: changed": {ODD}}
    project.write("coverage-report/index.html", "it comes of a covered run")
    assert project.reasons() == {"tests/test_b.py: changed": {ODD}}
    project.write("README.md", "it goes into the image")
    assert project.reasons()["README.md: is new"] == EVERY


class TestSinceARevision:
    @pytest.fixture(autouse=True)
    def committed(self, project: Project) -> None:
        project.commit()

    def test_what_changed_since_should_count_when_the_covered_run_has_it_already(
        self, project: Project
    ) -> None:
        project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
        project.edit("app/shop.py", "start += 1", "start += 2")
        project.commit()
        project.cover()
        assert project.reasons() == {}
        assert project.reasons("HEAD") == {}
        assert project.reasons("HEAD~1") == {
            "app/shop.py: Shop.sell() changed": {SELL, BUY},
            "app/shop.py: counter.up() changed": {ODD},
        }

    def test_lines_should_be_found_by_the_blocks_name_when_they_moved(
        self, project: Project
    ) -> None:
        project.edit("app/shop.py", "LIMIT = 3\n", "# moved\n" * 9 + "LIMIT = 3\n")
        project.edit("app/shop.py", "start += 1", "start += 2")
        assert project.reasons("main") == {"app/shop.py: counter.up() changed": {ODD}}

    def test_what_is_no_source_should_count_when_git_knows_it_to_differ(
        self, project: Project
    ) -> None:
        (project.path / "app/migrations/1.sql").unlink()
        (project.path / "tests/data.json").unlink()
        project.write("app/more.py", "")
        project.write("tests/test_a.py", "A = 1\n")
        project.cover()
        assert project.reasons() == {}
        assert project.reasons("main") == {
            "app/migrations/1.sql: removed": EVERY,
            "app/more.py: is new": EVERY,
            "tests/data.json: removed": EVERY,
            "tests/test_a.py: changed": {SELL, BUY},
        }

    def test_a_function_should_concern_the_tests_that_ran_it_when_it_is_new(
        self, project: Project
    ) -> None:
        new = "def sweep():\n    return 1\n\n\n"
        project.edit("app/shop.py", new, "")
        project.commit()
        project.write("app/shop.py", APP)
        project.ran = {**project.ran, "": [], ODD: [("app/shop.py", 35)]}
        project.cover()
        assert project.reasons("main") == {"app/shop.py: sweep() is new": {ODD}}

    def test_every_test_should_be_chosen_when_the_covered_run_did_not_have_the_function(
        self, project: Project
    ) -> None:
        project.edit("app/shop.py", "def sweep", "def late():\n    return 1\n\n\ndef sweep")
        project.commit()
        project.edit("app/shop.py", "late():\n    return 1", "late():\n    return 2")
        assert project.reasons("main") == {
            "app/shop.py: late() changed; the last covered run did not have it": EVERY,
            "app/shop.py: late() is new; none of the tests ran it": set(),
        }

    def test_a_change_since_the_covered_run_should_count_when_the_revision_is_newer(
        self, project: Project
    ) -> None:
        project.edit("app/shop.py", "start += 1", "start += 2")
        project.commit()
        assert project.reasons("HEAD") == {"app/shop.py: counter.up() changed": {ODD}}

    def test_every_file_of_another_repository_should_count_when_git_sees_only_that_it_differs(
        self, project: Project
    ) -> None:
        (project.path / "config/app.toml").unlink()
        project.commit()
        subprocess.run(["git", "init", "--quiet", project.path / "config"], check=True)
        project.write("config/app.toml", "a = 1\n")
        project.cover()
        assert project.reasons("main") == {"config/app.toml: changed": EVERY}

    @pytest.mark.parametrize("name", ["gone", "", "--output=x", "HEAD~9"])
    def test_the_revision_should_be_named_when_there_is_none(
        self, project: Project, name: str
    ) -> None:
        with pytest.raises(ConfigError) as caught:
            project.reasons(name)
        assert str(caught.value) == (
            f"{project.path}: git knows no revision {name!r}\n"
            "-> name a branch, a tag or a commit; a shallow clone may lack it: git fetch"
        )

    def test_a_file_should_be_read_as_it_was_when_its_name_is_odd(self, project: Project) -> None:
        name = "app/ä b\n.txt"
        project.write(name, "one")
        project.commit()
        project.write(name, "two")
        revision = Revision(project.path / "app", "main")
        assert revision.changed() == [project.path / name]
        assert revision.content(project.path / name) == b"one"


def test_git_should_be_quoted_when_there_is_no_repository(project: Project) -> None:
    shutil.rmtree(project.path / ".git")
    with pytest.raises(ConfigError) as caught:
        project.reasons("main")
    first, second = str(caught.value).splitlines()
    assert first == f"{project.path}: git cannot tell what changed since a revision"
    assert "not a git repository" in second


def test_it_should_be_said_how_to_make_a_covered_run_when_there_is_none(project: Project) -> None:
    blocks = project.data_dir / "blocks.json"
    known = json.loads(blocks.read_text())
    todo = "-> run all tests once under the spy: pytest --nomock-sidecar-coverage"
    for text, what in (
        (json.dumps({**known, "version": 1}), "what covered runs saw is kept in another form here"),
        ("half a fi", "what covered runs saw is not on record"),
    ):
        blocks.write_text(text)
        with pytest.raises(CoverageError) as caught:
            project.reasons()
        assert str(caught.value) == f"{blocks}: {what}\n{todo}"
    blocks.unlink()
    (project.data_dir / DATA_FILE).unlink()
    with pytest.raises(CoverageError, match="no covered run to look into"):
        project.reasons()


class TestSeveralCoveredRuns:
    """A covered run of some tests adds to what is known."""

    def test_the_other_tests_should_stay_known_when_some_are_covered_again(
        self, project: Project
    ) -> None:
        project.cover(passed=[SELL])
        assert project.reasons() == {}
        project.edit("app/shop.py", "start += 1", "start += 2")
        assert project.reasons() == {"app/shop.py: counter.up() changed": {ODD}}

    def test_each_test_should_be_held_against_its_own_run_when_there_were_several(
        self, project: Project
    ) -> None:
        project.edit("app/shop.py", "> LIMIT", ">= LIMIT")  # SELL and BUY ran it
        project.cover(passed=[SELL])
        assert project.reasons() == {"app/shop.py: Shop.sell() changed": {BUY}}
        project.cover(passed=[BUY])
        assert project.reasons() == {}

    def test_lines_should_be_those_of_the_tests_own_run_when_they_moved(
        self, project: Project
    ) -> None:
        project.edit("app/shop.py", "LIMIT = 3\n", "# moved\n" * 9 + "LIMIT = 3\n")
        project.ran = {ODD: [("app/shop.py", 56)], "": [("app/shop.py", 13)]}
        project.cover(passed=[ODD])
        project.edit("app/shop.py", "start += 1", "start += 2")
        project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
        assert project.reasons() == {
            "app/shop.py: counter.up() changed": {ODD},
            "app/shop.py: Shop.sell() changed": {SELL, BUY},
        }

    def test_a_test_should_be_chosen_when_it_failed_in_the_newest_run(
        self, project: Project
    ) -> None:
        project.cover(passed=[SELL], failed=[BUY])
        project.cover(passed=[ODD])
        assert project.reasons() == {"not seen to pass in its last covered run": {BUY}}
        project.cover(passed=[BUY])
        assert project.reasons() == {}

    def test_a_reason_should_be_one_when_it_holds_for_tests_of_several_runs(
        self, project: Project
    ) -> None:
        project.cover(passed=[SELL])
        project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
        project.write("app/requirements.txt", "a==2\n")
        assert project.reasons() == {
            "app/shop.py: Shop.sell() changed": {SELL, BUY},
            "app/requirements.txt: changed": EVERY,
        }

    def test_no_test_should_be_needed_when_another_run_alone_loaded_the_source(
        self, project: Project
    ) -> None:
        project.ran = {**project.ran, ODD: [("app/idle.py", 1)]}
        project.cover()
        project.cover(passed=[SELL])
        project.write("app/idle.py", "IDLE = 1\n\n\ndef new(): pass\n")
        assert project.reasons() == {"app/idle.py: new() is new; none of the tests ran it": set()}

    def test_a_change_since_a_revision_should_count_when_the_covered_runs_came_after_it(
        self, project: Project
    ) -> None:
        project.commit()
        project.edit("app/shop.py", "start += 1", "start += 2")
        project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
        project.cover(passed=[SELL, BUY])
        project.cover(passed=[ODD])
        assert project.reasons("main") == {
            "app/shop.py: Shop.sell() changed": {SELL, BUY},
            "app/shop.py: counter.up() changed": {ODD},
        }

    def test_a_run_should_be_forgotten_when_none_of_its_tests_is_left(
        self, project: Project
    ) -> None:
        known = project.data_dir / "known"
        project.cover(passed=[ODD])
        assert len(list(known.iterdir())) == 2
        project.cover(passed=[SELL, BUY])  # the last two that the first run knew
        assert len(list(known.iterdir())) == 2
        project.write("tests/test_b.py", "def test_other(): pass\n")  # where ODD was
        project.cover(passed=[SELL])
        assert len(list(known.iterdir())) == 2
        (project.path / "tests/test_a.py").unlink()
        project.cover(passed=["tests/test_b.py::test_other"])
        assert len(list(known.iterdir())) == 1

    def test_what_is_known_should_stay_when_a_covered_run_is_killed(self, project: Project) -> None:
        prepare(project.data_dir, new_run())
        assert project.reasons() == {}

    def test_the_oldest_run_should_be_forgotten_when_there_are_many(self, project: Project) -> None:
        for number in range(30):
            project.cover(passed=[f"tests/test_a.py::{number}"])
        assert len(list((project.data_dir / "known").iterdir())) == 20
        assert project.reasons() == {"not seen to pass in its last covered run": EVERY}


class TestChoosing:
    """The option --affected, in a pytest of its own."""

    @pytest.fixture
    def tiny(self, tiny: Tiny) -> Tiny:
        """A suite of which a covered run saw three tests pass, and what they ran."""
        tiny.compose(app={"image": "none", "build": {"context": "./app"}})
        tiny.write("app/shop.py", APP)
        tiny.write("pytest.ini", "[pytest]\n")
        tiny.write(
            "tests/test_a.py",
            """
            import pytest
            def test_sell(): pass
            @pytest.mark.parametrize("what", ["x"])
            def test_buy(what): pass
            """.replace("\n" + " " * 12, "\n"),
        )
        tiny.write("tests/test_b.py", "def test(): pass\n")
        ran = {
            "": [("app/shop.py", 4)],
            SELL: [("app/shop.py", 21), ("app/shop.py", 31)],
            BUY: [("app/shop.py", 21)],
            ODD: [("app/shop.py", 47)],
        }
        self.project = Project(tiny.path, ran)
        self.project.cover()
        return tiny

    @pytest.mark.parametrize("more", [[], ["-n", "2"]], ids=["one process", "workers"])
    def test_only_the_needed_tests_should_run_and_say_why_when_functions_changed(
        self, tiny: Tiny, more: list[str]
    ) -> None:
        self.project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
        self.project.edit("app/shop.py", "Shop().sell()", "Shop().sell(2)")
        self.project.edit("app/shop.py", "return 2", "return 3")
        result = tiny.run("--affected", *more)
        result.assert_outcomes(passed=2, **({} if more else {"deselected": 1}))
        result.stdout.fnmatch_lines(
            [
                "affected: 2 of 3 tests",
                "  app/shop.py: Shop.sell() changed -> 2 tests",
                "  app/shop.py: index() changed -> 1 test",
                "  app/shop.py: unused() changed; none of the tests ran it -> no test",
            ],
            consecutive=True,
        )
        assert result.stdout.str().count("affected: 2 of 3") == 1
        assert not list((tiny.path / ".nomock").glob("choice-*"))

    def test_each_test_should_have_its_reasons_when_the_output_is_verbose(self, tiny: Tiny) -> None:
        self.project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
        self.project.edit("app/shop.py", "Shop().sell()", "Shop().sell(2)")
        tiny.run("--affected", "-v").stdout.fnmatch_lines(
            [
                "affected: 2 of 3 tests",
                "  tests/test_a.py::test_sell",
                "    app/shop.py: Shop.sell() changed",
                "    app/shop.py: index() changed",
                "  tests/test_a.py::test_buy[[]x]",
                "    app/shop.py: Shop.sell() changed",
                "tests/test_a.py::test_sell PASSED*",
            ],
        )

    @pytest.mark.slow
    @pytest.mark.parametrize("more", [[], ["-n", "2"]], ids=["one process", "workers"])
    def test_a_run_should_be_green_when_no_test_is_needed(
        self, tiny: Tiny, more: list[str]
    ) -> None:
        result = tiny.run("--affected", *more)
        assert result.ret == 0
        result.stdout.fnmatch_lines(
            ["affected: none of 3 tests: nothing that a test ran has changed"]
        )
        # Nothing to choose from is another thing, and stays what pytest makes of it.
        assert tiny.run("--affected", "-k", "nothing", *more).ret == 5

    def test_a_test_should_run_again_when_it_was_red_though_nothing_changed(
        self, tiny: Tiny
    ) -> None:
        tiny.write(".nomock/tests.json", json.dumps({BUY: [1.0, True], SELL: [1.0, False]}))
        result = tiny.run("--affected")
        result.assert_outcomes(passed=1, deselected=2)
        result.stdout.fnmatch_lines(["  failed when it ran last -> 1 test"])

    @pytest.mark.parametrize("more", [[], ["-n", "1"]], ids=["one process", "a worker"])
    def test_the_likeliest_to_fail_should_run_first_when_many_tests_are_affected(
        self, tiny: Tiny, more: list[str]
    ) -> None:
        self.project.edit("app/shop.py", "LIMIT = 3", "LIMIT = 4")
        before = {SELL: [9.0, False], BUY: [9.0, False], ODD: [1.0, False]}
        tests = tiny.write(".nomock/tests.json", json.dumps(before))

        def order() -> list[str]:
            lines = tiny.run("--affected", "-v", *more).outlines
            passed = [line for line in lines if "PASSED" in line]
            return [id_ for line in passed for id_ in EVERY if f"{id_} " in f"{line} "]

        assert order() == [ODD, SELL, BUY]
        tests.write_text(json.dumps({**before, BUY: [9.0, True]}))
        assert order() == [BUY, ODD, SELL]

    def test_the_affected_should_be_of_the_chosen_tests_when_another_option_chooses_too(
        self, tiny: Tiny
    ) -> None:
        self.project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
        result = tiny.run("--affected", "-k", "buy")
        result.assert_outcomes(passed=1, deselected=2)
        result.stdout.fnmatch_lines(["affected: 1 of 1 tests"])

    def test_a_revision_should_be_taken_when_either_name_of_the_option_gives_it(
        self, tiny: Tiny
    ) -> None:
        self.project.git("init", "--quiet", "--initial-branch", "main")
        self.project.commit()
        self.project.edit("app/shop.py", "start += 1", "start += 2")
        self.project.cover()
        for options in (["--affected-since", "main"], ["--affected", "--since", "main"]):
            result = tiny.run(*options)
            result.assert_outcomes(passed=1, deselected=2)
            result.stdout.fnmatch_lines(["  app/shop.py: counter.up() changed -> 1 test"])
        result = tiny.run("--since", "gone")
        assert result.ret == 4
        result.stderr.fnmatch_lines(["ERROR: *: git knows no revision 'gone'"])

    @pytest.mark.parametrize("more", [[], ["-n", "2"]], ids=["one process", "workers"])
    def test_it_should_be_a_usage_error_when_there_was_no_covered_run(
        self, tiny: Tiny, more: list[str]
    ) -> None:
        shutil.rmtree(self.project.data_dir)
        result = tiny.run("--affected", *more)
        assert result.ret == 4
        result.stderr.fnmatch_lines(
            [
                "ERROR: *services.coverage: there is no covered run to look into",
                "-> make one: pytest --nomock-sidecar-coverage",
            ]
        )

    def test_the_reasons_should_stay_a_screenful_when_there_are_many(self, tiny: Tiny) -> None:
        for number in range(30):
            self.project.write(f"app/{number:02}.sql", "")
        result = tiny.run("--affected")
        result.assert_outcomes(passed=3)
        said = [line for line in result.outlines if " -> every test" in line]
        assert len(said) == 18
        result.stdout.fnmatch_lines(["  and 12 more changes; -v says each test's"])


class TestOrder:
    """The likeliest to fail first."""

    def order(self, project: Project, **past: Past) -> list[str]:
        tests = [BUY, ODD, SELL]
        choice = Affected(project.settings, project.data_dir).choose(tests, tests)
        by_id = {"sell": SELL, "buy": BUY, "odd": ODD}
        return in_order(choice, tests, {by_id[name]: how for name, how in past.items()})

    def test_a_test_should_come_first_when_it_alone_runs_a_line_of_the_block(
        self, project: Project
    ) -> None:
        # All of them log in; BUY and ODD, which come first in the suite, do nothing else.
        login = [("app/shop.py", 21)]
        project.ran = {BUY: login, ODD: login, SELL: [*login, ("app/shop.py", 23)]}
        project.cover()
        project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
        assert self.order(project) == [SELL, BUY, ODD]

    def test_the_quicker_of_two_should_come_first_when_they_run_the_same(
        self, project: Project
    ) -> None:
        login = [("app/shop.py", 21)]
        project.ran = {BUY: login, ODD: login, SELL: login}
        project.cover()
        project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
        slow, quick = Past(9.0), Past(1.0)
        assert self.order(project, buy=slow, odd=quick, sell=quick) == [ODD, SELL, BUY]
        # Of what is no source nothing is known but how long each takes.
        project.write("app/requirements.txt", "a==2\n")
        assert self.order(project, buy=slow, odd=quick, sell=slow) == [ODD, BUY, SELL]

    def test_a_slow_test_should_come_first_when_it_failed_the_last_time(
        self, project: Project
    ) -> None:
        project.write("app/requirements.txt", "a==2\n")
        assert self.order(project, sell=Past(9.0, failed=True))[0] == SELL

    def test_a_test_should_come_first_when_its_own_file_is_changed(self, project: Project) -> None:
        project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
        project.write("tests/test_b.py", "def test(): pass\n")
        assert self.order(project)[0] == ODD

    def test_a_test_of_the_rest_of_a_file_should_come_first_when_all_others_only_log_in(
        self,
    ) -> None:
        log_in = [f"t{number}" for number in range(10)]
        found = ties({1: log_in, 9: ["t5"]}, {1}, tests=10)
        assert max(found, key=lambda test: found[test]) == "t5"

    def test_a_line_should_count_more_when_fewer_tests_run_it(self) -> None:
        by_line = {1: ["a", "b", "c", "d"], 2: ["a"], 9: ["b"]}
        found = ties(by_line, {1, 2}, tests=4)
        assert found == {"a": 5 / 2**0.5, "b": pytest.approx(1.4 / 2**0.5), "c": 1, "d": 1}


ANIMALS = '''"""Answers /cat and everything else, each by a function of its own."""
from wsgiref.simple_server import make_server

def cat():
    return b"miaow"

def dog():
    return b"woof"

def app(environ, start_response):
    start_response("200 OK", [])
    return [cat() if environ["PATH_INFO"] == "/cat" else dog()]

if __name__ == "__main__":
    make_server("0.0.0.0", 8000, app).serve_forever()
'''


@pytest.mark.slow
def test_every_test_should_be_chosen_when_the_covered_run_lacks_a_service(tiny: Tiny) -> None:
    packages = "/usr/lib/python3/dist-packages"  # what is in it is not the app's
    tiny.write("idle.py", "import signal\nsignal.pause()\n")
    tiny.write("app/app.py", ANIMALS)
    tiny.compose(
        web=server(
            command=["python3", "/app/app.py"], volumes=["./app:/app:ro"], healthcheck=LISTENS
        ),
        idle=idle(f"exec python3 {packages}/idle.py", volumes=[f"./idle.py:{packages}/idle.py:ro"]),
    )
    overlay(tiny, web=spied("web"), idle=spied("idle"))
    tiny.tests("def test_cat(stack): assert stack['web'].http.get('/cat').text == 'miaow'\n")
    covered = tiny.run("--sidecar-coverage")
    covered.assert_outcomes(passed=1)
    covered.stdout.fnmatch_lines(["ERROR coverage of idle: reported no line"])
    tiny.run("--affected", "--collect-only").stdout.fnmatch_lines(
        ["  not seen to pass in its last covered run -> every test"]
    )


REPLACED = """
import os
from nomock.adapters.engine import Engine
from nomock.polling import wait_until

def is_replaced():
    return [c.id for c in Engine().containers(os.environ["STACK"])] != [os.environ["BEFORE"]]

if "BEFORE" in os.environ:  # else there is nothing to wait for
    assert wait_until(is_replaced, within_s=20)

def test_it(stack):
    assert ">= LIMIT" in stack["app"].exec("cat", "/srv/shop.py")
"""


class TestAhead:
    """A service that changed is replaced before pytest knows its tests."""

    @pytest.fixture
    def tiny(self, tiny: Tiny) -> Tiny:
        tiny.write("app/Dockerfile", f"FROM {IMAGE}\nCOPY shop.py /srv/\n")
        tiny.write("app/shop.py", APP)
        tiny.write("pytest.ini", "[pytest]\n")
        tiny.write("tests/test_app.py", REPLACED)
        tiny.compose(app=idle(build={"context": "./app"}))
        test = "tests/test_app.py::test_it"
        self.project = Project(tiny.path, {"": [("app/shop.py", 4)], test: [("app/shop.py", 21)]})
        self.project.cover(passed=[test])
        with closing(tiny.stack()) as stack:
            stack.prepare()
        return tiny

    @pytest.mark.slow
    @pytest.mark.parametrize("more", [[], ["-n", "1"]], ids=["one process", "a worker"])
    def test_a_service_should_be_replaced_during_collection_when_it_is_changed(
        self, tiny: Tiny, more: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STACK", tiny.name)
        monkeypatch.setenv("BEFORE", tiny.containers()["app"])
        self.project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
        result = tiny.run("--affected", "tests", *more)
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(
            ["building app", "starting app (build context changed - app/shop.py)"]
        )

    def test_nothing_should_be_replaced_when_no_test_needs_it(self, tiny: Tiny) -> None:
        before = tiny.containers()
        self.project.edit("app/shop.py", "return 2", "return 3")
        assert tiny.run("--affected", "tests").ret == 0
        assert tiny.containers() == before

    def test_the_error_should_be_said_once_when_the_change_does_not_build(self, tiny: Tiny) -> None:
        self.project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
        tiny.write("app/Dockerfile", f"FROM {IMAGE}\nRUN echo no such luck && false\n")
        result = tiny.run("--affected", "tests")
        assert result.ret == 6
        assert result.stdout.str().count("an image does not build") == 1


@pytest.mark.parametrize("more", [[], ["-n", "2"]], ids=["one process", "workers"])
def test_only_affected_tests_should_be_chosen_when_covered_runs_went_before(
    tiny: Tiny, more: list[str]
) -> None:
    tiny.write("app/app.py", ANIMALS)
    tiny.compose(
        web=server(
            command=["python3", "/app/app.py"], volumes=["./app:/app:ro"], healthcheck=LISTENS
        )
    )
    overlay(tiny, web=spied("web"))
    tiny.write(
        "tests/test_animals.py",
        "def test_cat(stack): assert stack['web'].http.get('/cat').text == 'miaow'\n"
        "def test_dog(stack): assert stack['web'].http.get('/dog').text == 'woof'\n"
        "def test_red(stack): assert stack['web'].http.get('/dog').text == 'moo'\n"
        "def test_pure(): assert 1 + 1 == 2\n",
    )
    tiny.run("--sidecar-coverage", "tests", *more).assert_outcomes(passed=3, failed=1)

    tiny.write("app/app.py", ANIMALS.replace('b"miaow"', 'b"mi" + b"aow"'))
    result = tiny.run("--affected", "tests", *more)
    result.assert_outcomes(passed=1, failed=1, **({} if more else {"deselected": 2}))
    result.stdout.fnmatch_lines(
        [
            "affected: 2 of 4 tests",
            "  not seen to pass in its last covered run -> 1 test",
            "  app/app.py: cat() changed -> 1 test",
        ],
        consecutive=True,
    )
    result = tiny.nomock("who-tests", "app/app.py:8")
    assert result.outlines == [
        "app/app.py:8 ran in 2 tests",
        "  tests/test_animals.py::test_dog",
        "  tests/test_animals.py::test_red",
        "the file changed since the covered run: its lines may have other numbers now",
    ]

    # A covered run of some tests adds to what is known of the others.
    tiny.run("--sidecar-coverage", "tests", "-k", "dog", *more)
    result = tiny.run("--affected", "--co", "tests")
    result.stdout.fnmatch_lines(["affected: 2 of 4 tests"])

    # How long each took, and which failed, is known from every run on the stack.
    before = json.loads((tiny.path / ".nomock/tests.json").read_text())
    assert {test for test, (_, failed) in before.items() if failed} == {
        "tests/test_animals.py::test_red"
    }
    assert all(took_s > 0 for took_s, _ in before.values())
    assert len(before) == 4

    # A run that needs no stack harvests nothing, and takes nothing of the last one's away.
    tiny.run("--sidecar-coverage", "tests", "-k", "pure").assert_outcomes(passed=1, deselected=3)
    assert "cat() changed -> 1 test" in tiny.run("--affected", "--co", "tests").stdout.str()


def test_it_should_be_said_when_a_revision_is_named_and_git_is_not_installed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(project.path))
    with pytest.raises(ConfigError) as caught:
        project.reasons("main")
    assert str(caught.value) == f"{project.path}: git is not installed, and a revision was named"
