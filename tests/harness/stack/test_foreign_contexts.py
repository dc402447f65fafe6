"""What is in a build context and is nobody's source makes no run build, and is in no image."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from foreign import Foreign

# Root reads everything; without this it reads what its permissions say, as anybody else does.
_AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def _inside(project: Foreign, service: str = "till", folder: str = "/srv") -> set[str]:
    """Return what is below a folder in the running container of a service."""
    listed = project.compose("exec", "-T", service, "find", folder, "-mindepth", "1")
    assert listed.code == 0, listed.text
    return {os.path.relpath(path, folder) for path in listed.text.splitlines()}


@pytest.mark.slow
def test_a_warm_run_should_build_nothing_when_the_context_is_the_projects_folder(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("build-dot")
    project.write(".env", "TILL_KEY=open-sesame\n")
    project.write("docker-compose.override.yml", "services: {till: {environment: [TILL_KEY]}}\n")
    assert project.pytest("-q").code == 0
    before = project.ids()
    # What runs of pytest, of its plugins and of git leave behind.
    project.write(".pytest_cache/v/cache/lastfailed", "{}")
    project.write("__pycache__/test_till.cpython-313.pyc", "")
    project.write(".mypy_cache/3.13/cache.json", "")
    project.write(".ruff_cache/0.1/1", "")
    project.write(".hypothesis/examples/1", "")
    project.write(".coverage", "")
    project.write(".coverage.host.1.x", "")
    project.write("coverage-report/html/index.html", "")
    assert project.run("git", "init", "--quiet", ".").code == 0
    assert project.run("git", "add", "till.py").code == 0

    done = project.pytest("-q")
    assert done.code == 0
    assert "building" not in done, done.text
    assert project.ids() == before
    status = project.nomock("status")
    assert status.code == 0, status.text
    assert {path.split("/")[0] for path in _inside(project)} == {
        "Dockerfile",
        "docker-compose.yml",
        "docker-compose.override.yml",
    } | {"till.py", "test_till.py", ".env"}
    for path in (project.path / ".nomock").rglob("*"):
        if path.is_file() and b"open-sesame" in path.read_bytes():
            assert path.stat().st_mode & 0o077 == 0, path

    project.write("till.py", (project.path / "till.py").read_text().replace("corner", "harbour"))
    done = project.pytest("-q")
    assert "build context changed - till.py" in done, done.text
    assert "till harbour" in done, done.text
    # BuildKit would take what is there now: it is left out again.
    assert not {".nomock", ".pytest_cache", "__pycache__", ".coverage", "coverage-report"} & {
        path.split("/")[0] for path in _inside(project)
    }


@pytest.mark.slow
def test_a_folder_that_may_not_be_read_should_do_no_harm_when_it_is_left_out(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("build-dot")
    (project.path / ".data/pg").mkdir(parents=True)
    (project.path / ".data/pg").chmod(0)
    anybody = _AS_ANYBODY if os.geteuid() == 0 else []
    pytest = [str(project.bin / "pytest"), "-q", "-p", "no:cacheprovider"]
    done = project.run(*anybody, *pytest)
    assert done.code == 6, done.text
    assert "name it in .dockerignore" in done, done.text
    project.write(".dockerignore", "*\n!till.py\n")
    for _ in range(2):
        done = project.run(*anybody, *pytest)
        assert done.code == 0, done.text
    assert "building" not in done, done.text
    assert _inside(project) == {"till.py"}
