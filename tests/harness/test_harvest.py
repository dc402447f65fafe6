"""The harvest without a container: reading records, finding the sources, counting, reporting."""

from __future__ import annotations

import json
import os
import re
from binascii import crc32
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData

from nomock.errors import CoverageError, UnmappedSourceError
from nomock.harvest import (
    Harvest,
    Row,
    ServiceSource,
    harvest,
    new_run,
    prepare,
    report,
    rows,
    source_of,
)
from nomock.harvest.records import Process, SourceFile, process_of
from nomock.harvest.reporting import percent
from nomock.harvest.sources import HostPaths, python_files

HEADER: dict[str, Any] = {
    "v": 1,
    "tool": "sys.monitoring",
    "service": "auth",
    "run": "r1",
    "python": "3.13.5",
    "host": "4f2a",
    "pid": 1,
    "started": 1.0,
    "unsupported": "",
}


def records(*more: dict[str, Any], **header: Any) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in ({**HEADER, **header}, *more))


def ran(number: int, path: str, lines: list[int], source: bytes | None = None) -> Iterator[Any]:
    """Yield the records of a file that ran, with the fingerprint of its content if given."""
    content = {} if source is None else {"size": len(source), "crc32": crc32(source)}
    yield {"file": number, "path": path, **content}
    yield {"file": number, "lines": lines}


def read(text: bytes) -> Process:
    process = process_of(text, where="a file")
    assert process is not None
    return process


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


class TestReading:
    def test_lines_should_be_joined_by_file_when_several_records_name_it(self) -> None:
        process = read(
            records(
                *ran(0, "/app/a.py", [1]),
                *ran(1, "/app/./b.py", [7]),
                {"file": 0, "lines": [2, 3]},
            )
        )
        assert process.lines == {SourceFile("/app/a.py"): {1, 2, 3}, SourceFile("/app/b.py"): {7}}
        assert (process.service, process.run, process.damaged) == ("auth", "r1", 0)

    @pytest.mark.parametrize("kept", range(1, 22))
    def test_all_before_it_should_be_read_when_the_last_record_is_cut_anywhere(
        self, kept: int
    ) -> None:
        whole = records(*ran(0, "/app/a.py", [1]))
        process = read(whole + b'{"file":0,"lines":[2]}'[:kept])
        assert process.lines == {SourceFile("/app/a.py"): {1}}
        assert process.damaged == 1

    def test_the_rest_should_be_read_when_a_record_in_the_middle_is_damaged(self) -> None:
        whole = records(*ran(0, "/app/a.py", [1]))
        process = read(whole + b'{"file":0,"li\n{"file":0,"lines":[3]}\n{"file":5,"lines":[3]}\n')
        assert process.lines == {SourceFile("/app/a.py"): {1, 3}}
        assert process.damaged == 2

    @pytest.mark.parametrize("text", [b"", b'{"v":1,"to'])
    def test_nothing_should_be_found_when_the_header_is_not_whole(self, text: bytes) -> None:
        assert process_of(text, where="a file") is None

    def test_the_versions_should_be_named_when_the_format_is_another(self) -> None:
        with pytest.raises(CoverageError) as raised:
            process_of(records(v=2), where="auth.1.ndjson")
        assert str(raised.value) == (
            "auth.1.ndjson: these records are of format 2, this nomock reads 1\n"
            "-> mount the coverage-spy folder that came with this nomock"
        )


class TestMapping:
    @pytest.mark.parametrize(
        ("in_container", "in_context"),
        [
            ("/app/auth/app.py", "auth/app.py"),
            ("/app/auth/app.py", "src/auth/app.py"),
            ("/usr/src/app/main.py", "main.py"),
            ("/srv/code/auth/app.py", "services/auth/app.py"),
        ],
    )
    def test_a_file_should_be_found_when_the_image_has_it_elsewhere_than_the_context(
        self, tmp_path: Path, in_container: str, in_context: str
    ) -> None:
        write(tmp_path, {in_context: "", "other/app.py": "", "tests/main.py": "x = 1\n"})
        file = SourceFile(in_container, 0, 0)
        found = HostPaths(ServiceSource("auth", (tmp_path,))).map([file])
        assert found == {file: tmp_path / in_context}

    def test_a_file_should_be_found_when_it_is_from_an_additional_context(
        self, tmp_path: Path
    ) -> None:
        context = write(tmp_path / "auth", {"auth/http.py": "a = 1\n"})
        shared = write(tmp_path / "shared", {"shared/http.py": "b = 2\n"})
        file = SourceFile("/app/shared/http.py", 6, crc32(b"b = 2\n"))
        found = HostPaths(ServiceSource("auth", (context, shared))).map([file])
        assert found == {file: shared / "shared/http.py"}

    def test_a_file_should_be_taken_from_the_mount_when_the_container_has_it_from_there(
        self, tmp_path: Path
    ) -> None:
        context = write(tmp_path / "context", {"auth/app.py": ""})
        live = write(tmp_path / "live", {"auth/app.py": ""})
        file = SourceFile("/app/auth/app.py", 0, 0)
        source = ServiceSource("auth", (context,), {"/app": live})
        assert HostPaths(source).map([file]) == {file: live / "auth/app.py"}

    def test_alike_files_should_be_told_apart_when_others_of_their_folder_are_known(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path, {"src/a/__init__.py": "", "old/a/__init__.py": "", "src/a/b.py": "x = 1\n"})
        empty, full = SourceFile("/app/a/__init__.py", 0, 0), SourceFile("/app/a/b.py")
        found = HostPaths(ServiceSource("auth", (tmp_path,))).map([empty, full])
        assert found[empty] == tmp_path / "src/a/__init__.py"

    def test_each_file_should_be_named_with_its_reason_when_some_cannot_be_mapped(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path, {"a/one.py": "", "b/one.py": "", "stale.py": "x = 2\n"})
        files = [
            SourceFile("/app/one.py", 0, 0),
            SourceFile("/app/stale.py", 6, crc32(b"x = 1\n")),
            SourceFile("/app/gone.py", 6, 1),
        ]
        with pytest.raises(UnmappedSourceError) as raised:
            HostPaths(ServiceSource("auth", (tmp_path,))).map(files)
        assert str(raised.value) == (
            "coverage of auth: it ran files that are not those it is built from\n"
            "  /app/gone.py: no such file in its build contexts and mounts\n"
            f"  /app/one.py: could be {tmp_path}/a/one.py or {tmp_path}/b/one.py\n"
            f"  /app/stale.py: differs from {tmp_path}/stale.py\n"
            "-> where they differ, the image is old: build it again; where they are not the "
            "app's, name the folders that are: NOMOCK_SPY_ROOTS"
        )

    def test_the_files_of_others_should_not_be_looked_at_when_they_lie_in_the_context(
        self, tmp_path: Path
    ) -> None:
        write(
            tmp_path,
            {
                "a.py": "",
                "venv/pyvenv.cfg": "",
                "venv/b.py": "",
                ".hidden/c.py": "",
                "node_modules/d.py": "",
                "e.txt": "",
            },
        )
        assert list(python_files(tmp_path)) == [tmp_path / "a.py"]

    def test_the_sources_should_be_read_when_the_compose_configuration_has_a_spy(
        self, tmp_path: Path
    ) -> None:
        config = {
            "environment": {"NOMOCK_SPY_OUT": "/data"},
            "build": {
                "context": str(tmp_path),
                "additional_contexts": {"base": "docker-image://python", "lib": str(tmp_path)},
            },
            "volumes": [
                {"type": "bind", "source": "/here/out", "target": "/data"},
                {"type": "bind", "source": "/here/app", "target": "/app/"},
                {"type": "volume", "source": "cache", "target": "/cache"},
            ],
        }
        expected = ServiceSource("auth", (tmp_path, tmp_path), {"/app": Path("/here/app")})
        assert source_of("auth", config) == expected
        assert source_of("redis", {"image": "redis", "environment": None}) is None


class TestHarvest:
    @pytest.fixture
    def data_dir(self, tmp_path: Path) -> Path:
        folder = tmp_path / ".nomock/coverage"
        prepare(folder)
        return folder

    @pytest.fixture
    def services(self, tmp_path: Path) -> dict[str, ServiceSource]:
        """Two services with a shared module, and a file each that nothing imports."""
        shared = write(tmp_path / "shared", {"shared/__init__.py": "", "shared/log.py": LOG})
        auth = write(tmp_path / "auth", {"auth/app.py": APP, "auth/unused.py": "a = 1\nb = 2\n"})
        worker = write(tmp_path / "worker", {"main.py": "x = 1\n", "tests/test_x.py": "y = 1\n"})
        return {
            "auth": ServiceSource("auth", (auth, shared)),
            "worker": ServiceSource("worker", (worker, shared)),
        }

    def both_ran(self, data_dir: Path) -> None:
        (data_dir / "auth.a.1.x.ndjson").write_bytes(
            records(*ran(0, "/app/auth/app.py", [1, 2, 3]), *ran(1, "/app/shared/log.py", [1]))
        )
        (data_dir / "worker.b.1.y.ndjson").write_bytes(
            records(
                *ran(0, "/app/main.py", [1]),
                *ran(1, "/app/shared/log.py", [1, 2]),
                service="worker",
            )
        )

    def test_a_shared_file_should_count_for_each_service_that_loads_it_and_once_in_total(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir)
        found = harvest(data_dir, services)
        assert found.services == (Row("auth", 3, 6, 3), Row("worker", 2, 3, 3))
        assert found.total == Row("total", 5, 7, 5)
        assert (found.failure, found.damaged) == (None, 0)
        assert rows(found) == [
            ("auth", "3", "6", "3", "50.0"),
            ("worker", "2", "3", "3", "100.0"),
            ("total", "5", "7", "5", "71.4"),
        ]

    def test_the_data_should_be_coverages_own_when_written(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        self.both_ran(data_dir)
        data = CoverageData(str(harvest(data_dir, services).data_file))
        data.read()
        assert data.lines(str(tmp_path / "auth/auth/app.py")) == [1, 2, 3]
        assert data.lines(str(tmp_path / "auth/auth/unused.py")) == []
        assert data.lines(str(tmp_path / "shared/shared/log.py")) == [1, 2]

    def test_the_reports_should_name_the_files_when_written(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        self.both_ran(data_dir)
        first_page = report(harvest(data_dir, services), tmp_path / "coverage-report")
        assert first_page == tmp_path / "coverage-report/html/index.html"
        assert "unused.py" in first_page.read_text(encoding="utf-8")
        xml = (tmp_path / "coverage-report/coverage.xml").read_text(encoding="utf-8")
        assert re.findall(r'<class name="(\w+\.py)"', xml).count("log.py") == 1

    def test_a_service_should_be_named_and_never_be_0_percent_when_it_reported_no_line(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        (data_dir / "worker.b.1.y.ndjson").write_bytes(
            records(*ran(0, "/app/main.py", [1]), service="worker")
        )
        found = harvest(data_dir, services)
        assert found.failure is not None
        assert str(found.failure) == (
            "coverage of auth: reported no line\n"
            f"  auth: no process of it wrote to {data_dir}; there are records of: worker\n"
            "-> nomock logs auth shows what the spy said; the causes there are: docs/coverage.md"
        )
        assert found.services == (Row("worker", 1, 1, 1),)
        assert rows(found)[0] == ("auth", "-", "-", "-", "none")

    def test_the_reason_should_be_told_when_the_spy_was_there(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        (data_dir / "auth.a.1.x.ndjson").write_bytes(records())
        old = "Python 3.9.2 has no sys.monitoring, it came with 3.12"
        (data_dir / "worker.b.1.y.ndjson").write_bytes(records(service="worker", unsupported=old))
        failure = harvest(data_dir, services).failure
        assert failure is not None
        assert failure.seen == (
            f"auth: 1 of its processes started a spy, and ran no file of the app\nworker: {old}"
        )

    def test_only_the_run_should_count_when_a_process_of_another_wrote_late(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir)
        (data_dir / "auth.a.1.z.ndjson").write_bytes(
            records(*ran(0, "/app/shared/log.py", [2]), run="r0")
        )
        assert harvest(data_dir, services, "r1").services[0].covered == 3
        assert harvest(data_dir, services).services[0].covered == 4

    def test_the_file_should_be_named_when_this_python_cannot_read_it(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        self.both_ran(data_dir)
        write(tmp_path / "auth", {"auth/newer.py": "tomorrow's syntax\n"})
        with pytest.raises(CoverageError) as raised:
            harvest(data_dir, services)
        assert raised.value.where == str(tmp_path / "auth/auth/newer.py")

    def test_nothing_of_the_run_before_should_be_left_when_the_next_is_prepared(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir)
        harvest(data_dir, services)
        prepare(data_dir)
        assert new_run() != new_run()
        assert list(data_dir.iterdir()) == []
        assert data_dir.stat().st_mode & 0o777 == 0o777

    def test_the_folder_should_be_named_when_it_cannot_be_made_ready(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        with pytest.raises(CoverageError) as raised:
            prepare(tmp_path / "file/coverage")
        assert str(raised.value) == (
            f"{tmp_path}/file/coverage: the folder for the spies' records cannot be made ready\n"
            f"  [Errno 20] {os.strerror(20)}: '{tmp_path}/file/coverage'\n"
            "-> remove it, as the user it belongs to, and try again"
        )


@pytest.mark.parametrize(
    ("lines", "covered", "text"),
    [(0, 0, "100.0"), (3, 1, "33.3"), (9999, 9998, "99.9"), (9999, 1, "0.1"), (9, 0, "0.0")],
)
def test_all_and_none_should_be_said_only_when_it_is_so(
    lines: int, covered: int, text: str
) -> None:
    assert percent(Row("auth", 1, lines, covered)) == text


def test_a_report_should_name_the_services_when_none_reported_a_line(tmp_path: Path) -> None:
    prepare(tmp_path / "data")
    found: Harvest = harvest(tmp_path / "data", {"auth": ServiceSource("auth", (tmp_path,))})
    with pytest.raises(CoverageError, match="coverage of auth: reported no line"):
        report(found, tmp_path / "coverage-report")


APP = '''"""Two statements, one of them over three lines."""
def f():
    return {
        1: 2,
    }
'''
LOG = "a = 1\nb = 2\n"
