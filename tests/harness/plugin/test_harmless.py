"""nomock in an environment harms no run that does not use it: nothing read, asked or written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT
from tiny import Tiny, environment, idle

# What pytest did, so far as it concerns anything but the interpreter's own and installed files.
RUNS_PYTEST = """
import json, os, sys
found = []
def hook(event, arguments):
    if event in {"open", "os.listdir", "os.scandir", "socket.connect", "subprocess.Popen"}:
        found.append((event, str(arguments[0] if event != "socket.connect" else arguments[1])))
sys.addaudithook(hook)
import pytest
code = pytest.main(sys.argv[2:])
with open(sys.argv[1], "w") as report:
    json.dump({"code": code, "did": found, "loaded": sorted(sys.modules)}, report)
"""
PLAIN = """
    import pytest

    @pytest.fixture
    def stack(): return "our own"

    @pytest.fixture
    def faults(): return "our own"

    @pytest.fixture
    def postgres(): return "our own"

    @pytest.mark.serial
    def test_own(stack, faults, postgres):
        assert {stack, faults, postgres} == {"our own"}
"""
INSTALLED = (sys.prefix, sys.base_prefix, str(ROOT / "src"))


def did(folder: Path, *arguments: str) -> tuple[set[tuple[str, str]], list[str]]:
    """Return what a green run of pytest did outside what is installed, and its modules."""
    report = folder.parent / f"{folder.name}.json"
    temporary = folder.parent / f"{folder.name}-tmp"
    temporary.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", RUNS_PYTEST, report, "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env=environment(PYTHONDONTWRITEBYTECODE="1", TMPDIR=str(temporary)),
        capture_output=True,
        text=True,
    )
    told = json.loads(report.read_text())
    assert told["code"] == 0, done.stdout + done.stderr
    known = (*INSTALLED, str(temporary))
    theirs = {(e, p) for e, p in told["did"] if not p.startswith(known)}
    return theirs, [name for name in told["loaded"] if name.partition(".")[0] == "nomock"]


def harmed(tiny: Tiny) -> None:
    """Everything that nomock could stumble over, if it looked at it."""
    tiny.compose(only=idle())
    (tiny.path / ".env").write_bytes(b"COMPOSE_FILE=gone.yml # f\xfcr\n")
    tiny.write("pyproject.toml", "[tool.nomock]\nthere_is_no = 'such setting'\n")
    tiny.write("docker-compose.override.yml", "not: [a, compose, file")


@pytest.mark.parametrize("has_compose_file", [False, True])
def test_nothing_more_should_be_done_than_without_nomock_when_no_test_uses_a_stack(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, has_compose_file: bool
) -> None:
    (tiny.path / ".env").unlink()
    if has_compose_file:
        harmed(tiny)
        monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    tiny.tests(PLAIN)
    before = sorted(tiny.path.rglob("*"))
    bare, _ = did(tiny.path, "-p", "no:nomock")
    ours, loaded = did(tiny.path)
    assert ours - bare == set()
    assert len(loaded) <= 12, loaded
    assert sorted(tiny.path.rglob("*")) == before


def test_a_run_should_be_as_without_nomock_when_its_workers_use_no_stack(tiny: Tiny) -> None:
    harmed(tiny)
    tiny.tests(PLAIN)
    tiny.write("test_more.py", "def test_first(): pass\ndef test_last(): pass")
    result = tiny.run("-n2", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=3)
    assert not [line for line in result.outlines if line.startswith("nomock:")]
    assert not (tiny.path / ".nomock").exists()


def test_a_run_should_end_for_a_wrong_setting_only_when_it_uses_the_stack(tiny: Tiny) -> None:
    harmed(tiny)
    tiny.tests("def test_plain(): pass\ndef test_stack(stack): pass")
    tiny.run("-k", "plain").assert_outcomes(passed=1, deselected=1)
    for workers in ([], ["-n1"]):
        result = tiny.run(*workers)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert result.stderr.str().count("there is no setting 'there_is_no'") == 1
        assert "INTERNALERROR" not in result.stdout.str()


def without_root(*command: str) -> list[str]:
    """Return a command for which modes count, also where root runs it."""
    if os.geteuid() != 0:
        return [*command]
    setpriv = shutil.which("setpriv")
    assert setpriv is not None, "a part of util-linux"
    lost = "-dac_override,-dac_read_search"
    return [setpriv, "--bounding-set", lost, "--inh-caps", lost, *command]


def test_a_checkout_should_be_tested_when_it_may_not_be_written(tiny: Tiny) -> None:
    tiny.compose(only=idle())
    tiny.tests("def test_plain(): pass\ndef test_stack(stack): assert stack['only'].exec('id')")
    cache = tiny.path.parent / f"{tiny.path.name}-cache"
    tiny.path.chmod(0o555)
    try:
        done = subprocess.run(
            without_root(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n1"),
            cwd=tiny.path,
            env=environment(PYTHONDONTWRITEBYTECODE="1", XDG_CACHE_HOME=str(cache)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    finally:
        tiny.path.chmod(0o755)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    assert not (tiny.path / ".nomock").exists()
    (state,) = (cache / "nomock").iterdir()
    assert (state / f"{tiny.name}.lock").exists()


NO_HOME = """
import os
from nomock.adapters.engine import endpoint
from nomock.config import Settings
from pathlib import Path
os.environ.pop("HOME", None)
if os.geteuid() == 0:
    os.setuid(54321)
print(endpoint({}))
print(Settings(root=Path("/nonexistent")).state_dir.parent.name)
"""


def test_the_engine_should_be_found_when_the_user_has_no_home() -> None:
    done = subprocess.run([sys.executable, "-c", NO_HOME], capture_output=True, text=True)
    address, folder = done.stdout.splitlines()
    assert address.startswith("unix://")
    # Whoever has an entry has a home by it; only root can become somebody without one.
    assert folder == ("nomock-54321" if os.geteuid() == 0 else "nomock")
