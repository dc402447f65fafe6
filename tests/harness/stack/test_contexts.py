"""What is read of a build context, when it is read again, and how a change of it is told."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nomock.faults.http.program import put_program
from nomock.project.build_context import Build, Sources
from nomock.project.left_out import LeftOut
from nomock.project.told import what_changed
from nomock.project.written import Written, stores_of

OVERLAYS = ("docker-compose.coverage.yml", "docker-compose.edges.yml")
_opened: list[str] | None = None


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _opened is not None:
        _opened.append(str(arguments[0]))


sys.addaudithook(_hear)


@contextmanager
def _openings() -> Iterator[list[str]]:
    """Give the names of all files that are opened until the block ends."""
    global _opened
    _opened = found = []
    try:
        yield found
    finally:
        _opened = None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A context of three files, the last change of which is long over."""
    folder = tmp_path / "shop"
    (folder / "app").mkdir(parents=True)
    (folder / ".nomock").mkdir()
    (folder / "Dockerfile").write_text("FROM x\nCOPY . .\n")
    (folder / "app/till.py").write_text("1")
    (folder / "app/drawer.py").write_text("1")
    _settle(folder)
    return folder


def _settle(folder: Path) -> None:
    """Wait until the clock of the file system has moved on: by writing, not by sleeping."""
    beside = folder.parent / "clock"
    before = max(p.lstat().st_ctime_ns for p in (folder, *folder.rglob("*")))
    while True:
        beside.write_text("")
        if beside.stat().st_ctime_ns > before + 100_000_000:
            return


def _look(folder: Path, **more: object) -> Sources:
    left_out = LeftOut(folder, "report", OVERLAYS)
    return Build({"context": str(folder), **more}, left_out, folder / ".nomock").look()


def _told(folder: Path, before: dict[str, str], **more: object) -> str:
    return what_changed(before, _look(folder, **more).parts(folder))


def test_nothing_should_be_read_again_when_nothing_was_written(folder: Path) -> None:
    first = _look(folder)
    with _openings() as opened:
        again = _look(folder)
    assert again == first or (again.digest, again.stats) == (first.digest, first.stats)
    assert [name for name in opened if "/app/" in name] == []
    assert again.parts(folder) == first.parts(folder)


def test_one_file_should_be_read_again_when_it_alone_was_written(folder: Path) -> None:
    first = _look(folder)
    (folder / "app/till.py").write_text("2")
    with _openings() as opened:
        again = _look(folder)
    assert {name for name in opened if "/app/" in name} == {str(folder / "app/till.py")}
    assert again.digest != first.digest


def test_a_change_should_be_seen_when_size_and_time_of_the_file_are_as_before(
    folder: Path,
) -> None:
    first, path = _look(folder), folder / "app/till.py"
    before = path.stat()
    path.write_text("2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert _look(folder).digest != first.digest


def test_a_file_should_be_read_again_when_it_was_written_right_before_the_last_look(
    folder: Path,
) -> None:
    path = folder / "app/till.py"
    path.write_text("2")
    _look(folder)
    with _openings() as opened:
        _look(folder)
    assert str(path) in opened


def test_the_digest_should_stay_when_files_are_written_anew_with_the_same_content(
    folder: Path,
) -> None:
    first = _look(folder)
    for name in ("app/till.py", "app/drawer.py"):
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        (folder / name).write_bytes(content)
    again = _look(folder)
    assert again.digest == first.digest
    assert again.stats != first.stats


@pytest.mark.parametrize(
    "path",
    [
        ".nomock/resolved-1.json",
        "app/.nomock/x.json",
        "app/__pycache__/till.pyc",
        "app/till.pyc",
        ".pytest_cache/v/x",
        ".mypy_cache/x",
        ".ruff_cache/x",
        ".hypothesis/x",
        ".coverage",
        ".coverage.host.1",
        "report/html/index.html",
        "coverage-spy/nomock_spy/__init__.py",
        ".git/index",
    ],
)
def test_the_digest_should_be_the_same_when_what_is_nobodys_source_was_written(
    folder: Path, path: str
) -> None:
    first = _look(folder)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text("1")
    assert _look(folder).digest == first.digest


def test_the_overlay_should_count_only_when_somebody_else_wrote_it(folder: Path) -> None:
    first, overlay = _look(folder), folder / "docker-compose.coverage.yml"
    overlay.write_text("# Written by `nomock overlay`, which asked each service.\n")
    assert _look(folder).digest == first.digest
    overlay.write_text("services: {}\n")
    assert _look(folder).digest != first.digest


def test_the_digest_should_stay_when_what_puts_edges_behind_toxiproxy_is_written(
    folder: Path,
) -> None:
    first = _look(folder).digest
    (folder / OVERLAYS[1]).write_text("# Written by `nomock edges --init`. It writes\n")
    put_program(folder)
    assert _look(folder).digest == first


def test_the_commit_should_count_only_when_the_dockerfile_names_gits_folder(
    folder: Path,
) -> None:
    def commit() -> None:
        who = "-c user.name=a -c user.email=a@b.c -c commit.gpgsign=false"
        assert os.system(f"git -C {folder} {who} commit --quiet --allow-empty -m x") == 0

    assert os.system(f"git init --quiet {folder}") == 0
    commit()
    plain = _look(folder).digest
    (folder / "Dockerfile").write_text("FROM x\nRUN --mount=source=.git,target=.git make\n")
    parts = _look(folder).parts(folder)
    commit()
    assert _told(folder, parts) == "build context changed: another commit"
    (folder / "Dockerfile").write_text("FROM x\nCOPY . .\n")
    assert _look(folder).digest == plain


def test_the_file_should_be_named_when_a_context_changed(folder: Path) -> None:
    before = _look(folder).parts(folder)
    assert _told(folder, {}) == "build context changed"
    assert _told(folder, before, target="test") == "build settings changed"
    (folder / "app/till.py").write_text("2")
    assert _told(folder, before) == "build context changed: app/till.py"
    (folder / "app/drawer.py").unlink()
    assert _told(folder, before) == "build context changed: app/drawer.py is gone and 1 more"
    shutil.rmtree(folder / "app")
    (folder / "lib").mkdir()
    (folder / "lib/a\nb.py").write_text("1")
    assert _told(folder, before).startswith("build context changed: app/drawer.py is gone")
    before = _look(folder).parts(folder)
    (folder / "lib/c\udcff\n.py").write_text("1")
    assert _told(folder, before) == "build context changed: new lib/c\\udcff\\n.py"


@pytest.mark.parametrize("name", ["till.log", "data/till.db", "logs/x", "a.sqlite3-wal"])
def test_the_cure_should_be_named_when_runs_may_have_written_what_changed(
    folder: Path, name: str
) -> None:
    before = _look(folder).parts(folder)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("1")
    told = f"build context changed: new {name}"
    assert _told(folder, before) == f"{told}; if runs write it, name it in .dockerignore"
    (folder / "app/till.py").write_text("2")
    assert _told(folder, before) == "build context changed: app/till.py and 1 more"


@pytest.mark.parametrize("name", ["celerybeat-schedule-shm", "db.sqlite3", "logs/web.log"])
def test_what_a_service_writes_into_its_context_should_not_count_when_it_is_mounted(
    folder: Path, name: str
) -> None:
    def digest(*own: Path) -> str:
        build = Build({"context": str(folder)}, written=Written(own=tuple(map(str, own))))
        return build.look().digest

    (folder / "logs").mkdir()
    mounts = [(), (folder / "app",), (folder,), (folder.parent,)]
    before = [digest(*own) for own in mounts]
    (folder / name).write_text("1")
    counts = [digest(*own) != known for own, known in zip(mounts, before, strict=True)]
    assert counts == [True, True, False, False]
    (folder / "app/till.py").write_text("2")
    assert all(digest(*own) != known for own, known in zip(mounts, before, strict=True))


def test_the_digest_should_stay_when_a_database_stores_beside_the_source(folder: Path) -> None:
    database = {
        "volumes": [
            {"type": "bind", "source": f"{folder}/data/db", "target": "/var/lib/postgresql/data"},
            {"type": "bind", "source": f"{folder}/app", "target": "/docker-entrypoint-initdb.d"},
            {"type": "bind", "source": "/elsewhere", "target": "/var/lib/x"},
        ]
    }
    build = Build({"context": str(folder)}, written=Written(stores_of([database])))
    before = build.look().digest
    (folder / "data/db").mkdir(parents=True)
    (folder / "data/db/PG_VERSION").write_text("17")
    assert build.look().digest == before
    (folder / "data/rates.json").write_text("{}")
    assert build.look().digest != before


def test_a_file_should_count_by_its_name_and_stat_when_it_cannot_be_read(folder: Path) -> None:
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    (folder / os.fsdecode(b"caf\xe9")).write_text("1")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
    before = _look(folder)
    assert {"dangling", "pipe", "socket", "caf\udce9"} <= before.parts(folder).keys()
    (folder / "dangling").unlink()
    (folder / "dangling").symlink_to("elsewhere")
    assert _told(folder, before.parts(folder)) == "build context changed: dangling"


def test_the_digest_should_stay_when_what_was_kept_of_it_is_broken(folder: Path) -> None:
    first = _look(folder)
    (kept,) = (folder / ".nomock").glob("context-*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    whole = kept.read_bytes()
    for broken in (b"", b"[1]\n", b"{\n", whole[:-20], whole.replace(b'"version": 1', b'"x": 1')):
        kept.write_bytes(broken)
        assert _look(folder).digest == first.digest
        (folder / "app/till.py").chmod(0o600)
        (folder / "app/till.py").chmod(0o644)
