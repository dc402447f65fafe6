"""A run that is forked for these tests is what a process of its own would be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from warm import NOMOCK, PYTEST, Forked

LOOKS = """
import atexit, json, multiprocessing, os, signal, sys, tempfile, threading

found = {
    "argv": sys.argv[1:],
    "bytecode": sys.dont_write_bytecode,
    "environ": {k: v for k, v in os.environ.items() if k[:6] not in ("PYTEST", "PYTHON")},
    "folder": os.getcwd(),
    "input": sys.stdin.read(),
    "interrupt": str(signal.getsignal(signal.SIGINT)),
    "nomock": sorted(n for n in sys.modules if n.split(".")[0] in ("nomock", "anyio", "conftest")),
    "path": sys.path,
    "start": multiprocessing.get_start_method(),
    "streams": [(s.encoding, s.errors, s.write_through) for s in (sys.__stdout__, sys.__stderr__)],
    "temporary": tempfile.gettempdir(),
    "threads": threading.active_count(),
}
with open("found.json", "w") as file:
    json.dump(found, file)
atexit.register(lambda: os.write(1, b"said at the end"))
"""


def test_a_run_should_find_what_a_process_of_its_own_finds_when_it_is_forked(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, no_settings: None
) -> None:
    pytester.makeconftest(LOOKS)
    pytester.makepyfile("def test_it(): pass")
    monkeypatch.setenv("OF_THIS_TEST", "1")

    def found(output: str) -> Any:
        assert "1 passed" in output
        assert output.endswith("said at the end")
        return json.loads((pytester.path / "found.json").read_text())

    forked = found(pytester.run(*PYTEST, "-s").stdout.str())
    path = os.pathsep.join(filter(None, (str(pytester.path), os.environ.get("PYTHONPATH"))))
    own = subprocess.run(
        [*PYTEST, "-s"],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert forked == found(own.stdout)
    assert forked["environ"]["OF_THIS_TEST"] == "1"


def test_a_run_should_be_forked_only_when_it_needs_no_start_of_an_interpreter(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_forked(*command: str) -> bool:
        with (pytester.path / "out").open("w") as out:
            begun = pytester.popen(command, stdout=out, stderr=out, stdin=pytester.CLOSE_STDIN)
            assert begun.wait(60) == 0
        return isinstance(begun, Forked)

    assert is_forked(*PYTEST, "--version")
    assert is_forked(NOMOCK, "--help")
    assert not is_forked(sys.executable, "-c", "pass")
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    assert not is_forked(*PYTEST, "--version")


def test_a_forked_run_should_end_likewise_when_its_program_is_killed_refuses_or_hangs(
    pytester: pytest.Pytester,
) -> None:
    path = pytester.makepyfile("import os\ndef test_it(): os.kill(os.getpid(), 9)")
    assert pytester.run(*PYTEST, path).ret == -9
    assert pytester.run(*PYTEST, "nowhere").ret == pytest.ExitCode.USAGE_ERROR
    path.write_text("from threading import Event\ndef test_it(): Event().wait()")
    with pytest.raises(pytester.TimeoutExpired):
        pytester.run(*PYTEST, path, timeout=1)
