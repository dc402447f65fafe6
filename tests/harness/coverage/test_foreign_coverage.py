"""Covered runs of other people's projects: each ends in a report, and says what is not in it."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable

import pytest
from coverage import CoverageData
from foreign import Done, Foreign


def cover(project: Foreign, *arguments: str) -> Done:
    """Build, add the overlay, and run the tests under the spy."""
    for done in (project.compose("build", "--quiet"), project.nomock("overlay")):
        assert done.code == 0, done.text
    return project.pytest("-q", "--sidecar-coverage", *arguments)


def rows(done: Done) -> dict[str, str]:
    """Return service -> its files, lines, covered lines, percentage and tests."""
    found = re.findall(r"^([\w-]+) +(\d+ +\d+ +\d+ +[\d.]+ +\d+)$", done.text, re.MULTILINE)
    return {name: " ".join(cells.split()) for name, cells in found}


def files(project: Foreign) -> set[str]:
    """Return the files that are in coverage.py's data, as the project names them."""
    data = CoverageData(str(project.path / ".nomock/coverage/services.coverage"))
    data.read()
    root = project.path.resolve()
    return {found.removeprefix(f"{root}/") for found in data.measured_files()}


@pytest.mark.slow
def test_the_report_should_be_there_and_name_what_it_lacks_when_much_of_what_ran_has_no_source(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("left-out")
    done = cover(project, "test_it.py")
    assert done.code == 0, done.text
    # Not fabfile.py and setup.py, which .dockerignore leaves out.
    assert files(project) == {"app/till.py", "app/unused.py"}
    assert rows(done)["till"].split()[0] == "2"
    assert (project.path / "coverage-report/html/index.html").is_file()
    for note in (
        "till: left out: /srv/rules.py: no such file in the container",
        f"till: left out: /srv/version.py: its image changed it: differs from {project.path}",
        f"till: left out: {project.path}/app/old.py: coverage.py cannot read it",
        f"till: tests, and no part of the app: {project.path}/app/test_till.py\n",
    ):
        assert note in done.text, done.text
    assert "no line of it is credited to a test" not in done.text
    made = r"left out: /srv/settings.py, /tmp/tmp\w+/made.py: no such file in its build contexts"
    assert re.search(made, done.text), done.text
    assert "is old" not in done.text


@pytest.mark.slow
def test_a_service_should_be_a_note_when_its_program_is_text_and_it_has_no_file(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("given-as-text")
    done = cover(project)
    assert done.code == 0, done.text
    options = {"option": "-c", "pipe": "-", "module": "-m http.server", "joined": "-m http.server"}
    for name, option in options.items():
        assert f"{name}: it runs python {option}, and no file of the app\n" in done
        assert re.search(rf"^{name} +- +- +- +none +-$", done.text, re.MULTILINE), done.text
    # With files of its own it is as any other, and so it is where a setting says that it has some.
    project.write("shop/till.py", "import http.server as h\nh.test(h.SimpleHTTPRequestHandler)\n")
    compose = project.path / "docker-compose.yml"
    served = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8000)"
    mounted = '"import till"]\n    working_dir: /shop\n    volumes: ["./shop:/shop:ro"]\n'
    text = compose.read_text().replace(f'"{served}"]\n', mounted)
    project.write("docker-compose.yml", text)
    project.environ["NOMOCK_COVERAGE_SOURCES"] = "pipe=shop"
    done = cover(project)
    assert done.code == 6, done.text
    assert rows(done)["option"].startswith("1 2 2 100.0")
    assert "ERROR coverage of pipe: reported no line" in done


@pytest.mark.slow
def test_every_service_should_have_its_own_files_when_they_share_a_context_or_an_image(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("alike")
    done = cover(project)
    assert done.code == 0, done.text
    assert "left out" not in done.text
    assert rows(done).keys() == {"a", "b", "till", "worker", "total"}
    own = ("run.py", "main.py", "lib/util.py", "lib/__init__.py")
    assert files(project) == {
        *("app/work.py", "app/till.py"),
        *(f"services/{name}/{file}" for name in "ab" for file in own),
    }
    # Its two files: the one that it runs, and the other service's, which is in its image too.
    assert rows(done)["worker"].split()[0] == rows(done)["till"].split()[0] == "2"


@pytest.mark.slow
def test_an_edit_should_leave_the_table_and_its_watcher_alive_when_the_file_is_mounted(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("edited-while-running")
    assert cover(project).code == 0
    app = project.path / "app/till.py"
    command = [str(project.bin / "nomock"), "coverage-live", "--watch"]
    with subprocess.Popen(command, cwd=project.path, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        for line in watch.stdout:
            if line.startswith("total "):
                break
        app.write_text(app.read_text().replace('b"one"', 'b"two words"'))
        # The server notices it, and loads the new text.
        for line in watch.stdout:
            if "/srv/till.py: edited while it ran; what ran of its older text" in line:
                break
        else:
            raise AssertionError("the watcher ended")
        watch.send_signal(signal.SIGINT)
        assert watch.wait() == 0
    assert rows(project.nomock("coverage-live"))["till"].split()[0] == "1"


@pytest.mark.slow
def test_an_installed_package_should_be_covered_when_only_a_script_is_in_the_work_dir(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("half-installed")
    done = cover(project)
    assert done.code == 0, done.text
    shop = {"app/src/shop/__init__.py", "app/src/shop/prices.py"}
    assert files(project) == {"app/main.py", *shop}
    assert rows(done)["till"].split()[0] == "3"
