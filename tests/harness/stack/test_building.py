"""What nomock, Python and git leave in a folder is in no image, whatever form a build has."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tiny import IMAGE, Tiny, idle

from nomock.errors import BuildError

_DOCKERFILE = f"FROM {IMAGE}\nCOPY . /srv\n"
_OURS = {
    ".nomock",
    ".pytest_cache",
    "__pycache__",
    ".coverage",
    "report",
    "docker-compose.coverage.yml",
    "coverage-spy",
}


def _built(**build: object) -> dict[str, object]:
    return idle(build=build)


def _inside(tiny: Tiny, service: str) -> set[str]:
    found = tiny.stack()[service].exec("find", "/srv", "-mindepth", "1")
    return {os.path.relpath(path, "/srv") for path in found.splitlines()}


def _prepare(tiny: Tiny) -> list[str]:
    steps: list[str] = []
    stack = tiny.stack()
    try:
        stack.prepare(steps.append)
    finally:
        stack.close()
    return steps


@pytest.fixture
def left(tiny: Tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tiny:
    """A folder in which runs have left all that they leave."""
    # pytester's is the project's folder, and docker's builder writes to it.
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NOMOCK_COVERAGE_REPORT", "report")
    tiny.write("app/code.py", "1")
    tiny.write("app/__pycache__/code.cpython-313.pyc", "1")
    tiny.write("sub/.nomock/resolved-of-another.json", "{}")
    tiny.write(".coveragerc", "[run]\n")
    tiny.write("coverage-spy/nomock_spy/__init__.py", "")
    for name in (".pytest_cache/x", ".coverage", ".coverage.host.1", "report/coverage.json"):
        tiny.write(name, "{}")
    tiny.write("docker-compose.coverage.yml", "# Written by `nomock overlay`, which asked\n")
    return tiny


@pytest.mark.slow
def test_nothing_of_ours_should_be_in_an_image_when_its_build_is_of_any_form(
    left: Tiny,
) -> None:
    left.write("Dockerfile", _DOCKERFILE)
    left.write("deploy/own.Dockerfile", f"{_DOCKERFILE}ARG PRICE\nRUN echo $PRICE > /srv/price\n")
    left.write("deploy/own.Dockerfile.dockerignore", "deploy\n# no end of a line")
    left.write("app/Dockerfile", f"FROM {IMAGE}\nCOPY --from=whole . /srv\n")
    left.write("key.txt", "open-sesame")
    stages = f"FROM {IMAGE} AS one\nCOPY . /srv\nFROM one AS two\nRUN touch /srv/two\n"
    mounted = "RUN --mount=type=secret,id=key cp /run/secrets/key /srv/told\n"
    touched = "RUN touch $$PWD/srv/inline\n"
    (left.path / "link").symlink_to(".")
    (left.path / "Linked").symlink_to("Dockerfile")
    services = {
        "plain": _built(context="."),
        "inline": _built(context=".", dockerfile_inline=_DOCKERFILE + touched),
        "own": _built(context=".", dockerfile="deploy/own.Dockerfile", args={"PRICE": "$$5"}),
        "additional": _built(context="app", additional_contexts={"whole": "."}),
        "target": _built(context=".", dockerfile_inline=stages, target="one"),
        "linked": _built(context="./link", dockerfile="Linked"),
        "secret": _built(context=".", dockerfile_inline=_DOCKERFILE + mounted, secrets=["key"]),
    }
    secrets = {"key": {"file": "key.txt"}}
    left.compose_text(json.dumps({"services": services, "secrets": secrets}))
    _prepare(left)
    for service in left.stack():
        inside = _inside(left, service)
        assert {"app/code.py", ".coveragerc"} <= inside, service
        assert not {part for path in inside for part in path.split("/")} & _OURS, service
    assert not any(path.startswith("deploy") for path in _inside(left, "own"))
    assert left.stack()["own"].exec("cat", "/srv/price").strip() == "$5"
    assert left.stack()["secret"].exec("cat", "/srv/told") == "open-sesame"
    assert "inline" in _inside(left, "inline")
    assert "two" not in _inside(left, "target")
    assert not list((left.path / ".nomock").glob("building-*"))
    assert left.stack().differences() == {}


def test_a_cache_should_be_in_the_image_but_no_secret_of_ours_when_the_user_takes_both_back(
    left: Tiny,
) -> None:
    left.write("Dockerfile", _DOCKERFILE)
    left.write(".dockerignore", "*\n!app\n!**/__pycache__\n!.nomock\n!**/.nomock/**\n")
    left.compose(one=_built(context="."))
    _prepare(left)
    assert _inside(left, "one") == {
        "app",
        "app/code.py",
        "app/__pycache__",
        "app/__pycache__/code.cpython-313.pyc",
    }


def test_a_build_should_be_as_the_user_wrote_it_when_nothing_of_ours_is_in_its_contexts(
    tiny: Tiny, docker_calls: Path
) -> None:
    tiny.write("app/Dockerfile", _DOCKERFILE)
    tiny.compose(one=_built(context="app"))
    _prepare(tiny)
    (line,) = [line for line in docker_calls.read_text().splitlines() if " build " in line]
    assert "--file -" not in line
    assert _inside(tiny, "one") == {"Dockerfile"}


def test_the_error_should_be_dockers_when_its_rules_or_its_dockerfile_are_wrong(
    left: Tiny,
) -> None:
    left.write("Dockerfile", f"FROM {IMAGE}\nCOPY nothing /srv\n")
    left.compose(one=_built(context="."))
    with pytest.raises(BuildError) as caught:
        _prepare(left)
    assert '"/nothing": not found' in caught.value.seen
    left.write("Dockerfile", _DOCKERFILE)
    left.write(".dockerignore", "[a\n")
    with pytest.raises(BuildError) as caught:
        _prepare(left)
    assert "syntax error in pattern" in caught.value.seen
