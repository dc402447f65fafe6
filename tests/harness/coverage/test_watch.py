"""``nomock watch``: what is saved runs what it needs, once, and only when it is whole."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from covered_project import APP, BUY, ODD, SELL, Project, edited
from printing import until
from tiny import NOMOCK, Tiny, idle

from nomock.coverage.affected import Watching, load_baseline, syntax_error
from nomock.polling import wait_until


@pytest.fixture
def project(tiny: Tiny) -> Project:
    tiny.compose(app=idle(volumes=["./app:/app:ro"]))
    tiny.write("app/shop.py", APP)
    tiny.write("pytest.ini", "[pytest]\n")
    tiny.write(
        "tests/test_a.py",
        "import pytest\n"
        "def test_sell(): pass\n"
        "@pytest.mark.parametrize('what', ['x'])\n"
        "def test_buy(what): pass\n",
    )
    tiny.write("tests/test_b.py", "def test(): pass\n")
    file = "app/shop.py"
    ran = {"": [(file, 4)], SELL: [(file, 21), (file, 31)], BUY: [(file, 21)], ODD: [(file, 47)]}
    project = Project(tiny.path, ran)
    project.cover()
    return project


class TestWatching:
    """What counts as a save."""

    def watching(self, project: Project, *steps: Callable[[], object]) -> Watching:
        """Return what watches, with a step of an editor in each of its pauses."""
        [run] = load_baseline(project.data_dir)
        left = iter(steps)

        def pause() -> None:
            next(left, lambda: None)()

        return Watching(project.settings, run.suite, pause)

    def said(self, watching: Watching) -> list[str]:
        return [f"{c.where.name if c.where else ''}: {c.what}" for c in watching.wait()]

    def test_a_file_should_be_one_save_when_it_is_written_in_pieces(self, project: Project) -> None:
        whole = "def test(): pass\ndef test_more(): pass\n"
        watching = self.watching(
            project,
            lambda: project.write("tests/test_b.py", ""),
            lambda: project.write("tests/test_b.py", whole[:20]),
            lambda: project.write("tests/test_b.py", whole),
        )
        assert self.said(watching) == ["test_b.py: changed"]
        assert (project.path / "tests/test_b.py").read_text() == whole

    def test_a_file_should_be_one_save_when_it_is_put_in_place(self, project: Project) -> None:
        watching = self.watching(
            project,
            lambda: project.write("app/.shop.py.swp", "of vim"),
            lambda: project.write("app/shop.py~", APP),
            lambda: project.write("app/shop.py.new", edited("> LIMIT", ">= LIMIT")),
            lambda: (project.path / "app/shop.py.new").replace(project.path / "app/shop.py"),
        )
        assert self.said(watching) == ["shop.py: Shop.sell() changed"]

    def test_a_file_should_not_be_told_when_no_code_of_it_changed(self, project: Project) -> None:
        watching = self.watching(
            project,
            lambda: (project.path / "tests/test_b.py").touch(),
            lambda: None,
            lambda: project.edit("app/shop.py", "return 2", "return 2  # two"),
            lambda: None,
            lambda: project.write("tests/test_new.py", ""),
        )
        assert self.said(watching) == ["test_new.py: is new"]

    def test_an_earlier_change_should_not_be_told_again_when_the_file_is_saved_anew(
        self, project: Project
    ) -> None:
        watching = self.watching(
            project,
            lambda: project.edit("app/shop.py", "> LIMIT", ">= LIMIT"),
            lambda: None,
            lambda: project.edit("app/shop.py", "start += 1", "start += 2"),
        )
        assert self.said(watching) == ["shop.py: Shop.sell() changed"]
        assert self.said(watching) == ["shop.py: counter.up() changed"]


def test_the_line_should_be_said_when_python_cannot_read_a_file(tmp_path: Path) -> None:
    file = tmp_path / "half.py"
    file.write_text("a = 1\ndef f(:\n")
    assert syntax_error(file) == "line 2: invalid syntax"
    file.write_text("a = 1\n")
    assert syntax_error(file) == ""
    assert syntax_error(tmp_path / "gone.py") == ""


@pytest.fixture
def process(tiny: Tiny, project: Project) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [NOMOCK, "watch", "-p", "no:cacheprovider", "tests"],
        cwd=tiny.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            until(process, "watching ")
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def test_a_save_should_run_what_it_needs_when_its_file_is_whole(
    tiny: Tiny, project: Project, process: subprocess.Popen[str]
) -> None:
    tiny.write("tests/test_b.py", "def test(:\n")
    said = until(process, "not run: ")
    assert "tests/test_b.py: changed" in said
    assert "not run: tests/test_b.py, line 1: invalid syntax" in said

    tiny.write("tests/test_b.py", "def test(): assert 1 + 1 == 2\n")
    said = until(process, " passed")
    assert [line for line in said if "not run" in line or "affected" in line] == []
    assert said[-1].startswith("1 passed")

    project.edit("app/shop.py", "> LIMIT", ">= LIMIT")
    said = until(process, " passed")
    assert "app/shop.py: Shop.sell() changed" in said
    assert "tests/test_b.py: changed" not in said  # that is told, and had its run
    assert "  app/shop.py: Shop.sell() changed -> 2 tests" in said

    os.killpg(process.pid, signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.read().endswith("\nstopped; the stack stays as it is: nomock down\n")
    assert process.wait() == 0
    assert tiny.states() == {"app": "running"}


def test_the_tests_should_end_with_their_teardown_when_the_watch_is_stopped(
    tiny: Tiny, process: subprocess.Popen[str]
) -> None:
    tiny.write(
        "tests/test_b.py",
        "import pathlib, pytest, signal\n"
        "@pytest.fixture\n"
        "def thing():\n"
        "    yield\n"
        "    pathlib.Path('torn-down').touch()\n"
        "def test(thing):\n"
        "    pathlib.Path('began').touch()\n"
        "    signal.pause()\n",
    )
    assert wait_until((tiny.path / "began").exists, within_s=60)
    os.killpg(process.pid, signal.SIGINT)
    assert process.stdout is not None
    said = process.stdout.read()
    assert "KeyboardInterrupt" in said
    assert said.endswith("\nstopped; the stack stays as it is: nomock down\n")
    assert process.wait() == 0
    assert (tiny.path / "torn-down").exists()
    assert tiny.states() == {"app": "running"}


def test_it_should_be_said_what_to_do_when_there_was_no_covered_run(tiny: Tiny) -> None:
    tiny.compose(app=idle())
    result = tiny.nomock("watch")
    assert result.ret == 1
    result.stderr.fnmatch_lines(
        ["*there is no covered run to look into", "-> make one: pytest --nomock-sidecar-coverage"]
    )
