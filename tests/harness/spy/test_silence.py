"""Nothing is silent: what a spy could not write or do, the harvest tells of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pythons import image_of
from serving import SPY
from test_spy import Container, lines_of

from nomock.coverage.harvest import ServiceSource, harvest
from nomock.coverage.harvest.folder import read_all
from nomock.errors import StoppedSpyError

# A process of any Python that writes as the spy does. What is lost is asked for by the tests.
BEGINS = """
import os, resource, shutil, sys
from pathlib import Path
sys.modules["_json"] = None  # an interpreter may lack it
sys.path.append(sys.argv[2])
from nomock_spy.contexts import BACKGROUND
from nomock_spy.settings import Settings
from nomock_spy.writer import Writer

out = Path(sys.argv[1])
writer = Writer(Settings({"NOMOCK_SPY_OUT": str(out), "NOMOCK_SPY_SERVICE": "app"}), "a core")
assert writer.open()
writer.release()

def ran(line):
    writer.ran(BACKGROUND, {"/app/app.py": [line]}, {})

def written():
    return "".join(path.read_text() for path in out.glob("*.ndjson"))

def again(line):
    while f"[{line}]" not in written():  # it rests for a second after a failure
        ran(line)

def limit(kind, value):
    resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))

ran(1)
(first,) = out.glob("*.ndjson")
"""
FULL = """
whole = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
limit(resource.RLIMIT_FSIZE, first.stat().st_size + 7)
ran(2)
ran(3)
limit(resource.RLIMIT_FSIZE, whole)
again(4)
"""
NO_DESCRIPTORS = """
whole = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
os.closerange(3, 100)
limit(resource.RLIMIT_NOFILE, 3)
ran(2)
limit(resource.RLIMIT_NOFILE, whole)
again(4)
"""
REMOVED = """
first.unlink()
ran(2)
ran(3)
ran(4)
"""
FOLDER_GONE = """
shutil.rmtree(out)
ran(2)
ran(3)
out.mkdir()
again(4)
"""
TOO_LARGE = f"it could not write: {os.strerror(27)}"
TOO_MANY = f"it could not write: {os.strerror(24)}"
NO_FOLDER = f"it could not write: {os.strerror(2)}"
CANNOT = "not recording: cannot write to OUT"
GONE = "what was in its first file of records is gone: somebody removed it"


@pytest.mark.parametrize(
    ("happens", "lines", "gave_up", "lost", "said"),
    [
        (FULL, {1, 4}, {TOO_LARGE}, [], f"{CANNOT}: {os.strerror(27)}"),
        (NO_DESCRIPTORS, {1, 4}, {TOO_MANY}, [], f"{CANNOT}: {os.strerror(24)}"),
        (REMOVED, {2, 3, 4}, {""}, [GONE], GONE),
        (FOLDER_GONE, {4}, {NO_FOLDER}, [], f"{CANNOT}: {os.strerror(2)}"),
    ],
    ids=["full", "no descriptors", "removed", "folder gone"],
)
def test_what_could_not_be_written_should_be_told_when_a_file_can_be_written_again(
    data_dir: Path,
    happens: str,
    lines: set[int],
    gave_up: set[str],
    lost: list[str],
    said: str,
) -> None:
    command = [sys.executable, "-c", BEGINS + happens, str(data_dir), str(SPY)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.stderr == f"nomock-spy: {said}\n".replace("OUT", str(data_dir))
    assert ended.returncode == 0
    processes = read_all(data_dir).processes
    assert lines_of(processes, "app.py") == lines
    assert {process.gave_up for process in processes} == gave_up
    assert [what for process in processes for what in process.lost] == lost
    app = data_dir.parent / "app.py"
    app.write_text("a = 1\nb = 2\nc = 3\nd = 4\n", encoding="utf-8")
    found = harvest(data_dir, {"app": ServiceSource("app", (app.parent,))})
    stopped = [failure for failure in found.failures if isinstance(failure, StoppedSpyError)]
    (pid,) = {process.pid for process in processes}
    title = f"process {pid} of container {os.uname().nodename[:12]}"
    seen = [f"app: {title}: {why}" for why in gave_up if why]
    assert [line for failure in stopped for line in failure.seen.splitlines()] == seen
    notes = [f"app: what {title} ran may be missing: {what}" for what in lost]
    assert [note for note in found.notes if "may be missing" in note and title in note] == notes


def test_a_process_should_be_told_of_when_not_a_byte_of_it_could_be_written(data_dir: Path) -> None:
    name = "my.web.0badcafe.4f2ac0.example.org.71.deadbeef.ENOSPC.ndjson"
    (data_dir / name).touch()
    (process,) = read_all(data_dir, "0badcafe").processes
    assert (process.service, process.host, process.pid) == ("my.web", "4f2ac0.example.org", 71)
    assert process.canary_failure() == f"it could not write: {os.strerror(28)}"
    assert read_all(data_dir, "deadbeef").others == 1


@pytest.fixture
def container(data_dir: Path) -> Container:
    return Container(image_of("3.13"), data_dir)


def test_what_a_hook_does_not_know_should_be_left_and_told_when_a_package_is_another_version(
    container: Container, tmp_path: Path
) -> None:
    for name, text in {
        "waitress/server.py": "class WSGIServer: pass",
        "hypercorn/app_wrappers.py": "class ASGIWrapper:\n def __init__(self, it): self.it = it\n"
        "class WSGIWrapper(ASGIWrapper): pass",
        "aiohttp/client_reqrep.py": "class ClientRequest:\n def send(self): return 1",
    }.items():
        path = tmp_path / "packages" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    uses = (
        "import sys; sys.path.append('/packages'); import waitress.server, hypercorn.app_wrappers, "
        "aiohttp.client_reqrep as a; "
        "print(hypercorn.app_wrappers.ASGIWrapper(it=7).it, a.ClientRequest().send())"
    )
    mount = ("--mount", f"type=bind,source={tmp_path}/packages,target=/packages,readonly")
    options = container.options(*container.mount, *mount)
    ended = container.run("python3", "-c", uses, options=options)
    assert (ended.returncode, ended.stdout) == (0, "7 1\n")
    (process,) = read_all(container.data_dir).processes
    told = [what.partition(": ")[0] for what in process.lost]
    assert told == [
        f"lost who uses {name}"
        for name in ("waitress.server", "hypercorn.app_wrappers", "aiohttp.client_reqrep")
    ]
    assert ended.stderr == "".join(f"nomock-spy: {what}\n" for what in process.lost)


def test_it_should_be_told_when_a_service_takes_the_tool_id_that_the_spy_has(
    container: Container,
) -> None:
    takes = (
        "import sys; [sys.monitoring.free_tool_id(n) for n in range(6)]\n"
        "for job in ('nomock.test=a.py%3A%3Atest_b', ''): sys.audit('nomock.context', job)"
    )
    ended = container.run("python3", "-c", takes)
    (process,) = read_all(container.data_dir).processes
    told = "no line since the service has taken the spy's tool id of sys.monitoring"
    assert (ended.returncode, ended.stderr) == (0, f"nomock-spy: {told}\n")
    assert process.lost == [told]
