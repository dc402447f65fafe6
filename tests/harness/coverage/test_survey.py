"""Each service is asked which Python its command runs, running or not."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import pytest
from pythons import VERSIONS, image_of
from tiny import IMAGE, NO_PYTHON_IMAGE, Service, Tiny, ask, docker, idle

from nomock.adapters.engine import Engine
from nomock.coverage.overlay import Finding, Python, survey
from nomock.coverage.overlay.finding import reason_of
from nomock.loading import load
from nomock.project import resolve

NO_PYTHON = "no Python in it"


def found(tiny: Tiny, *names: str) -> list[Finding]:
    project = resolve(load(tiny.path))
    return survey(project, Engine(), names or sorted(project.services))


def one(command: Sequence[str] | str, **more: Any) -> Service:
    """A service with the scripts of the test at /scripts; it is not started."""
    return {"image": IMAGE, "command": command, "volumes": ["./scripts:/scripts:ro"], **more}


def script(tiny: Tiny, name: str, *lines: str) -> None:
    tiny.write(f"scripts/{name}", "\n".join([*lines, ""])).chmod(0o755)


def test_the_same_should_be_found_when_a_service_runs_and_when_it_does_not(tiny: Tiny) -> None:
    image_path = {"PYTHONPATH": "/lib:$$HOME"}
    tiny.compose(
        on=idle("exec python3 -c 'import time; time.sleep(600)'", environment=image_path),
        off=idle("exec python3 -c 'import time; time.sleep(600)'", environment=image_path),
        # The spy of a run that is on may not see the question, nor be taken for the service's own.
        spied=idle(environment={"PYTHONPATH": "/nomock-spy:/lib", "NOMOCK_SPY_OUT": "/nowhere"}),
        bare={"image": NO_PYTHON_IMAGE},
        bare_on={"image": NO_PYTHON_IMAGE, "network_mode": "none"},
    )
    docker("compose", "--project-directory", str(tiny.path), "up", "-d", "on", "spied", "bare_on")
    bare, bare_on, off, on, spied = found(tiny)
    assert questions(tiny) == []
    assert (bare.reason, bare_on.reason) == (NO_PYTHON, NO_PYTHON)
    assert bare.core is bare_on.core is None
    assert (on.python, on.reason, on.own_path) == (off.python, off.reason, off.own_path)
    assert (on.reason, on.own_path) == ("", "/lib:$HOME")
    assert spied.own_path == "/nomock-spy:/lib"
    version = docker("run", "--rm", IMAGE, "python3", "-c", "import sys; print(sys.version)")
    assert str(on.python) == "CPython " + version.split()[0]
    assert on.python is not None
    assert (on.python.libc, on.python.machine) == ("glibc", os.uname().machine)


def test_the_newest_image_should_be_asked_when_a_container_runs_an_older_one(tiny: Tiny) -> None:
    def version() -> tuple[int, int]:
        (web,) = found(tiny)
        assert web.python is not None
        return web.python.version[:2]

    tag = f"{tiny.name}:latest"
    tiny.compose(web=idle() | {"image": tag})
    docker("tag", image_of("3.11"), tag)
    try:
        docker("compose", "--project-directory", str(tiny.path), "up", "--detach")
        assert version() == (3, 11)
        docker("tag", image_of("3.14"), tag)
        assert version() == (3, 14)
    finally:
        docker("image", "rm", tag)
    # Only the container has one now.
    assert version() == (3, 11)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_core_should_be_chosen_when_the_version_of_python_is_known(
    tiny: Tiny, version: str
) -> None:
    tiny.compose(web={"image": image_of(version), "command": ["python3", "-u", "app.py"]})
    (web,) = found(tiny)
    assert web.python is not None
    assert web.python.version[:2] == tuple(map(int, version.split(".")))
    assert web.python.tag == "cp" + version.replace(".", "")
    assert web.core == ("coverage.py" if version in {"3.9", "3.11"} else "sys.monitoring")


def test_the_python_of_the_command_should_count_when_path_has_another(tiny: Tiny) -> None:
    """An image like many: the distribution's Python on PATH, the app's in an environment."""
    tiny.write(
        "image/Dockerfile",
        f"FROM {image_of('3.9')} AS old\n"
        f"FROM {image_of('3.11')}\n"
        "RUN python3 -m venv --copies --without-pip /opt/venv\n"
        "RUN mkdir /srv/.venv && ln -s /opt/venv/bin /srv/.venv/bin\n"
        "COPY --from=old /usr/lib/python3.9 /usr/lib/python3.9\n"
        "COPY --from=old /usr/bin/python3.9 /usr/bin/python3\n",
    )
    for name, shebang in {
        "direct": "#!/opt/venv/bin/python3",
        "env": "#!/usr/bin/env -S PYTHONUTF8=1 /opt/venv/bin/python -u",
        "closed": "#!/opt/venv/bin/python3 -Es",
    }.items():
        script(tiny, name, shebang)
    script(tiny, "long", "#!/bin/sh", '\'\'\'exec\' "/opt/venv/bin/python3" "$0" "$@"')
    script(tiny, "entry", "#!/bin/sh", 'exec "$@"')
    path = {"PATH": "/opt/venv/bin:/usr/bin:/bin"}
    scripts, bare = {"PATH": "/scripts:/bin"}, {"PATH": "/bin"}
    script(tiny, "uv", "#!/bin/false")
    tiny.compose(
        a=one(["/opt/venv/bin/python", "-I", "x.py"]),
        b=one(["direct"], environment={"PATH": "/scripts:/opt/venv/bin:/bin"}),
        c=one(["/scripts/entry", "/scripts/env"], environment=path),
        d=one(["/scripts/closed"], environment=path),
        e=one(["/scripts/long"], environment=path),
        f=one(["sh", "-c", "cd /; exec /scripts/direct && /scripts/closed"], environment=path),
        g=one(["/scripts/entry"], environment=path),
        h=one(["sleep", "9"], environment=path),
        # A shell's text is several commands: one that can be covered is enough.
        j=one(["sh", "-c", "/opt/venv/bin/python -I a.py & exec direct"], environment=scripts),
        # What a runner starts is in no word, or in one that only it knows how to find.
        k=one(["/scripts/uv", "run", "till.py"], environment=bare),
        l=one(["/scripts/uv", "run", "serve"], environment=bare, working_dir="/srv"),
        i=one(["env", "-i", "/scripts/direct"], environment=path),
    )
    text = json.loads((tiny.path / "docker-compose.yml").read_text())
    for service in text["services"].values():
        del service["image"]
        service["build"] = "./image"
    tiny.compose_text(json.dumps(text))
    docker("compose", "--project-directory", str(tiny.path), "build", "--quiet")
    findings = {f.service: f for f in found(tiny)}
    assert {n: f.python.version[:2] for n, f in findings.items() if f.python} == dict.fromkeys(
        "abcdefghijkl", (3, 11)
    )
    # Each that it may choose gets what it needs.
    assert [python.tag for python in findings["l"].with_tracer] == ["cp311", "cp39"]
    assert {name: f.reason for name, f in findings.items() if f.reason} == {
        "a": "-I in its command: Python then reads no PYTHONPATH",
        "d": "-Es in the #! line of /scripts/closed: Python then reads no PYTHONPATH",
        "h": "its command is not Python: sleep",
        "i": "env -i in its command takes the environment away",
    }


def test_the_reason_should_be_said_when_a_python_does_not_run(tiny: Tiny) -> None:
    script(tiny, "gone", "#!/gone/bin/python3")
    script(tiny, "python3", "#!/bin/sh", "echo Segmentation fault; exit 139")
    tiny.compose(
        broken=one(["/scripts/gone"]),
        crashes=one(["python3"], environment={"PATH": "/scripts:/bin"}),
    )
    broken, crashes = found(tiny)
    assert broken.reason == "/gone/bin/python3 does not run: No such file or directory"
    assert crashes.reason == "python3 does not run (139): Segmentation fault"


def test_what_to_run_should_be_said_when_an_image_is_not_here(tiny: Tiny) -> None:
    tiny.compose(
        built={"build": "./built"}, pulled={"image": "nomock.invalid/nothing:1"}, there=idle()
    )
    built, pulled, there = found(tiny)
    assert built.reason == "its image is not here: docker compose build built"
    assert pulled.reason == "its image is not here: docker compose pull pulled"
    assert there.reason == ""


def test_a_service_should_be_left_out_when_it_cannot_be_asked(tiny: Tiny) -> None:
    """Nor may the container of the question stay, though what runs in it never ends."""
    script(tiny, "python3", "#!/bin/sh", "exec sleep 600")
    tiny.compose(
        silent=one(["python3"], environment={"PATH": "/scripts:/bin"}),
        stranger=one(["python3"], user="nobody-knows"),
    )
    project = resolve(load(tiny.path))
    silent, stranger = survey(project, Engine(timeout_s=8), ["silent", "stranger"])
    assert silent.reason.startswith("the engine did not answer within 8 s: POST /containers/")
    assert tiny.plain(stranger.reason) == (
        "the engine refused POST /containers/ID/start (500): "
        "unable to find user nobody-knows: no matching entries in passwd file"
    )
    assert questions(tiny) == []


@pytest.mark.parametrize(
    ("version", "implementation", "reason"),
    [
        (
            (3, 8, 20),
            "cpython",
            "it runs CPython 3.8.20, and 3.9 is the oldest that can be covered",
        ),
        ((3, 10, 14), "pypy", "it runs PyPy 3.10.14, and only CPython can be covered"),
        ((3, 9, 0), "cpython", ""),
    ],
)
def test_a_python_should_be_left_out_when_the_spy_does_not_know_it(
    version: tuple[int, int, int], implementation: str, reason: str
) -> None:
    python = Python(version, implementation, "glibc", "x86_64")
    found = {"at": 0, "program": "/bin/python3", "interpreter": "/bin/python3", "options": []}
    assert reason_of(["python3"], found, "", python) == reason


def questions(tiny: Tiny) -> list[str]:
    """Return the containers that are there for a question."""
    filters = json.dumps({"label": [f"nomock.probe={tiny.name}"]})
    return [c["Id"] for c in ask("GET", "/containers/json", all="1", filters=filters)]
