"""Every setting once, with where its value came from; what cannot be is said."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from tiny import Tiny, idle

from nomock.errors import ConfigError
from nomock.loading import load
from nomock.project import resolve


def pyproject(folder: Path, *lines: str) -> None:
    text = "\n".join(["[tool.nomock]", *lines])
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")


def test_the_nearest_source_should_win_when_several_have_a_setting(tmp_path: Path) -> None:
    pyproject(tmp_path, "timeout_s = 1", "log_lines = 2", 'project = "three"')
    environ = {"NOMOCK_TIMEOUT_S": "4", "NOMOCK_LOG_LINES": "0"}
    settings = load(tmp_path, {"timeout_s": "5", "log_lines": None}, environ)
    assert (settings.timeout_s, settings.log_lines, settings.project) == (5.0, 0, "three")
    assert [(n, s.value, s.source) for n, s in settings.changed()] == [
        ("project", "three", "pyproject"),
        ("timeout_s", 5.0, "option"),
        ("log_lines", 0, "$NOMOCK_LOG_LINES"),
    ]


def test_a_list_and_a_table_should_be_read_when_the_environment_has_them(tmp_path: Path) -> None:
    for name in ("a.yml", "b.yml"):
        (tmp_path / name).touch()
    environ = {"NOMOCK_FILES": "a.yml:b.yml", "NOMOCK_PROBES": "a=http:8000/health; b = none;"}
    settings = load(tmp_path, {}, environ)
    assert settings.files == (tmp_path / "a.yml", tmp_path / "b.yml")
    assert settings.probes == {"a": "http:8000/health", "b": "none"}


@pytest.mark.parametrize(
    ("present", "environ", "found"),
    [
        (["docker-compose.yml"], {}, ["docker-compose.yml"]),
        (["docker-compose.yml", "compose.yaml"], {}, ["compose.yaml"]),
        (
            ["compose.yml", "compose.override.yml"],
            {},
            ["compose.yml", "compose.override.yml"],
        ),
        (["compose.yml", "x.yml"], {"COMPOSE_FILE": "x.yml:compose.yml"}, ["x.yml", "compose.yml"]),
        (
            ["docker-compose.yml", "compose.override.yaml"],
            {},
            ["docker-compose.yml", "compose.override.yaml"],
        ),
        (["docker-compose.override.yml"], {}, []),
    ],
)
def test_the_compose_files_should_be_those_that_compose_finds_when_no_setting_names_any(
    tmp_path: Path, present: list[str], environ: dict[str, str], found: list[str]
) -> None:
    for name in present:
        (tmp_path / name).touch()
    (tmp_path / "tests").mkdir()
    start = (
        tmp_path if environ or present == ["docker-compose.override.yml"] else tmp_path / "tests"
    )
    assert [path.name for path in load(start, {}, environ).files] == found


def test_the_files_of_dotenv_should_be_used_only_when_the_environment_names_none(
    tmp_path: Path,
) -> None:
    for name in ("compose.yml", "a.yml", "b.yml"):
        (tmp_path / name).touch()
    (tmp_path / ".env").write_text("COMPOSE_PATH_SEPARATOR=,\nX=1\nCOMPOSE_FILE='b.yml,a.yml' \n")
    assert [path.name for path in load(tmp_path, {}, {}).files] == ["b.yml", "a.yml"]
    environ = {"COMPOSE_FILE": "a.yml"}
    assert [path.name for path in load(tmp_path, {}, environ).files] == ["a.yml"]


def test_a_setting_should_be_taken_from_dotenv_only_when_the_environment_has_none(
    tmp_path: Path,
) -> None:
    pyproject(tmp_path, 'tools_image = "ours/tools:2"', "log_lines = 2")
    (tmp_path / "compose.yml").touch()
    (tmp_path / ".env").write_text("NOMOCK_TOOLS_IMAGE=nomock/tools:1\nPYTHON_IMAGE=python:3\n")
    assert [(n, s.value, s.source) for n, s in load(tmp_path, {}, {}).changed()] == [
        ("log_lines", 2, "pyproject"),
        ("tools_image", "nomock/tools:1", ".env"),
    ]
    environ = {"NOMOCK_TOOLS_IMAGE": "theirs/tools:3"}
    assert load(tmp_path, {}, environ).tools_image == "theirs/tools:3"


def test_the_dotenv_should_be_the_one_beside_the_compose_file_when_an_option_names_that(
    tmp_path: Path,
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "compose.yml").touch()
    (tmp_path / ".env").write_text("NOMOCK_LOG_LINES=1\n")
    (tmp_path / "other" / ".env").write_text("NOMOCK_LOG_LINES=2\n")
    assert load(tmp_path, {"files": ["other/compose.yml"]}, {}).log_lines == 2


@pytest.mark.parametrize(
    ("setting", "value", "text"),
    [
        ("stack", "new", "option: stack cannot be 'new'\n  it is one of attach, fresh, own"),
        ("timeout_s", "soon", "option: timeout_s cannot be 'soon'\n"
         "  could not convert string to float: 'soon'"),
        ("timeout_s", 0, "option: timeout_s cannot be 0\n  it is more than 0"),
        ("timeout_s", "nan", "option: timeout_s cannot be 'nan'\n  it is more than 0"),
        ("log_lines", -1, "option: log_lines cannot be -1\n  it is 0 or more"),
        ("host", "tcp://docker:2375", "option: host cannot be 'tcp://docker:2375'\n"
         "  it is a name or an address: no URL, no port, no brackets"),
        ("files", 3, "option: files cannot be 3\n  'int' object is not iterable"),
        ("evidence_database", "maybe", "option: evidence_database cannot be 'maybe'\n"
         "  it is true or false"),
        ("probes", {"web": 80}, "option: probes cannot be {'web': 80}\n"
         "  the probe of web is no text"),
    ],
)  # fmt: skip
def test_a_value_should_be_refused_with_its_source_when_it_cannot_be(
    tmp_path: Path, setting: str, value: Any, text: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {setting: value}, {})
    assert str(caught.value) == text


def test_a_setting_should_be_refused_when_there_is_none_of_that_name(tmp_path: Path) -> None:
    pyproject(tmp_path, "time_out = 3")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {}, {})
    assert str(caught.value) == (
        f"[tool.nomock] in {tmp_path}/pyproject.toml: there is no setting 'time_out' in "
        f"nomock {version('nomock')}\n"
        "-> nomock docs settings has all of them; did you mean 'timeout_s'?"
    )


def test_all_settings_of_another_version_should_be_named_when_there_are_some(
    tmp_path: Path,
) -> None:
    pyproject(tmp_path, "retries = 3\ntimeout_s = 3\nzeal = 1")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {}, {})
    assert str(caught.value).splitlines()[1:] == [
        "  nor: zeal",
        "-> nomock docs settings has all of them; remove it, or install the nomock that has it",
    ]


def test_a_pyproject_should_be_named_when_it_is_not_toml(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.nomock", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {}, {})
    assert str(caught.value).startswith(f"{tmp_path}/pyproject.toml: not valid TOML\n  ")


@pytest.mark.parametrize(
    ("options", "environ", "source"),
    [
        ({"files": ["gone.yml"]}, {}, "--file (of pytest: --stack-file)"),
        ({}, {"NOMOCK_FILES": "gone.yml"}, "$NOMOCK_FILES"),
    ],
)
def test_a_compose_file_should_be_named_with_its_source_when_it_is_missing(
    tmp_path: Path, options: dict[str, Any], environ: dict[str, str], source: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, options, environ)
    assert str(caught.value) == (
        f"{tmp_path}/gone.yml: this compose file is not there\n"
        f"-> name one that is there: it was named by {source}"
    )


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("git://example.org/shop.git", "git://example.org/shop.git"),
        ("https://me:pass@example.org/shop.git#main", "https://…@example.org/shop.git#main"),
        ("oci://registry:5000/shop:1", "oci://registry:5000/shop:1"),
        ("git@example.org:shop.git", "git@example.org:shop.git"),
    ],
)
@pytest.mark.parametrize("source", ["COMPOSE_FILE", "$NOMOCK_FILES", "option"])
def test_an_address_should_be_refused_with_a_cure_when_it_is_to_be_the_compose_file(
    tmp_path: Path, address: str, shown: str, source: str
) -> None:
    options: dict[str, Any] = {"files": [address]}
    environ: dict[str, str] = {}
    if source != "option":
        options, environ = {}, {source.removeprefix("$"): address}
    with pytest.raises(ConfigError) as caught:
        resolve(load(tmp_path, options, environ))
    assert str(caught.value) == (
        f"{source}: a compose file is not taken by its address\n  {shown}\n"
        "-> write a compose.yaml here that has it included: include: [ADDRESS]; compose fetches it "
        "then"
    )


def test_the_header_should_say_a_setting_and_its_source_when_it_is_changed(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.compose(web=idle())
    pyproject(tiny.path, 'probes = {web = "none"}')
    monkeypatch.setenv("NOMOCK_LOG_LINES", "3")
    (tiny.path / "sub").mkdir()
    monkeypatch.chdir(tiny.path / "sub")
    result = tiny.run("--stack-file=../docker-compose.yml", "--stack-timeout=9", "..")
    assert [tiny.plain(line) for line in result.outlines if line.startswith("nomock:")] == [
        "nomock: stack NAME: owned, will be started when a test needs it",
        "nomock: settings files=DIR/docker-compose.yml (option), timeout_s=9.0 (option), "
        "log_lines=3 ($NOMOCK_LOG_LINES), probes=web=none (pyproject)",
        f"nomock:   web  {idle()['image']}  <- not running",
    ]


def test_pytest_should_end_with_a_usage_error_when_a_setting_is_wrong(tiny: Tiny) -> None:
    tiny.compose(web=idle())
    result = tiny.run("--stack-timeout=soon")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.lines[:2] == [
        "ERROR: option: timeout_s cannot be 'soon'",
        "  could not convert string to float: 'soon'",
    ]


def test_a_run_should_leave_nothing_behind_when_it_has_no_compose_file(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("def test_plain(): pass")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n1")
    result.assert_outcomes(passed=1)
    assert not [line for line in result.outlines if "nomock:" in line]
    assert not (pytester.path / ".nomock").exists()


def test_compose_should_be_asked_about_dotenv_again_only_when_that_may_have_changed(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, docker_calls: Path
) -> None:
    tiny.compose(web=idle())
    tiny.write(".env", f"COMPOSE_PROJECT_NAME={tiny.name}\nNOMOCK_LOG_LINES=${{LINES_OF_LOGS}}\n")

    def lines(wanted: str) -> tuple[int, bool]:
        monkeypatch.setenv("LINES_OF_LOGS", wanted)
        docker_calls.write_text("")
        return load(tiny.path).log_lines, docker_calls.read_text() != ""

    assert lines("3") == (3, True)
    tiny.stack()  # from now on there is a folder to keep it in
    assert lines("3") == (3, True)
    assert lines("3") == (3, False)
    assert lines("4") == (4, True)


def test_a_table_should_be_left_alone_when_it_is_about_a_stack_further_up(tmp_path: Path) -> None:
    (tmp_path / "e2e/tests").mkdir(parents=True)
    (tmp_path / "e2e/compose.yaml").touch()
    pyproject(tmp_path, "log_lines = 3")
    assert load(tmp_path / "e2e/tests", {}, {}).log_lines == 3
    pyproject(tmp_path, "log_lines = 3", 'project = "outer"')
    inner = load(tmp_path / "e2e/tests", {}, {})
    assert (inner.project, inner.log_lines, inner.root) == (None, 200, tmp_path / "e2e")
    pyproject(tmp_path / "e2e", 'project = "inner"')
    assert load(tmp_path / "e2e/tests", {}, {}).project == "inner"
