"""The harvest without a container: reading records, finding the sources, counting, reporting."""

from __future__ import annotations

import json
import os
import sys
import xml.etree.ElementTree as ElementTree
from binascii import crc32
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from coverage import CoverageData
from recorded import CANARY, HEADER, TEST_A, TEST_B, context, file, lines, ran, records

from nomock.coverage.harvest import (
    MODULES_FILE,
    Harvest,
    Row,
    ServiceSource,
    count,
    gather,
    harvest,
    new_run,
    prepare,
    report,
    source_of,
    sources_of,
    table,
    tell_modules,
)
from nomock.coverage.harvest.folder import read_all
from nomock.coverage.harvest.inside import Unknown
from nomock.coverage.harvest.modules import modules
from nomock.coverage.harvest.reading import header_of, process_of
from nomock.coverage.harvest.records import Process, SourceFile, numbers
from nomock.coverage.harvest.reporting import percent
from nomock.coverage.harvest.sources import HostPaths, Mapped, NoSource, Unmapped, source_files
from nomock.errors import CoverageError, NoCoverageError, UnmappedSourceError
from nomock.project import Project, ServiceConfig


def read(text: bytes, since_s: float | None = None) -> Process:
    header, *rest = text.splitlines(keepends=True)
    found = header_of(header)
    assert found is not None
    return process_of(found, rest, where="a file", since_s=since_s)


def ran_in(process: Process) -> dict[tuple[str, str], set[int]]:
    """Return context, path -> lines."""
    return {(r.context.label, r.file.path): set(numbers(r.lines)) for r in process.ran()}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


class TestReading:
    def test_lines_should_be_joined_by_context_and_file_when_several_records_name_them(
        self,
    ) -> None:
        process = read(
            records(
                context(1, TEST_A),
                *ran(0, "/app/a.py", 1),
                *ran(1, "/app/./b.py", 7),
                lines(0, 2, 3),
                lines(0, 70, context=1),
                context(2, TEST_A),  # the same, under another number
                file(2, "/app/a.py"),
                lines(2, 71, context=2),
            )
        )
        assert ran_in(process) == {
            ("", "/app/a.py"): {1, 2, 3},
            ("", "/app/b.py"): {7},
            (TEST_A, "/app/a.py"): {70, 71},
        }
        assert (process.service, process.run, process.host, process.pid, process.damaged) == (
            *("auth", "r1", "4f2a", 1),
            0,
        )

    def test_a_fault_should_be_part_of_the_context_when_one_was_on(self) -> None:
        process = read(
            records(
                context(1, TEST_A, "latency auth->db"),
                file(0, "/app/a.py"),
                lines(0, 4, context=1),
            )
        )
        assert set(ran_in(process)) == {(f"{TEST_A}|fault=latency auth->db", "/app/a.py")}

    @pytest.mark.parametrize("test", ["", "checkout", "tests/test_x.py", "user=7"])
    def test_lines_should_count_as_background_when_the_test_is_none_of_pytests(
        self, test: str
    ) -> None:
        process = read(
            records(context(1, test, "a fault"), *ran(0, "/app/a.py", 1), lines(0, 2, context=1))
        )
        assert [(r.context.label, r.lines) for r in process.ran()] == [("", 0b10), ("", 0b100)]

    def test_lines_should_be_left_out_when_they_are_of_the_canary_or_of_the_spy_itself(
        self,
    ) -> None:
        process = read(
            records(
                *CANARY,
                file(1, "/nomock-spy/nomock_spy/servers/asgi.py"),
                lines(1, 3),
                *ran(2, "/app/a.py", 1),
            )
        )
        assert ran_in(process) == {("", "/app/a.py"): {1}}

    def test_lines_should_be_the_same_when_they_are_a_list_or_a_bitmap(self) -> None:
        listed = {"in": 0, "at": 5.0, "lines": {"0": [3, 3, 64]}}
        process = read(records(file(0, "/app/a.py"), listed, lines(0, 3, 4)))
        assert ran_in(process) == {("", "/app/a.py"): {3, 4, 64}}

    def test_line_0_should_not_count_when_a_spy_recorded_it(self) -> None:
        assert ran_in(read(records(*ran(0, "/app/a.py", 0, 1)))) == {("", "/app/a.py"): {1}}

    def test_only_what_was_written_later_should_count_when_a_moment_is_given(self) -> None:
        text = records(
            *ran(0, "/app/a.py", 1), lines(0, 2, at=9.5), lines(0, 3, at=10.0, arcs={"0": [[2, 3]]})
        )
        (found,) = read(text, since_s=10.0).ran()
        assert (numbers(found.lines), found.arcs) == ([3], ((2, 3),))

    @pytest.mark.parametrize("kept", range(1, 40))
    def test_all_before_it_should_be_read_when_the_last_record_is_cut_anywhere(
        self, kept: int
    ) -> None:
        whole, last = records(*ran(0, "/app/a.py", 1)), json.dumps(lines(0, 2)).encode()
        process = read(whole + last[:kept])
        assert ran_in(process) == {("", "/app/a.py"): {1}}
        assert process.damaged == 1

    @pytest.mark.parametrize(
        "record",
        [
            b"\xff\xfe\0",
            b"{}garbage",
            b"[1]",
            b'{"in":0,"li',
            b'{"in":7,"lines":{"0":"2"}}',
            b'{"in":0,"lines":{"9":"2"}}',
            b'{"in":0,"lines":{"0":"zz"}}',
            b'{"in":0,"lines":{"0":"-8"}}',
            b'{"in":0,"lines":[1]}',
            b'{"in":0,"lines":{"0":[-1]}}',
            b'{"in":0,"lines":{"0":["1"]}}',
            b'{"in":0,"arcs":{"0":[[1]]}}',
            b'{"context":4,"test":5}',
            b'{"path":5,"file":9}',
        ],
        ids=lambda record: ascii(record.decode(errors="replace")),
    )
    def test_the_rest_should_be_read_when_a_record_in_the_middle_is_damaged(
        self, record: bytes
    ) -> None:
        process = read(
            records(*ran(0, "/app/a.py", 1))
            + record
            + b"\n"
            + json.dumps(lines(0, 3)).encode()
            + b"\n"
        )
        assert ran_in(process) == {("", "/app/a.py"): {1, 3}}
        assert process.damaged == 1

    def test_a_record_should_be_passed_over_when_its_kind_is_not_known(self) -> None:
        assert read(records({"weather": "fine"})).damaged == 0

    def test_a_file_should_be_refused_when_its_format_is_another(self, tmp_path: Path) -> None:
        old = {name: value for name, value in HEADER.items() if name != "core"}
        path = tmp_path / "auth.r1.a.1.x.ndjson"
        path.write_text(json.dumps({**old, "v": 2, "engine": "sys.monitoring"}) + "\n")
        with pytest.raises(CoverageError) as raised:
            read_all(tmp_path, "r1")
        assert str(raised.value) == (
            f"{path}: these records are of format 2, this nomock reads 3\n"
            "-> cover the tests again, which starts the services with the spy of this nomock; "
            "where they mount another one, first: nomock overlay"
        )


class TestCanary:
    def test_a_process_should_be_proved_when_it_reported_what_ran_and_nothing_else(self) -> None:
        assert read(records(*CANARY)).canary_failure() == ""
        assert read(records(*CANARY), since_s=99.0).canary_failure() == ""

    @pytest.mark.parametrize(
        ("text", "failure"),
        [
            (lambda: records(), "it reported no canary"),
            (
                lambda: records(*CANARY[:2], lines(90, 11, context=90), CANARY[-1]),
                "its canary's line 12 ran and was not reported",
            ),
            (
                lambda: records(*CANARY[:2], lines(90, 12), CANARY[-1]),
                "its canary's line 12 ran and was not reported",
            ),
            (
                lambda: records({"canary": -1, "context": 7, "hit": 12, "missed": 14}),
                "its canary's line 12 ran and was not reported",
            ),
            (
                lambda: records(*CANARY, lines(90, 14, context=90)),
                "its canary's line 14 did not run and was reported",
            ),
            (
                lambda: records(core=None, unsupported="Python 3.6.9 is too old"),
                "Python 3.6.9 is too old",
            ),
        ],
        ids=["none", "not the line", "not its context", "not even a file", "too much", "no core"],
    )
    def test_the_failure_should_be_said_when_a_process_is_not_proved(
        self, text: Callable[[], bytes], failure: str
    ) -> None:
        assert read(text()).canary_failure() == failure


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
        assert found == Mapped({file: tmp_path / in_context})

    def test_a_file_should_be_found_when_it_is_from_an_additional_context(
        self, tmp_path: Path
    ) -> None:
        context = write(tmp_path / "auth", {"auth/http.py": "a = 1\n"})
        shared = write(tmp_path / "shared", {"shared/http.py": "b = 2\n"})
        file = SourceFile("/app/shared/http.py", 6, crc32(b"b = 2\n"))
        found = HostPaths(ServiceSource("auth", (context, shared))).map([file])
        assert found == Mapped({file: shared / "shared/http.py"})

    def test_a_file_should_be_taken_from_the_mount_when_the_container_has_it_from_there(
        self, tmp_path: Path
    ) -> None:
        context = write(tmp_path / "context", {"auth/app.py": ""})
        live = write(tmp_path / "live", {"auth/app.py": ""})
        file = SourceFile("/app/auth/app.py", 0, 0)
        source = ServiceSource("auth", (context,), {"/app": live})
        assert HostPaths(source).map([file]) == Mapped({file: live / "auth/app.py"})

    def test_alike_files_should_be_told_apart_when_others_of_their_folder_are_known(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path, {"src/a/__init__.py": "", "old/a/__init__.py": "", "src/a/b.py": "x = 1\n"})
        empty = SourceFile("/app/a/__init__.py", 0, 0)
        full = SourceFile("/app/a/b.py", 6, crc32(b"x = 1\n"))
        mapped = HostPaths(ServiceSource("auth", (tmp_path,))).map([empty, full])
        assert mapped.found[empty] == tmp_path / "src/a/__init__.py"
        assert mapped.twins == {}

    def test_the_reason_should_be_told_of_each_file_when_some_have_no_source_here(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path, {"app/stale.py": "x = 2\n", "app/one.py": "", "live/edited.py": "new"})
        files = [
            SourceFile("/srv/app/stale.py", 6, crc32(b"x = 1\n")),
            SourceFile("/srv/app/gone.py", 6, 1),
            SourceFile("/srv/app/one.py"),
            SourceFile("/live/edited.py", 3, crc32(b"old")),
            SourceFile("/live/gone.py", 3, crc32(b"old")),
            SourceFile("/live/rules.py"),
        ]
        source = ServiceSource("auth", (tmp_path,), {"/live": tmp_path / "live"})
        assert HostPaths(source).map(files) == Mapped(
            failed={
                files[0]: Unmapped(NoSource.DIFFERS, tmp_path / "app/stale.py"),
                files[1]: Unmapped(NoSource.ABSENT),
                # Its folder has its sources: this one is a name that code was given.
                files[2]: Unmapped(NoSource.MADE_UP),
                files[3]: Unmapped(NoSource.EDITED, tmp_path / "live/edited.py"),
                files[4]: Unmapped(NoSource.ABSENT),
                files[5]: Unmapped(NoSource.MADE_UP),
            }
        )

    def test_a_file_of_somebody_else_should_not_be_taken_for_one_here_when_its_name_is_the_same(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path, {"app/main.py": "x = 1\n", "tests/util.py": "u", "tests/__init__.py": ""})
        main = SourceFile("/srv/app/main.py", 6, crc32(b"x = 1\n"))
        others = [
            SourceFile("/opt/tool/util.py", 9, 1),
            SourceFile("/opt/tool/__init__.py", 0, 0),
            SourceFile("/main.py"),
        ]
        mapped = HostPaths(ServiceSource("auth", (tmp_path,))).map([main, *others])
        assert mapped.found == {main: tmp_path / "app/main.py"}
        assert [mapped.failed[file].kind for file in others] == [
            *(NoSource.ABSENT, NoSource.ABSENT, NoSource.MADE_UP)
        ]

    def test_compiled_files_should_be_found_when_the_image_has_no_sources(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path, {"src/shop/a.py": "x = 1\n", "src/shop/__init__.py": "", "b.py": ""})
        files = [SourceFile(f"/srv/{name}.py") for name in ("shop/a", "shop/__init__", "b")]
        assert HostPaths(ServiceSource("auth", (tmp_path,))).map(files).found == {
            files[0]: tmp_path / "src/shop/a.py",
            files[1]: tmp_path / "src/shop/__init__.py",
            files[2]: tmp_path / "b.py",
        }

    @pytest.mark.parametrize("service", ["a", "b"])
    @pytest.mark.parametrize("by", ["others", "dockerfile", "name", "argument"])
    def test_equal_files_should_be_told_apart_when_anything_else_is_known_of_the_service(
        self, tmp_path: Path, service: str, by: str
    ) -> None:
        same = {"lib/util.py": "u = 1\n", "lib/__init__.py": "", "run.py": "import lib\n"}
        of = {"a": tmp_path / "services/a", "b": tmp_path / "services/b"}
        for name, folder in of.items():
            write(folder, same | ({"run.py": f"# {name}\n"} if by == "others" else {}))
        write(tmp_path, {"Dockerfile": ""})
        mine = of[service]
        dockerfile = mine / "Dockerfile" if by == "dockerfile" else tmp_path / "Dockerfile"
        named = {"name": service, "argument": "x"}.get(by, "")
        hints = frozenset({named, *({service} if by == "argument" else ())})
        files = [SourceFile("/srv/lib/util.py", 6, crc32(b"u = 1\n"))]
        files += [SourceFile("/srv/lib/__init__.py", 0, 0)]
        run = (mine / "run.py").read_bytes()
        files += [SourceFile("/srv/run.py", len(run), crc32(run))]
        source = ServiceSource("s", (tmp_path,), dockerfile=dockerfile, hints=hints)
        mapped = HostPaths(source).map(files)
        assert set(mapped.found.values()) == {mine / name for name in same}
        assert (mapped.failed, mapped.twins) == ({}, {})

    def test_the_first_of_equal_files_should_be_taken_and_said_when_nothing_tells_them_apart(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path, {"y/one.py": "x = 1\n", "x/one.py": "x = 1\n"})
        file = SourceFile("/app/one.py", 6, crc32(b"x = 1\n"))
        assert HostPaths(ServiceSource("auth", (tmp_path,))).map([file]) == Mapped(
            {file: tmp_path / "x/one.py"}, twins={tmp_path / "x/one.py": [tmp_path / "y/one.py"]}
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
                "bin/serve": "",
                "e.txt": "",
            },
        )
        assert list(source_files(tmp_path)) == [tmp_path / "a.py", tmp_path / "bin/serve"]

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
        project = project_of(auth=config, redis={"image": "redis", "environment": None})
        assert source_of("auth", project) == ServiceSource(
            "auth",
            (tmp_path,),
            {"/app": Path("/here/app")},
            built_by="auth",
            dockerfile=tmp_path / "Dockerfile",
            hints=frozenset({"auth"}),
        )
        assert source_of("redis", project) is None

    def test_a_service_should_be_a_covered_one_when_it_has_a_spy(self, tmp_path: Path) -> None:
        spy = {"environment": {"NOMOCK_SPY_OUT": "/data"}}
        configs = {"auth": spy, "migrate": spy, "redis": {"image": "redis"}}
        project = replace(project_of(**configs), one_shots=frozenset({"migrate"}))
        assert {name: source.one_shot for name, source in sources_of(project).items()} == {
            "auth": False,
            "migrate": True,
        }


def project_of(**configs: Any) -> Project:
    return Project(
        "p", (), {n: ServiceConfig(n, config, "p") for n, config in configs.items()}, frozenset()
    )


def spied(**config: Any) -> dict[str, Any]:
    return {"environment": {"NOMOCK_SPY_OUT": "/data"}, **config}


class TestFolders:
    """Which folders of this machine a service's image is made of."""

    @pytest.mark.parametrize(
        "image", ["shop", "shop:latest", "docker.io/library/shop:latest", "shop@sha256:" + 64 * "a"]
    )
    def test_those_of_another_service_should_be_taken_when_that_one_builds_the_image(
        self, tmp_path: Path, image: str
    ) -> None:
        project = project_of(
            till=spied(build={"context": str(tmp_path)}, image="shop"),
            worker=spied(image=image),
            other=spied(image="shop:2"),
        )
        found = sources_of(project)
        assert (found["worker"].folders, found["worker"].built_by) == ((tmp_path,), "till")
        assert (found["other"].folders, found["other"].built_by) == ((), None)

    def test_those_of_a_build_should_be_taken_when_the_image_has_its_default_name_or_a_tag(
        self, tmp_path: Path
    ) -> None:
        build = {"context": str(tmp_path), "tags": ["mine:1"]}
        project = project_of(
            till=spied(build=build), a=spied(image="p-till"), b=spied(image="mine:1")
        )
        assert {source.built_by for source in sources_of(project).values()} == {"till"}

    def test_those_of_the_base_should_be_taken_too_when_the_project_builds_it(
        self, tmp_path: Path
    ) -> None:
        for name in ("base", "lib", "web", "tool"):
            (tmp_path / name).mkdir()
        write(tmp_path / "web", {"Dockerfile": "ARG BASE=base\nFROM --platform=x ${BASE}:1 AS x\n"})
        more = {"lib": "service:lib", "tool": "docker-image://p-tool", "far": "https://far.test/x"}
        project = project_of(
            web=spied(build={"context": str(tmp_path / "web"), "additional_contexts": more}),
            base={"build": {"context": str(tmp_path / "base")}, "image": "base:1"},
            lib={"build": {"context": str(tmp_path / "lib"), "dockerfile_inline": "FROM p-web"}},
            tool={"build": {"context": str(tmp_path / "tool")}},
        )
        assert sources_of(project)["web"].folders == tuple(
            tmp_path / name for name in ("web", "lib", "tool", "base")
        )

    def test_those_of_a_setting_should_be_taken_when_the_image_is_built_elsewhere(
        self, tmp_path: Path
    ) -> None:
        project = project_of(worker=spied(image="shop"))
        found = sources_of(project, {"worker": [tmp_path]})["worker"]
        assert (found.folders, found.own) == ((tmp_path,), (tmp_path,))


class TestModules:
    def test_names_of_modules_should_be_known_when_sources_may_be_installed_as_them(
        self, tmp_path: Path
    ) -> None:
        write(
            tmp_path,
            {
                "pyproject.toml": "",
                "src/shop/__init__.py": "",
                "src/shop/sub/__init__.py": "",
                "src/spaced/deep/far.py": "",
                "flat/__init__.py": "",
                "single.py": "",
                "json.py": "",
                "setup.py": "",
                "tests/test_it.py": "",
                "tests/__init__.py": "",
                "libs/other/setup.py": "",
                "libs/other/other_app/__init__.py": "",
                "not-a-name/x.py": "",
                "odd/place/pack/__init__.py": "",
            },
        )
        assert modules(tmp_path) == {
            *("shop", "spaced.deep", "flat", "single", "other_app", "odd.place.pack", "pack")
        }

    def test_the_spies_should_be_told_when_a_run_begins(self, tmp_path: Path) -> None:
        write(tmp_path, {"app/shop/__init__.py": "", "lib/lines.py": ""})
        services = {
            "till": ServiceSource("till", (tmp_path / "app", tmp_path / "lib")),
            "other": ServiceSource("other", ()),
        }
        tell_modules(tmp_path, services)
        told = json.loads((tmp_path / MODULES_FILE).read_text(encoding="utf-8"))
        assert told == {"till": ["lines", "shop"], "other": []}


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

    def both_ran(self, data_dir: Path, **header: Any) -> None:
        (data_dir / "auth.r1.a.1.x.ndjson").write_bytes(
            records(
                *CANARY,
                *ran(0, "/app/auth/app.py", 1, 2, source=APP),
                *ran(1, "/app/shared/log.py", 1, source=LOG),
                context(1, TEST_A),
                lines(0, 3, context=1, arcs={"0": [[2, 3], [3, -2]]}),
                **header,
            )
        )
        (data_dir / "worker.r1.b.1.y.ndjson").write_bytes(
            records(
                *CANARY,
                *ran(0, "/app/main.py", 1, source="x = 1\n"),
                *ran(1, "/app/shared/log.py", 1, source=LOG),
                context(1, TEST_A),
                context(2, TEST_B, "kill auth"),
                lines(1, 1, 2, context=1),
                lines(1, 2, context=2),
                service="worker",
                **header,
            )
        )

    def test_a_file_should_count_for_each_service_and_once_in_total_when_two_load_it(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir)
        found = harvest(data_dir, services)
        assert found.services == (Row("auth", 3, 6, 3, 1), Row("worker", 2, 3, 3, 2))
        assert found.total == Row("total", 5, 7, 5, 2)
        assert found.failures == ()
        assert table([*found.services, found.total]) == [
            "service  files  lines  covered      %  tests",
            "--------------------------------------------",
            "auth         3      6        3   50.0      1",
            "worker       2      3        3  100.0      2",
            "--------------------------------------------",
            "total        5      7        5   71.4      2",
        ]

    def test_a_file_should_have_the_names_of_services_when_it_ran_in_them(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        self.both_ran(data_dir)
        assert harvest(data_dir, services).files == {
            tmp_path / "auth/auth/app.py": {"auth"},
            tmp_path / "shared/shared/log.py": {"auth", "worker"},
            tmp_path / "worker/main.py": {"worker"},
        }

    def test_the_data_should_have_tests_as_contexts_when_coverage_reads_it(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        self.both_ran(data_dir)
        data = CoverageData(str(harvest(data_dir, services).data_file))
        data.read()
        assert not data.has_arcs()
        assert data.lines(str(tmp_path / "auth/auth/unused.py")) == []
        assert data.contexts_by_lineno(str(tmp_path / "auth/auth/app.py")) == {
            1: [""],
            2: [""],
            3: [TEST_A],
        }
        log = data.contexts_by_lineno(str(tmp_path / "shared/shared/log.py"))
        assert {line: set(contexts) for line, contexts in log.items()} == {
            1: {"", TEST_A},
            2: {TEST_A, f"{TEST_B}|fault=kill auth"},
        }

    def test_the_data_should_hold_branches_when_every_process_measured_them(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        self.both_ran(data_dir, branches=True)
        found = harvest(data_dir, services)
        data = CoverageData(str(found.data_file))
        data.read()
        app = str(tmp_path / "auth/auth/app.py")
        # Not (2, 3): in its context line 2 did not run.
        assert set(data.arcs(app) or []) == {(1, 1), (2, 2), (3, 3), (3, -2)}
        assert data.contexts_by_lineno(app)[3] == [TEST_A]
        assert found.total == Row("total", 5, 7, 5, 2)
        assert found.notes == ()

    def test_the_branch_that_was_not_taken_should_be_reported_when_branches_are_measured(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        text = "def f(a):\n    if a:\n        return 1\n    return 2\n"
        write(tmp_path, {"auth/auth/app.py": text})
        (data_dir / "auth.r1.a.1.x.ndjson").write_bytes(
            records(
                *CANARY,
                file(0, "/app/auth/app.py", text.encode()),
                lines(0, 1),
                context(1, TEST_A),
                lines(0, 2, 3, context=1, arcs={"0": [[2, 3], [3, -1]]}),
                branches=True,
            )
        )
        report(harvest(data_dir, {"auth": services["auth"]}), tmp_path, tmp_path / "out")
        found = json.loads((tmp_path / "out/coverage.json").read_text(encoding="utf-8"))
        app = found["files"]["auth/auth/app.py"]
        assert (app["executed_branches"], app["missing_branches"]) == ([[2, 3]], [[2, 4]])
        assert app["missing_lines"] == [4]

    def test_branches_should_be_off_and_the_reason_be_said_when_one_process_has_none(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir, branches=True)
        (data_dir / "auth.r1.c.9.z.ndjson").write_bytes(
            records(*CANARY, *ran(0, "/app/auth/app.py", 1))
        )
        found = harvest(data_dir, services)
        data = CoverageData(str(found.data_file))
        data.read()
        assert not data.has_arcs()
        assert found.notes == (
            "branches are off: sys.monitoring of Python 3.13.5 tells none (auth)",
        )

    def test_lines_should_be_chosen_by_test_when_one_is_given(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir)
        assert list(count(gather(data_dir, services), TEST_B).rows) == [
            Row("auth", 3, 6, 0, 0),
            Row("worker", 2, 3, 1, 1),
            Row("total", 5, 7, 1, 1),
        ]

    def test_lines_should_be_chosen_by_their_moment_when_one_is_given(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir)
        (data_dir / "worker.r1.b.2.y.ndjson").write_bytes(
            records(*CANARY, file(0, "/app/main.py"), lines(0, 1, at=11.0), service="worker")
        )
        assert list(count(gather(data_dir, services, since_s=10.0)).rows) == [
            Row("auth", 3, 6, 0, 0),
            Row("worker", 2, 3, 1, 0),
            Row("total", 5, 7, 1, 0),
        ]

    def test_every_report_should_name_files_as_the_project_does_when_made_in_another_folder(
        self,
        data_dir: Path,
        services: dict[str, ServiceSource],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.both_ran(data_dir)
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        monkeypatch.setenv("COVERAGE_RCFILE", "not-there.toml")
        out = tmp_path / "coverage-report"
        expected = {
            *("auth/auth/app.py", "auth/auth/unused.py", "worker/main.py"),
            *("shared/shared/__init__.py", "shared/shared/log.py"),
        }

        first_page = report(harvest(data_dir, services), tmp_path, out)

        assert first_page == out / "html/index.html"
        assert (out / ".gitignore").read_text().endswith("\n*\n")
        assert "unused.py" in first_page.read_text(encoding="utf-8")
        pages = [page.read_text(encoding="utf-8") for page in (out / "html").glob("*_app_py.html")]
        assert TEST_A in pages[0]

        xml = ElementTree.parse(out / "coverage.xml")
        assert [source.text for source in xml.iter("source")] == [str(tmp_path)]
        assert {found.get("filename") for found in xml.iter("class")} == expected

        found = json.loads((out / "coverage.json").read_text(encoding="utf-8"))["files"]
        assert found.keys() == expected
        assert found["auth/auth/app.py"]["executed_lines"] == [2, 3]

        lcov = (out / "lcov.info").read_text(encoding="utf-8").splitlines()
        assert {line[3:] for line in lcov if line.startswith("SF:")} == expected

    def test_a_page_should_name_the_new_tests_when_the_same_lines_ran_as_before(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        self.both_ran(data_dir)
        report(harvest(data_dir, services), tmp_path, tmp_path / "out")
        for path in data_dir.glob("*.ndjson"):
            path.write_bytes(path.read_bytes().replace(b"::test_a", b"::test_renamed"))
        report(harvest(data_dir, services), tmp_path, tmp_path / "out")
        (page,) = (tmp_path / "out/html").glob("*_app_py.html")
        assert "test_renamed" in page.read_text(encoding="utf-8")

    def test_the_folder_should_be_named_when_a_report_cannot_be_written(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        self.both_ran(data_dir)
        (tmp_path / "out/coverage.xml").mkdir(parents=True)
        with pytest.raises(CoverageError) as raised:
            report(harvest(data_dir, services), tmp_path, tmp_path / "out")
        assert raised.value.where == str(tmp_path / "out/coverage.xml")
        assert "Is a directory" in raised.value.seen
        write(tmp_path, {"file": ""})
        with pytest.raises(CoverageError) as raised:
            report(harvest(data_dir, services), tmp_path, tmp_path / "file/out")
        assert str(raised.value) == (
            f"{tmp_path}/file/out: the coverage report cannot be written\n"
            f"  [Errno 20] {os.strerror(20)}: '{tmp_path}/file/out'"
        )

    def test_a_service_should_be_named_and_never_be_0_percent_when_it_reported_no_line(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        (data_dir / "worker.r1.b.1.y.ndjson").write_bytes(
            records(*CANARY, *ran(0, "/app/main.py", 1), service="worker")
        )
        found = harvest(data_dir, services)
        (failure,) = found.failures
        assert isinstance(failure, NoCoverageError)
        assert str(failure) == (
            "coverage of auth: reported no line\n"
            f"  auth: no process of it wrote to {data_dir}; there are records of: worker\n"
            "-> where it runs nothing of yours, leave it out of the overlay: nomock overlay worker"
            "; where its app is an installed package, or its image is built elsewhere, name the "
            "folders of its source: coverage_sources in [tool.nomock]; nomock logs auth shows what "
            "the spy said; all causes that there are: nomock docs coverage"
        )
        assert found.services == (Row("worker", 1, 1, 1, 0),)
        assert table([*found.services, found.total], found.silent)[2].split() == [
            *("auth", "-", "-", "-", "none", "-"),
        ]

    def test_the_reason_should_be_told_when_the_spy_was_there(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        (data_dir / "auth.r1.a.1.x.ndjson").write_bytes(records(*CANARY))
        old = "Python 3.6.9 is too old"
        (data_dir / "worker.r1.b.1.y.ndjson").write_bytes(
            records(service="worker", core=None, unsupported=old)
        )
        (failure,) = harvest(data_dir, services).failures
        assert failure.seen == (
            f"auth: 1 of its processes started a spy, and ran no file of the app\nworker: {old}"
        )

    @pytest.mark.parametrize(
        ("header", "more", "note"),
        [
            ({"given": "-c"}, (), "python -c"),
            ({"given": "-"}, (), "python -"),
            ({"given": "-m http.server"}, (), "python -m http.server"),
            ({"given": ""}, (), ""),
            ({"given": "-c", "core": None, "unsupported": "too old"}, (), ""),
            ({"given": "-c"}, ({"lost": "something"},), ""),
        ],
        ids=["-c", "a pipe", "of Python's own", "a file", "not recorded", "perhaps not recorded"],
    )
    def test_having_no_line_should_be_a_note_only_when_all_programs_are_text_and_recorded(
        self,
        data_dir: Path,
        services: dict[str, ServiceSource],
        header: dict[str, Any],
        more: tuple[dict[str, Any], ...],
        note: str,
    ) -> None:
        (data_dir / "auth.r1.a.1.x.ndjson").write_bytes(records(*CANARY, *more, **header))
        found = harvest(data_dir, {"auth": services["auth"]})
        assert found.silent == ("auth",)
        assert bool(found.failures) is not bool(note)
        told = f"auth: it runs {note}, and no file of the app"
        assert (told in found.notes) is bool(note)

    def test_only_the_run_should_count_when_a_process_of_another_wrote_late(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir)
        (data_dir / "auth.r0.a.1.z.ndjson").write_bytes(
            records(*CANARY, *ran(0, "/app/shared/log.py", 2), run="r0", v=9)
        )
        found = harvest(data_dir, services, "r1")
        assert found.services[0].covered == 3
        assert found.notes[-1] == "left out: 1 record file of another run"

    def test_both_replicas_should_count_when_each_has_the_process_id_1(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir)
        (data_dir / "auth.r1.b.1.x.ndjson").write_bytes(
            records(*CANARY, *ran(0, "/app/shared/log.py", 2), host="other")
        )
        assert harvest(data_dir, services).services[0].covered == 4

    def test_damaged_records_should_be_told_and_the_rest_count_when_files_are_cut(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir)
        with (data_dir / "auth.r1.a.1.x.ndjson").open("ab") as cut:
            cut.write(b'{"in":0,"at":1795')
        (data_dir / "auth.r1.a.2.x.ndjson").write_bytes(b'{"v":3,"cor')
        (data_dir / "auth.r1.a.3.x.ndjson").write_bytes(b"")
        found = harvest(data_dir, services, "r1")
        assert found.services[0].covered == 3
        assert found.notes[-1] == "left out: 2 damaged records"

    def test_a_service_should_be_named_when_tests_ran_and_none_of_its_lines_is_theirs(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir)
        path = data_dir / "auth.r1.a.1.x.ndjson"
        path.write_bytes(records(*CANARY, *ran(0, "/app/auth/app.py", 1, 2)))
        assert harvest(data_dir, services).notes[-1] == (
            "auth: no line of it is credited to a test; the spy knows no server in it "
            "(nomock docs coverage-spy: which ones it knows)"
        )
        path.write_bytes(records(*CANARY, {"server": "uvicorn"}, *ran(0, "/app/auth/app.py", 1, 2)))
        assert harvest(data_dir, services).notes[-1] == (
            "auth: no line of it is credited to a test; its server, uvicorn, got no request of "
            "one that ran a line"
        )
        once = replace(services["auth"], one_shot=True)
        assert len(harvest(data_dir, services | {"auth": once}).notes) == 1

    def test_every_service_should_be_named_when_no_line_of_any_is_credited_to_a_test(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        for name in services:
            (data_dir / f"{name}.r1.a.1.x.ndjson").write_bytes(
                records(*CANARY, *ran(0, "/app/shared/log.py", 1), service=name)
            )
        found = harvest(data_dir, services).notes[1:]
        assert [note.partition(";")[0] for note in found] == [
            f"{name}: no line of it is credited to a test" for name in services
        ]

    def test_a_process_should_be_counted_when_it_came_later_and_did_not_prove_itself(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir)
        before = harvest(data_dir, services)
        (data_dir / "auth.r1.a.1.y.ndjson").write_bytes(records())
        (data_dir / "auth.r1.a.1.z.ndjson").write_bytes(records(goes_on=True))
        after = harvest(data_dir, services)
        (said,) = set(after.notes) - set(before.notes)
        number = int(said.split(" of its ")[1].split()[0])
        assert said == (
            f"auth: what 1 of its {number} processes ran may be missing: it reported no canary; "
            "it was killed as it started, or its spy failed (nomock logs auth)"
        )
        assert after.services == before.services

    def stale_and_gone(self, data_dir: Path) -> None:
        self.both_ran(data_dir)
        (data_dir / "auth.r1.a.2.x.ndjson").write_bytes(
            records(
                *CANARY,
                file(0, "/app/auth/app.py", b"old"),
                lines(0, 9),
                file(1, "/app/auth/made.py", b"made"),
                lines(1, 1),
                *ran(2, "/app/auth/rules.py", 1),
            )
        )

    def test_the_rest_should_be_reported_and_the_file_named_when_it_is_another_text_here(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        self.stale_and_gone(data_dir)
        found = harvest(data_dir, services)
        (failure,) = found.failures
        assert isinstance(failure, UnmappedSourceError)
        assert str(failure) == (
            "coverage of auth: lines of the app ran and are not in the report\n"
            f"  auth: /app/auth/app.py: differs from {tmp_path}/auth/auth/app.py\n"
            "-> where they differ, the image is old: build it again; "
            "to go on without them: --allow-unmapped"
        )
        assert found.services[0] == Row("auth", 3, 6, 3, 1)
        report(found, tmp_path, tmp_path / "out")

    def test_what_has_no_source_here_should_be_a_note_when_it_is_not_the_apps(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        self.stale_and_gone(data_dir)
        found = harvest(data_dir, services, allow_unmapped=True)
        assert found.failures == ()
        assert found.services[0] == Row("auth", 3, 6, 3, 1)
        assert found.notes[-3:] == (
            f"auth: left out: /app/auth/app.py: differs from {tmp_path}/auth/auth/app.py",
            "auth: left out: /app/auth/made.py: no such file in its build contexts and mounts",
            "auth: left out: /app/auth/rules.py: no such file in the container: code of a name of "
            "its own",
        )

    def test_a_file_that_differs_should_be_a_note_when_its_image_is_of_the_text_here(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        class Current(Unknown):
            def is_current(self, service: str) -> bool:
                return service == "auth"

        self.stale_and_gone(data_dir)
        services["auth"] = replace(services["auth"], built_by="auth")
        found = harvest(data_dir, services, inside=Current())
        assert found.failures == ()
        assert found.notes[-3] == (
            "auth: left out: /app/auth/app.py: its image changed it: "
            f"differs from {tmp_path}/auth/auth/app.py"
        )

    @pytest.mark.parametrize("ran_again", [False, True])
    def test_what_ran_before_an_edit_should_be_left_out_when_the_file_is_mounted(
        self, data_dir: Path, tmp_path: Path, ran_again: bool
    ) -> None:
        live = write(tmp_path / "live", {"app.py": "a = 1\nb = 2\n", "b.py": "b = 1\n"})
        services = {"auth": ServiceSource("auth", (), {"/srv": live})}
        now = ((live / "app.py").read_bytes(), 1) if ran_again else (b"old", 9)
        (data_dir / "auth.r1.a.1.x.ndjson").write_bytes(
            records(
                *CANARY,
                file(0, "/srv/app.py", b"old"),
                lines(0, 9),
                file(1, "/srv/app.py", now[0]),
                lines(1, now[1]),
                *ran(2, "/srv/b.py", 1),
            )
        )
        found = harvest(data_dir, services)
        if ran_again:
            assert (found.failures, found.total.covered) == ((), 2)
            assert found.notes[-1] == (
                "auth: left out: /srv/app.py: edited while it ran; what ran of its older text"
            )
        else:
            assert found.services == (Row("auth", 1, 1, 1, 0),)  # not as if it had never run
            (failure,) = found.failures
            assert str(failure) == (
                "coverage of auth: lines of the app ran and are not in the report\n"
                f"  auth: /srv/app.py: differs from {live}/app.py, which was edited since\n"
                "-> run again, and leave mounted files alone meanwhile; "
                "to go on without them: --allow-unmapped"
            )

    def test_a_file_should_be_left_out_and_noted_when_it_never_ran_and_is_no_python(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        self.both_ran(data_dir)
        write(tmp_path / "auth", {"auth/fabfile.py": 'print "2009"\n'})
        found = harvest(data_dir, services)
        assert (found.failures, found.services[0]) == ((), Row("auth", 3, 6, 3, 1))
        assert found.notes[-1].startswith(
            f"auth: left out: {tmp_path}/auth/auth/fabfile.py: coverage.py cannot read it: "
        )
        report(found, tmp_path, tmp_path / "out")

    def test_the_cure_should_be_a_newer_python_when_a_file_ran_that_this_one_cannot_read(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        self.both_ran(data_dir)
        newer = write(tmp_path / "auth", {"auth/newer.py": "tomorrow's syntax\n"})
        (data_dir / "auth.r1.a.2.x.ndjson").write_bytes(
            records(
                *CANARY,
                file(0, "/app/auth/newer.py", (newer / "auth/newer.py").read_bytes()),
                lines(0, 1),
                python="3.99.1",
            )
        )
        found = harvest(data_dir, services)
        (failure,) = found.failures
        here = ".".join(map(str, sys.version_info[:2]))
        assert f"newer.py: this Python {here} cannot read it: " in str(failure)
        assert "\n-> run nomock with Python 3.99, which the service has; " in str(failure)
        assert found.services[0] == Row("auth", 3, 6, 3, 1)
        assert tmp_path / "auth/auth/newer.py" not in found.files
        report(found, tmp_path, tmp_path / "out")
        assert harvest(data_dir, services, allow_unmapped=True).failures == ()

    def test_a_file_that_never_ran_should_count_only_when_it_is_in_the_image_and_no_test(
        self, data_dir: Path, services: dict[str, ServiceSource], tmp_path: Path
    ) -> None:
        class Image(Unknown):
            def there(self, service: str, paths: Collection[str]) -> frozenset[str]:
                return frozenset(path for path in paths if "fabfile" not in path)

        self.both_ran(data_dir)
        more = ("fabfile.py", "test_app.py", "conftest.py", "setup.py", "tests/__init__.py")
        write(tmp_path / "auth", {f"auth/{name}": "x = 1\n" for name in ("__init__.py", *more)})
        found = harvest(data_dir, services, inside=Image())
        assert found.services[0] == Row("auth", 4, 7, 3, 1)
        assert found.total == Row("total", 6, 8, 5, 2)
        tests = ", ".join(f"{tmp_path}/auth/auth/{name}" for name in sorted(more[1:]))
        assert found.notes[-1] == f"auth: tests, and no part of the app: {tests}"

    def test_an_installed_package_should_count_when_its_content_is_that_of_a_file_here(
        self, data_dir: Path, tmp_path: Path
    ) -> None:
        text = {"src/shop/__init__.py": "", "src/shop/prices.py": "a = 1\nb = 2\n"}
        folder = write(tmp_path / "app", {**text, "src/shop/never.py": "n = 1\n"})
        packages = "/usr/lib/python3/dist-packages"
        (data_dir / "till.r1.a.1.x.ndjson").write_bytes(
            records(
                *CANARY,
                file(0, f"{packages}/shop/__init__.py", b""),
                lines(0, 0),
                file(1, f"{packages}/shop/prices.py", b"a = 1\nb = 2\n"),
                lines(1, 1),
                file(2, f"{packages}/shop/_version.py", b"v = 1\n"),
                lines(2, 1),
                file(3, f"{packages}/other/__init__.py", b""),
                lines(3, 0),
                file(4, f"{packages}/other/prices.py", b"foreign\n"),
                lines(4, 1),
                service="till",
            )
        )
        found = harvest(data_dir, {"till": ServiceSource("till", (folder,))})
        assert found.services == (Row("till", 3, 3, 1, 0),)
        assert found.files.keys() == {folder / name for name in text}
        assert found.notes[-1] == (
            f"till: left out: {packages}/shop/_version.py: no such file in its build contexts and "
            "mounts"
        )

    def test_nothing_of_the_run_before_should_be_left_when_the_next_is_prepared(
        self, data_dir: Path, services: dict[str, ServiceSource]
    ) -> None:
        self.both_ran(data_dir)
        harvest(data_dir, services)
        prepare(data_dir, "r2")
        assert new_run() != new_run()
        assert [path.name for path in data_dir.iterdir()] == ["run"]
        assert (data_dir / "run").read_text(encoding="utf-8") == "r2\n"
        assert data_dir.stat().st_mode & 0o777 == 0o777

    def test_the_folder_should_be_named_when_it_cannot_be_made_ready(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        with pytest.raises(CoverageError) as raised:
            prepare(tmp_path / "file/coverage")
        assert str(raised.value) == (
            f"{tmp_path}/file/coverage: the folder for the spies' records cannot be made ready\n"
            f"  [Errno 20] {os.strerror(20)}: '{tmp_path}/file/coverage'\n"
            "-> free space there, or remove it as the user it belongs to, and try again"
        )


@pytest.mark.parametrize(
    ("lines", "covered", "text"),
    [(0, 0, "100.0"), (3, 1, "33.3"), (9999, 9998, "99.9"), (9999, 1, "0.1"), (9, 0, "0.0")],
)
def test_all_and_none_should_be_said_only_when_it_is_so(
    lines: int, covered: int, text: str
) -> None:
    assert percent(Row("auth", 1, lines, covered, 1)) == text


def test_a_report_should_be_refused_when_no_service_reported_a_line(tmp_path: Path) -> None:
    prepare(tmp_path / "data")
    found: Harvest = harvest(tmp_path / "data", {"auth": ServiceSource("auth", (tmp_path,))})
    assert [type(failure) for failure in found.failures] == [NoCoverageError]
    assert table([*found.services, found.total], found.silent)[-1].split()[4] == "none"
    with pytest.raises(CoverageError, match="there is nothing to report on"):
        report(found, tmp_path, tmp_path / "coverage-report")


APP = '''"""Two statements, one of them over three lines."""
def f():
    return {
        1: 2,
    }
'''
LOG = "a = 1\nb = 2\n"
