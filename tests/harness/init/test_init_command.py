"""`nomock init` in a project that knows nothing of nomock, and what is left when it is undone."""

from __future__ import annotations

import json

import pytest
from tiny import LISTENS, NO_PYTHON_IMAGE, Tiny, idle, server

WRITTEN_BY_RUNS = {".nomock", "__pycache__", ".pytest_cache", "stdout", "stderr"}
JOB = "import time; print('works'); time.sleep(1e6)"


def project(tiny: Tiny) -> None:
    tiny.compose(
        web=server(healthcheck=LISTENS),
        cache={
            "image": NO_PYTHON_IMAGE,
            "command": ["redis-server", "--protected-mode", "no"],
            "stop_signal": "SIGKILL",
        },
        worker=idle(f'exec python3 -uc "{JOB}"'),
    )


def test_a_project_should_have_green_tests_and_none_of_it_when_it_was_uninstalled(
    tiny: Tiny,
) -> None:
    project(tiny)
    shown = tiny.nomock("init", "--dry-run")
    assert shown.ret == 0
    assert "+++ b/nomock.just" in shown.outlines
    assert not (tiny.path / "nomock.just").exists()
    assert tiny.states() == {}

    done = tiny.nomock("init")
    assert done.ret == 0, done.stderr.str()
    done.stdout.fnmatch_lines(
        [
            f"stack {tiny.name}*",
            "cache *redis-cli ping*",
            "web *HTTP *GET / answers 200*CPython 3*",
            "worker *logs no trouble*CPython 3*",
            "wrote   tests/test_stack.py",
            "next: pip install nomock; then pytest, and pytest --nomock-sidecar-coverage",
        ]
    )
    written = [line.split()[1] for line in done.outlines if line.startswith("wrote ")]
    assert len(written) == 5
    ended = tiny.run("tests/test_stack.py")
    ended.assert_outcomes(passed=3)

    again = tiny.nomock("init")
    assert "nothing to do: all is there" in again.outlines
    assert tiny.nomock("uninstall").ret == 0
    assert [name for name in written if (tiny.path / name).exists()] == []


@pytest.mark.slow
def test_a_first_test_should_be_red_when_its_service_answers_otherwise(tiny: Tiny) -> None:
    project(tiny)
    assert tiny.nomock("init").ret == 0
    tiny.compose(web={**server(healthcheck=LISTENS), "command": ["python3", "-uc", BROKEN]})
    ended = tiny.run("tests/test_stack.py", "-k", "web")
    ended.assert_outcomes(failed=1)
    assert "assert 500 == 200" in ended.stdout.str()

    (tiny.path / "tests" / "test_stack.py").unlink()
    told = tiny.nomock("init")
    told.stdout.fnmatch_lines(["web * HTTP * GET / answers 500; nomock logs web *"])
    assert not (tiny.path / "tests" / "test_stack.py").exists()


BROKEN = """
import http.server
class Broken(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(500 if self.path == "/" else 404)
http.server.ThreadingHTTPServer(("", 8000), Broken).serve_forever()
"""


@pytest.fixture
def several(tiny: Tiny) -> Tiny:
    """A folder without a compose file, and three below it."""
    for name in ("shop", "bank/deploy", "node_modules/other", "mail"):
        folder = tiny.path / name
        folder.mkdir(parents=True)
        (folder / "compose.yaml").write_text(json.dumps({"services": {"one": idle()}}))
    return tiny


def test_the_stack_should_be_asked_for_when_there_are_several(several: Tiny) -> None:
    done = several.nomock("init", "--no-start")
    assert done.ret == 1
    assert several.plain(done.stderr.str()).strip().splitlines() == [
        "nomock init: which stack are the tests about?",
        "  bank/deploy, mail, shop",
        "-> nomock init bank/deploy",
    ]


def test_the_stack_should_be_named_in_the_settings_when_it_was_chosen(several: Tiny) -> None:
    done = several.nomock("init", "--no-start", "shop")
    assert done.ret == 0, done.stderr.str()
    assert 'files = ["shop/compose.yaml"]' in (several.path / "pyproject.toml").read_text()
    status = several.nomock("status")
    assert "no container" in status.stdout.str()


def test_another_stack_should_have_tests_of_its_own_when_there_are_some_already(
    several: Tiny,
) -> None:
    (several.path / "shop" / "compose.override.yaml").write_text(
        json.dumps({"services": {"two": idle()}})
    )
    for name in ("shop", "bank/deploy"):
        done = several.nomock("init", "--no-start", name)
        assert done.ret == 0, done.stderr.str()
    # What compose would add by itself is named, too.
    named = 'files = ["shop/compose.yaml", "shop/compose.override.yaml"]'
    assert named in (several.path / "pyproject.toml").read_text()
    assert "files" not in (several.path / "bank" / "deploy" / "pyproject.toml").read_text()
    assert "wrote   bank/deploy/nomock.just" in done.outlines
    assert "then pytest bank/deploy, and pytest bank/deploy --nomock" in done.stdout.str()


def test_the_file_should_be_named_in_the_settings_when_compose_would_not_find_it(
    tiny: Tiny,
) -> None:
    (tiny.path / "docker-compose.coverage.yml").write_text("{}")
    for name in ("docker-compose.docs.yml", "docker-compose.local.yml"):
        (tiny.path / name).write_text(json.dumps({"services": {"one": idle()}}))
    done = tiny.nomock("init", "--no-start")
    assert "-> nomock init docker-compose.docs.yml" in done.errlines
    assert "  docker-compose.docs.yml, docker-compose.local.yml" in done.errlines
    for arguments in (
        ["init", "docker-compose.local.yml"],
        ["-f", "docker-compose.local.yml", "init"],
    ):
        done = tiny.nomock(*arguments, "--no-start")
        assert done.ret == 0, done.stderr.str()
        written = tiny.path / "pyproject.toml"
        assert 'files = ["docker-compose.local.yml"]' in written.read_text()
        written.unlink()


def test_which_file_counts_should_be_said_when_there_are_two(tiny: Tiny) -> None:
    tiny.compose(only=idle())
    (tiny.path / "compose.yaml").write_text(json.dumps({"services": {"other": idle()}}))
    done = tiny.nomock("init", "--dry-run")
    assert done.ret == 0
    done.stderr.fnmatch_lines(["compose warned: *compose.yaml*"])


def test_nothing_should_be_started_when_nothing_can_be_written(tiny: Tiny) -> None:
    project(tiny)
    done = tiny.nomock_on_a_read_only_disk("init")
    assert done.ret == 1
    assert f"{tiny.path}: nothing can be written here" in done.errlines
    assert tiny.states() == {}


def test_all_should_be_taken_away_when_the_user_stands_below(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = tiny.path / "src"
    below.mkdir()
    tiny.compose(only=idle())
    monkeypatch.chdir(below)
    for command in ("init --no-start", "uninstall"):
        done = tiny.nomock(*command.split())
        assert done.ret == 0, done.stderr.str()
        assert (tiny.path / "nomock.just").exists() == (command != "uninstall")


def test_the_database_should_be_asked_for_when_there_are_two(tiny: Tiny) -> None:
    database = {"image": "postgres:17", "environment": {"POSTGRES_PASSWORD": "x"}}
    tiny.compose(one=database, two=database)
    done = tiny.nomock("init", "--no-start")
    assert done.ret == 1
    assert "nomock init: which service is the database?" in done.errlines
    assert "-> nomock init --postgres one" in done.errlines
    assert tiny.nomock("init", "--no-start", "--postgres", "two").ret == 0
    assert 'postgres = "two"' in (tiny.path / "pyproject.toml").read_text()


def test_nothing_should_be_written_when_there_is_no_compose_file(tiny: Tiny) -> None:
    done = tiny.nomock("init")
    assert done.ret == 1
    assert f"{tiny.path}: no compose file" in done.errlines
    assert {path.name for path in tiny.path.iterdir()} - WRITTEN_BY_RUNS == {".env"}
