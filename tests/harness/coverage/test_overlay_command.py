"""``nomock overlay`` in somebody else's project, and a covered run, from an installed wheel."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pythons import image_of
from tiny import IMAGE, NO_PYTHON_IMAGE, NOMOCK, ROOT, Tiny, docker, idle, inspect

from nomock.coverage.overlay import Finding, Python, overlay_text
from nomock.coverage.overlay.text import scalar

OVERLAY = "docker-compose.coverage.yml"


@dataclass(frozen=True)
class Installed:
    """A virtual environment that has nomock from its wheel, and nothing of this checkout."""

    folder: Path

    def run(self, tiny: Tiny, *words: str) -> pytest.RunResult:
        """Run a program of the environment in a project."""
        return tiny.pytester.run(self.folder / "bin/python", "-m", *words, timeout=300)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")

    def run(*words: str | Path) -> None:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
    (wheel,) = folder.glob("*.whl")
    environment = folder / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    python = environment / "bin/python"
    run("uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel)
    # The dependencies are this environment's; the .pth of its own nomock is not read from here.
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(environment)


SERVER = """
from http.server import BaseHTTPRequestHandler, HTTPServer

import library  # on the PYTHONPATH that the compose file gives the service


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = library.greeting(self.path).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("", 8000), Handler).serve_forever()
"""
LIBRARY = """
def greeting(path):
    if path == "/never":
        return "never"
    return "hello"
"""
TEST = """
def test_web(stack):
    assert stack["web"].http.get("/").text == "hello"
"""


@pytest.fixture
def foreign(tiny: Tiny) -> Tiny:
    """A project with one service that can be covered, one that runs later, and two that cannot."""
    tiny.write("web/app/server.py", SERVER)
    tiny.write("web/lib/library.py", LIBRARY)
    tiny.write("web/Dockerfile", f"FROM {IMAGE}\nWORKDIR /srv\nCOPY . .\nUSER 10001\n")
    tiny.write("later/job.py", "print('done')\n")
    tiny.compose(
        web={
            "build": "./web",
            "command": ["python3", "-u", "app/server.py"],
            "environment": {"PYTHONPATH": "/srv/lib:/srv/$$other"},
            "ports": ["127.0.0.1::8000"],
            "stop_signal": "SIGKILL",
        },
        closed=idle() | {"command": ["python3", "-I", "-c", "import time; time.sleep(600)"]},
        store={"image": NO_PYTHON_IMAGE, "stop_signal": "SIGKILL", "network_mode": "none"},
        later={
            "image": IMAGE,
            "command": ["python3", "/later/job.py"],
            "volumes": ["./later:/later:ro"],
            "depends_on": ["web"],
        },
        older={
            "image": image_of("3.11"),
            "command": ["python3", "/later/job.py"],
            "volumes": ["./later:/later:ro"],
            "depends_on": ["web"],
        },
    )
    tiny.tests(TEST)
    docker("compose", "--project-directory", str(tiny.path), "up", "--detach", "web", "closed")
    return tiny


def resolved(tiny: Tiny, *files: str) -> Mapping[str, Any]:
    named = [word for file in files for word in ("--file", str(tiny.path / file))]
    services = json.loads(docker("compose", *named, "config", "--format", "json"))["services"]
    assert isinstance(services, dict)
    return services


def test_a_foreign_project_should_be_covered_when_only_the_wheel_is_installed(
    foreign: Tiny, installed: Installed
) -> None:
    done = installed.run(foreign, "nomock.cli", "overlay")
    version = docker("run", "--rm", IMAGE, "python3", "-V").split()[1]
    old = docker("run", "--rm", image_of("3.11"), "python3", "-V").split()[1]
    assert [" ".join(line.replace(version, "3.x").split()) for line in done.outlines] == [
        "service Python core",
        "closed CPython 3.x none -I in its command: Python then reads no PYTHONPATH",
        "later CPython 3.x sys.monitoring",
        f"older CPython {old} coverage.py",
        "store - none no Python in it",
        "web CPython 3.x sys.monitoring",
        f"wrote {OVERLAY}",
        "made .nomock/spy/, this nomock's spy",
    ]
    assert (done.ret, done.errlines) == (0, [])

    services = resolved(foreign, "docker-compose.yml", OVERLAY)
    path = {
        name: s["environment"].get("PYTHONPATH")
        for name, s in services.items()
        if "environment" in s
    }
    assert path == {
        "web": "/nomock-spy:/srv/lib:/srv/$$other",
        "later": "/nomock-spy",
        "older": "/nomock-spy",
    }

    foreign.nomock("up")
    before = foreign.containers()
    shutil.rmtree(foreign.path / ".nomock/spy-wheels")  # as in a fresh clone: it is made again
    covered = installed.run(foreign, "pytest", "--sidecar-coverage", "-k", "web")
    covered.assert_outcomes(passed=1)
    table = {line.split()[0]: line.split()[1:4] for line in covered.outlines if line.strip()}
    assert table["web"] == ["2", "14", "13"]
    assert table["later"] == table["older"] == ["1", "1", "1"]
    assert covered.ret == 0

    spied = foreign.containers()
    recreated = {name for name in before if before[name] != spied[name]}
    assert recreated == {"web", "later", "older"}
    assert installed.run(foreign, "pytest").ret == 0
    plain = foreign.containers()
    assert {name for name in spied if spied[name] != plain[name]} == {"web", "later", "older"}
    assert "NOMOCK_SPY_OUT" not in str(inspect(plain["web"])["Config"]["Env"])


PYTHON_COMMAND = {"image": IMAGE, "command": ["python3", "app.py"]}


@pytest.mark.slow
def test_the_overlay_should_be_written_again_only_when_nobody_changed_it(tiny: Tiny) -> None:
    tiny.compose(one=PYTHON_COMMAND)
    path = tiny.path / OVERLAY
    assert tiny.nomock("overlay").outlines[-2:] == [
        f"wrote {OVERLAY}",
        "made .nomock/spy/, this nomock's spy",
    ]
    first = path.read_text(encoding="utf-8")
    assert tiny.nomock("overlay").outlines[-1] == f"{OVERLAY} is as it should be"

    tiny.compose(one=PYTHON_COMMAND, two=PYTHON_COMMAND)
    assert tiny.nomock("overlay").outlines[-1] == f"wrote {OVERLAY}"
    second = path.read_text(encoding="utf-8")
    assert second.startswith(first.partition("# Sum")[0])
    assert "NOMOCK_SPY_SERVICE: two" in second

    # A comment is a change too: it would be gone.
    path.write_text(second + "# ours\n", encoding="utf-8")
    refused = tiny.nomock("overlay")
    assert refused.ret == 1
    assert [tiny.plain(line) for line in refused.errlines] == [
        f"DIR/{OVERLAY}: this file is not as `nomock overlay` wrote it, and would be written anew",
        "-> compare: nomock overlay --output -; then --force, or another --output",
    ]
    assert path.read_text(encoding="utf-8") == second + "# ours\n"
    assert tiny.nomock("overlay", "--output", "other.yml").outlines[-1] == "wrote other.yml"
    assert tiny.nomock("overlay", "--force").outlines[-1] == f"wrote {OVERLAY}"
    assert path.read_text(encoding="utf-8") == second


def test_nothing_should_be_written_when_the_overlay_is_printed(tiny: Tiny) -> None:
    tiny.compose(one=PYTHON_COMMAND)
    printed = tiny.nomock("overlay", "--output", "-")
    assert printed.errlines[0].split() == ["service", "Python", "core"]
    assert printed.outlines[0].endswith(f"-f docker-compose.yml -f {OVERLAY} up")
    assert not (tiny.path / OVERLAY).exists()
    assert not (tiny.path / ".nomock/spy").exists()
    tiny.write("printed.yml", printed.stdout.str())
    assert resolved(tiny, "docker-compose.yml", "printed.yml")["one"]["environment"] == {
        "NOMOCK_SPY_OUT": "/nomock-spy-data",
        "NOMOCK_SPY_RUN": "",
        "NOMOCK_SPY_SERVICE": "one",
        "PYTHONPATH": "/nomock-spy",
    }


def test_a_folder_should_stay_as_it_is_when_it_is_not_this_nomocks_spy(tiny: Tiny) -> None:
    tiny.compose(one=PYTHON_COMMAND)
    own = tiny.write("coverage-spy/ours.py", "")
    assert tiny.nomock("overlay").outlines[-1] == "made .nomock/spy/, this nomock's spy"
    mounts = resolved(tiny, "docker-compose.yml", OVERLAY)["one"]["volumes"]
    assert mounts[0]["source"] == str(tiny.path / ".nomock/spy")
    assert own.exists()

    # Another version's, as after an upgrade.
    tiny.write(".nomock/spy/gone_since.py", "")
    assert tiny.nomock("overlay").outlines[-1] == "replaced .nomock/spy/, this nomock's spy"
    assert not (tiny.path / ".nomock/spy/gone_since.py").exists()
    compiled = tiny.write(".nomock/spy/__pycache__/x.pyc", "")
    assert tiny.nomock("overlay").outlines[-1] == f"{OVERLAY} is as it should be"
    assert compiled.exists()


FOREIGN_OVERLAY = "services: {one: {environment: {COVERAGE: 1}}}\n"


def test_an_overlay_should_be_refused_before_the_first_test_when_it_is_not_nomocks(
    tiny: Tiny,
) -> None:
    tiny.compose(one=idle())
    tiny.tests("def test_it(stack): raise AssertionError('it must not run')")
    path = tiny.write(OVERLAY, FOREIGN_OVERLAY)
    ran = tiny.run("--sidecar-coverage")
    said = tiny.plain(ran.stdout.str())
    cure = (
        "choose another name for nomock's, in [tool.nomock] of pyproject.toml: "
        'coverage_overlay = "docker-compose.nomock-coverage.yml"; then nomock overlay'
    )
    assert ran.ret == 6, said
    assert f"DIR/{OVERLAY}: the overlay gives no service the spy\n" in said
    assert f"  it is not nomock's: NOMOCK_SPY_OUT is nowhere in it\n-> {cure}" in said
    assert "it must not run" not in said
    assert tiny.states() == {}

    refused = tiny.nomock("overlay", "one")
    assert tiny.plain(refused.errlines[0]) == (
        f"DIR/{OVERLAY}: this file is not nomock's, and stays as it is"
    )
    assert refused.errlines[-1] == f"-> {cure}"
    assert path.read_text(encoding="utf-8") == FOREIGN_OVERLAY


def test_a_covered_run_should_say_it_and_bring_its_own_spy_when_something_came_since(
    tiny: Tiny,
) -> None:
    one = idle("exec python3 -c 'import time; time.sleep(600)'")
    tiny.compose(one=one)
    tiny.tests("def test_it(stack): pass")
    assert tiny.nomock("overlay").ret == 0
    tiny.write(".nomock/spy/nomock_spy/__init__.py", "raise SystemExit('an older one')")
    tiny.compose(one=one, two=one, store={"image": NO_PYTHON_IMAGE, "network_mode": "none"})
    ran = tiny.run("--sidecar-coverage")
    notes = [line for line in ran.outlines if line.startswith("note: ")]
    assert len(notes) == 1, ran.stdout.str()
    assert notes[0].startswith("note: two runs CPython 3.")
    assert notes[0].endswith(" and came after the overlay was written: nomock overlay adds it")
    ran.assert_outcomes(passed=1)


def test_every_user_should_be_able_to_read_the_spy_when_files_are_private_here(tiny: Tiny) -> None:
    tiny.compose(one=PYTHON_COMMAND)
    assert tiny.pytester.run("sh", "-c", f"umask 077; exec {NOMOCK} overlay").ret == 0
    spy = tiny.path / ".nomock/spy"
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in (spy, *spy.rglob("*"))}
    assert modes == {True: 0o755, False: 0o644}
    assert (tiny.path / ".nomock/coverage").stat().st_mode & 0o777 == 0o777


def test_services_should_be_chosen_when_they_are_named(tiny: Tiny) -> None:
    tiny.compose(one=PYTHON_COMMAND, two=PYTHON_COMMAND, store={"image": NO_PYTHON_IMAGE})
    assert tiny.nomock("overlay", "two").ret == 0
    text = (tiny.path / OVERLAY).read_text(encoding="utf-8")
    assert "SERVICE: two" in text
    assert "SERVICE: one" not in text

    refused = tiny.nomock("overlay", "one", "store")
    assert refused.ret == 1
    assert refused.errlines == [
        "coverage of store: cannot be covered",
        "  store: no Python in it",
        "-> change what the reason names, or leave the service out: nomock overlay SERVICE…",
    ]
    assert (tiny.path / OVERLAY).read_text(encoding="utf-8") == text

    unknown = tiny.nomock("overlay", "tow")
    assert (unknown.ret, unknown.errlines[-1]) == (1, "-> did you mean 'two'?")


def test_it_should_be_an_error_when_no_service_can_be_covered(tiny: Tiny) -> None:
    tiny.compose(store={"image": NO_PYTHON_IMAGE}, app={"build": "./app"})
    refused = tiny.nomock("overlay")
    assert refused.ret == 1
    assert refused.errlines[:3] == [
        "coverage of app, store: cannot be covered",
        "  app: its image is not here: docker compose build app",
        "  store: no Python in it",
    ]
    assert not (tiny.path / OVERLAY).exists()


def test_what_is_missing_should_be_named_when_there_is_no_engine_or_compose_file(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = tiny.nomock("overlay")
    assert (refused.ret, tiny.plain(refused.errlines[0])) == (1, "DIR: no compose file here")
    assert not (tiny.path / ".nomock").exists()
    tiny.compose(one=PYTHON_COMMAND)
    monkeypatch.setenv("DOCKER_HOST", "unix:///gone/engine.sock")
    refused = tiny.nomock("overlay")
    assert refused.ret == 1
    assert tiny.plain(refused.errlines[0]) == (
        "engine at unix:///gone/engine.sock: no container engine answers"
    )


@pytest.mark.slow
def test_the_overlay_should_be_named_when_it_cannot_be_written(tiny: Tiny) -> None:
    tiny.compose(one=PYTHON_COMMAND)
    refused = tiny.nomock_on_a_read_only_disk("overlay")
    assert refused.ret == 1
    assert tiny.plain(refused.errlines[0]) == (
        "DIR/docker-compose.coverage.yml: the overlay cannot be written"
    )
    assert "DIR/docker-compose.coverage.yml'" in tiny.plain(refused.errlines[1])
    printed = tiny.nomock_on_a_read_only_disk("overlay", "--output", "-")
    assert printed.ret == 0


ODD_NAMES = ["on", "null", "1e3", "0x1f", "a-b_c.d", "_", "NO"]


def test_compose_should_read_what_was_meant_when_names_and_paths_are_odd(tiny: Tiny) -> None:
    new = Python((3, 13, 5), "cpython", "glibc", "x86_64")
    old = Python((3, 11, 2), "cpython", "musl", "aarch64")
    path = "/a b:/c#d:/e: f:/$HOME/${X}:/'q\"q:/back\\slash:/ünï:"
    findings = [
        *(Finding(name, new) for name in ODD_NAMES),
        Finding("old", old, own_path=path),
        Finding("older", old),
        Finding("left-out", new, reason="for some reason"),
    ]
    text = overlay_text(findings, ["docker-compose.yml", OVERLAY])
    names = [finding.service for finding in findings]
    services = ", ".join(f"{json.dumps(name)}: {{image: x}}" for name in names)
    tiny.compose_text("services: {" + services + "}")
    tiny.write(OVERLAY, text)
    found = resolved(tiny, "docker-compose.yml", OVERLAY)
    assert set(found) == set(names)
    for name in ODD_NAMES:
        assert found[name]["environment"]["NOMOCK_SPY_SERVICE"] == name
        assert [v["target"] for v in found[name]["volumes"]] == ["/nomock-spy", "/nomock-spy-data"]
    # compose doubles a dollar sign in what it prints.
    given = found["old"]["environment"]["PYTHONPATH"].replace("$$", "$")
    assert given == f"/nomock-spy:{path}"
    assert found["old"]["environment"]["NOMOCK_SPY_WHEELS"] == "/nomock-spy-wheels"
    assert found["old"]["volumes"] == found["older"]["volumes"]
    wheels = found["older"]["volumes"][2]
    # compose does not print that it is false, until v5.
    assert not wheels.pop("bind").get("create_host_path")
    assert wheels == {
        "type": "bind",
        "source": str(tiny.path / ".nomock/spy-wheels/cp311-musl-aarch64"),
        "target": "/nomock-spy-wheels/cp311-musl-aarch64",
        "read_only": True,
    }
    assert "environment" not in found["left-out"]


def test_a_scalar_should_be_quoted_only_when_it_has_to_be() -> None:
    assert [scalar(text) for text in ("web", "a-b.c", "/srv/lib")] == ["web", "a-b.c", "/srv/lib"]
    assert [scalar(text) for text in ("on", "", "1", "a: b")] == ['"on"', '""', '"1"', '"a: b"']


def test_the_overlay_of_the_docs_should_be_that_of_the_command_when_written_by_hand(
    tiny: Tiny,
) -> None:
    docs = (ROOT / "docs/coverage.md").read_text(encoding="utf-8")
    by_hand = docs.partition("By hand, a service has\n\n")[2].partition("\n\n")[0]
    tiny.write("by-hand.yml", textwrap.dedent(by_hand))
    web = Finding("web", Python((3, 13, 5), "cpython", "glibc", "x86_64"))
    tiny.write(OVERLAY, overlay_text([web], []))
    tiny.compose(web=PYTHON_COMMAND)
    ours, theirs = (
        resolved(tiny, "docker-compose.yml", name)["web"] for name in (OVERLAY, "by-hand.yml")
    )
    # The short form of a mount lets compose make the folder.
    for volume in (*ours["volumes"], *theirs["volumes"]):
        del volume["bind"]
    assert ours == theirs
