"""What nomock keeps under .nomock: for its user alone, and on a full disk lost, or refused."""

from __future__ import annotations

import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tiny import Tiny, idle

from nomock.errors import ConfigError
from nomock.filelock import FileLock
from nomock.project import Store
from nomock.statefolder import make_state_dir


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no byte be written to any file, as on a full disk; a file without one can be made."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_store_should_be_for_its_user_alone_when_it_was_open_to_all_before(
    tmp_path: Path,
) -> None:
    store, path = Store(tmp_path, "any"), tmp_path / "any.json"
    path.write_text("{}")
    path.chmod(0o644)
    store.write({"password": "open-sesame"})
    assert path.stat().st_mode & 0o777 == 0o600
    assert store.read() == {"password": "open-sesame"}


def test_a_store_should_be_lost_and_not_be_old_when_the_disk_is_full(tmp_path: Path) -> None:
    store = Store(tmp_path, "any")
    store.write({"run": 1})
    with full_disk():
        store.write({"run": 2})
    assert store.read() == {}
    assert [path.name for path in tmp_path.iterdir()] == [".gitignore"]


def test_the_error_should_name_the_folder_when_a_stack_cannot_be_held(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    stack, folder = tiny.stack(), tiny.path / ".nomock"
    shutil.rmtree(folder)
    with full_disk(), pytest.raises(ConfigError) as caught:
        stack.prepare()
    assert str(caught.value) == (
        f"{folder}: nomock's own folder cannot be written\n"
        "  [Errno 27] File too large\n"
        "-> free space there, or let this user write there"
    )
    make_state_dir(folder)
    assert (folder / ".gitignore").read_text().endswith("*\n")
    assert tiny.containers() == {}


def test_a_lock_should_be_held_and_signed_when_the_disk_is_full(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "any.lock")
    with full_disk():
        lock.acquire(exclusive=True)
        lock.sign("a run")
    assert not FileLock(tmp_path / "any.lock").acquires_at_once(exclusive=True)
    lock.close()
