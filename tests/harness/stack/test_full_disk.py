"""A disk that is full, on a real one: one error of ours, whichever piece meets it first."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import filling
import pytest
from filling import fill
from recorded import ran, records
from tiny import Tiny, idle

from nomock.coverage.harvest import ServiceSource, harvest, tell_modules
from nomock.coverage.overlay.files import provide_data_folder, provide_spy
from nomock.coverage.overlay.wheels import provide as provide_tracer
from nomock.errors import StateFolderError

OURS = "nomock's own folder cannot be written"
TESTS = """
from pathlib import Path

import pytest
from filling import fill

@pytest.mark.serial
def test_serial(): pass

def test_plain(): pass

def test_stack(stack): assert stack["only"].exec("id")

def test_fills(stack): fill(Path(".nomock"))

def test_full(stack): assert stack["only"].exec("id")

def test_fault(stack, faults):
    with faults.kill("only"): pass
"""


def as_root(*command: str | Path) -> None:
    """Run a command as root: nobody else may mount."""
    sudo = () if os.geteuid() == 0 else ("sudo", "--non-interactive")
    subprocess.run([*sudo, *command], check=True)


@pytest.fixture
def disk(tiny: Tiny) -> Iterator[Path]:
    """A disk of a few hundred kilobytes and some files, in the place of ``.nomock``."""
    folder = tiny.path / ".nomock"
    folder.mkdir()
    options = f"size=400k,nr_inodes=60,uid={os.geteuid()},mode=755"
    as_root("mount", "-t", "tmpfs", "-o", options, "nomock-test", folder)
    tiny.write("filling.py", Path(filling.__file__).read_text(encoding="utf-8"))
    yield folder
    as_root("umount", "--lazy", folder)


def said(result: pytest.RunResult) -> str:
    text = result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in text
    assert "Traceback" not in text
    return text


@pytest.mark.slow
def test_the_run_should_end_once_by_it_when_the_disk_is_full_before(tiny: Tiny, disk: Path) -> None:
    tiny.compose(only=idle())
    tiny.tests(TESTS)
    fill(disk)
    error = (
        f"{disk}: {OURS}\n  [Errno 28] No space left on device: '{disk}/.gitignore'\n"
        "-> free space there, or let this user write there"
    )
    for workers in ([], ["-n2"]):
        result = tiny.run(*workers)
        assert result.ret == 6
        assert said(result).count(OURS) == 1
        assert error in said(result)
        # A run that needs no stack is as without it.
        tiny.run(*workers, "-k", "serial or plain").assert_outcomes(passed=2)
    for command in ("up", "down"):
        result = tiny.nomock(command)
        assert result.ret == 1
        assert result.stderr.str().strip().endswith(error)
    assert "no container" in said(tiny.nomock("status"))
    assert said(tiny.nomock("heal")) == "healed 0 faults"
    assert tiny.containers() == {}


@pytest.mark.slow
def test_what_may_be_lost_should_be_lost_and_no_fault_begin_when_the_disk_fills_meanwhile(
    tiny: Tiny, disk: Path
) -> None:
    tiny.compose(only=idle())
    tiny.tests(TESTS)
    result = tiny.run("-k", "not serial", "-rE")
    result.assert_outcomes(passed=4, failed=1)
    assert OURS in said(result)  # what a fault takes it takes by a lock
    # All that is needed is there, so that a stack that is ready goes on being used.
    tiny.run("-n1", "-k", "not fault").assert_outcomes(passed=5)
    for number in range(5):
        (disk / f"empty-{number}").unlink()  # files can be made again, but not be written
    failed = said(tiny.run("-k", "fault"))
    assert (
        "fault kill only: it was not put on, since it could not be written down how to undo it"
    ) in failed
    assert f"-> let {disk}/faults/{tiny.name} be written, on a disk that is not full" in failed
    assert tiny.states() == {"only": "running"}
    assert said(tiny.nomock("up")).endswith("1 services ready")
    assert tiny.nomock("status").ret == 0
    assert said(tiny.nomock("diagnose"))


def test_the_table_should_be_there_without_a_report_when_the_disk_is_full(
    tmp_path: Path, disk: Path
) -> None:
    source = tmp_path / "app.py"
    source.write_text("x = 1\n")
    told = ran(1, "/app/app.py", 1, source=source.read_text())
    (disk / "auth-1.ndjson").write_bytes(records(*told))
    fill(disk)
    found = harvest(disk, {"auth": ServiceSource("auth", (tmp_path,))})
    assert [row.covered for row in found.services] == [1]
    (failure,) = found.failures
    assert failure.what.startswith("coverage.py's data cannot be written")
    assert failure.where == str(found.data_file)
    assert not found.data_file.exists()


def test_the_folder_should_be_named_when_what_services_mount_cannot_be_put_there(
    tiny: Tiny, disk: Path
) -> None:
    fill(disk)
    for provide in (
        lambda: provide_spy(tiny.path),
        lambda: provide_data_folder(disk),
        lambda: provide_tracer("cp311", "glibc", "x86_64", disk / "wheels" / "cp311-glibc-x86_64"),
        lambda: tell_modules(disk, {}),
    ):
        with pytest.raises(StateFolderError, match="No space left on device"):
            provide()
