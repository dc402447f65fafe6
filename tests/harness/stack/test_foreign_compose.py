"""Compose alone decides where a project is and what is in it: the wheel in projects of others."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from foreign import Foreign

Copy = Callable[..., Foreign]


def listed(project: Foreign) -> dict[str, str]:
    """Return what compose lists of this folder: project name -> its compose files."""
    told = project.compose("ls", "--all", "--format", "json").text
    ours = project.projects()
    return {
        found["Name"]: found["ConfigFiles"] for found in json.loads(told) if found["Name"] in ours
    }


def split(project: Foreign) -> None:
    """Give the project two compose files, neither with a name that compose looks for."""
    (project.path / "docker-compose.yml").rename(project.path / "base.yml")
    project.write("extra.dev.yml", "services: {till: {environment: {SHOP: dev}}}\n")
    project.environ["EXPECTED"] = "dev"


@pytest.mark.slow
@pytest.mark.parametrize(
    "dotenv",
    [
        b"export COMPOSE_FILE=base.yml:extra.dev.yml\n",
        b"COMPOSE_FILE='base.yml:extra.dev.yml' # the usual set\n",
        b"\xef\xbb\xbfSTAGE=dev\nCOMPOSE_FILE=base.yml:extra.${STAGE}.yml\n",
        b"  COMPOSE_FILE = base.yml:extra.dev.yml\nTOKEN=abc # Schl\xfcssel\n",
    ],
    ids=["export", "comment", "BOM and variable", "spaces and latin-1"],
)
def test_the_files_should_be_those_that_dotenv_names_when_compose_can_read_it(
    foreign: Copy, dotenv: bytes
) -> None:
    project = foreign("till")
    split(project)
    (project.path / ".env").write_bytes(dotenv)
    done = project.pytest("-q")
    assert done.code == 0, done.text
    assert listed(project) == {
        project.path.name: f"{project.path}/base.yml,{project.path}/extra.dev.yml"
    }


def test_a_dotenv_that_is_not_utf8_should_do_no_harm_when_there_is_no_stack(foreign: Copy) -> None:
    project = foreign("till")
    (project.path / "docker-compose.yml").unlink()
    (project.path / ".env").write_bytes(b"TOKEN=abc # Schl\xfcssel\n")
    project.write("test_till.py", "def test_plain(): pass\n")
    done = project.pytest("-q")
    assert done.code == 0, done.text


def test_name_and_variables_should_be_of_the_folder_when_the_compose_file_is_in_another(
    foreign: Copy,
) -> None:
    project = foreign("till")
    deploy = project.path / "deploy"
    deploy.mkdir()
    (project.path / "docker-compose.yml").rename(deploy / "base.yml")
    (project.path / "till.py").rename(deploy / "till.py")
    name = f"shop-{project.path.name}"
    project.write(
        ".env",
        f"COMPOSE_FILE=deploy/base.yml\nCOMPOSE_PROJECT_NAME={name}\nSHOP=harbour\n"
        "NOMOCK_LOG_LINES=7\n",
    )
    project.environ["EXPECTED"] = "harbour"
    assert project.compose("up", "--detach").code == 0
    (before,) = project.ids().values()
    done = project.pytest()
    assert done.code == 0, done.text
    assert "log_lines=7 (.env)" in done
    assert project.ids() == {"till": before}, "it was there as it should be"
    assert set(listed(project)) == {name}


def test_the_links_folder_should_count_when_the_compose_file_is_a_link(foreign: Copy) -> None:
    project = foreign("till")
    infra = project.path / "infra"
    infra.mkdir()
    (project.path / "docker-compose.yml").rename(infra / "docker-compose.yml")
    (project.path / "docker-compose.yml").symlink_to("infra/docker-compose.yml")
    project.write(".env", "SHOP=harbour\n")
    project.environ["EXPECTED"] = "harbour"
    done = project.pytest("-q")
    assert done.code == 0, done.text
    assert list(listed(project)) == [project.path.name]


@pytest.mark.slow
def test_the_links_name_should_count_when_the_folder_is_a_link(foreign: Copy) -> None:
    project = foreign("till", folder="release-42")
    link = project.path.with_name(f"current-{os.getpid()}")
    link.symlink_to(project.path)
    real, project.path = project.path, link
    try:
        assert project.compose("up", "--detach").code == 0
        before = project.ids()
        assert project.pytest("-q").code == 0
        assert project.ids() == before
        status = project.nomock("status")
        assert status.code == 0, status.text
    finally:
        assert project.compose("down", "--timeout", "0").code == 0
    assert not (real / "release-42").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stands", "command"),
    [("e2e", ()), ("", ("e2e",)), ("", ("e2e/test_till.py::test_till",)), ("e2e/deep", ("..",))],
    ids=["there", "its folder", "its test", "below it"],
)
def test_the_compose_file_should_be_found_when_the_user_stands_or_points_near_it(
    foreign: Copy, stands: str, command: tuple[str, ...]
) -> None:
    project = foreign("till")
    (project.path / "e2e/deep").mkdir(parents=True)
    for name in ("docker-compose.yml", "till.py", "test_till.py"):
        (project.path / name).rename(project.path / "e2e" / name)
    project.write("pyproject.toml", '[project]\nname = "shop"\nversion = "1"\n')
    # From every place it is one stack, with one name.
    project.environ["COMPOSE_PROJECT_NAME"] = project.path.name
    done = project.pytest("-q", *command, cwd=stands)
    assert done.code == 0, done.text
    assert list(listed(project).values()) == [f"{project.path}/e2e/docker-compose.yml"]
    status = project.nomock("status", cwd="e2e")
    assert status.code == 0, status.text


def test_the_compose_file_should_be_pointed_at_when_it_is_in_a_folder_below(foreign: Copy) -> None:
    project = foreign("till")
    (project.path / "e2e").mkdir()
    (project.path / "docker-compose.yml").rename(project.path / "e2e/docker-compose.yml")
    done = project.nomock("up")
    assert (done.code, done.text) == (
        1,
        f"{project.path}: no compose file here\n"
        "  there is e2e/docker-compose.yml: call it in that folder\n"
        "-> add a docker-compose.yml, or name it: files in [tool.nomock], or --stack-file\n",
    )


NAMED = {
    "settings.${STAGE:-dev}.env": "settings.dev.env",
    "env files/common.env": "env files/common.env",
    "app@dev.env": "app@dev.env",
    "a,b.env": "a,b.env",
    "../beside.env": "../beside.env",
}


@pytest.mark.slow
def test_a_service_should_be_recreated_when_a_file_of_its_variables_changed(foreign: Copy) -> None:
    project = foreign("till")
    for number, file in enumerate(NAMED.values()):
        project.write(file, f"V{number}=old\n")
    named = "".join(f"      - {json.dumps(name)}\n" for name in NAMED)
    compose = project.path / "docker-compose.yml"
    project.write("docker-compose.yml", compose.read_text() + f"    env_file:\n{named}")
    assert project.nomock("up").code == 0
    assert project.nomock("status").code == 0
    for number, file in enumerate(NAMED.values()):
        project.write(file, f"V{number}=new\n")
        status = project.nomock("status")
        assert status.code == 1, f"{file} changed\n{status.text}"
        assert "configuration changed" in status
        project.write(file, f"V{number}=old\n")
    assert project.nomock("status").code == 0
    (before,) = project.ids().values()
    project.write("app@dev.env", "V2=new\n")
    assert project.nomock("up").code == 0
    assert list(project.ids().values()) != [before]


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["Kasse, Nord", "my shop (v2)", "a$b#c%20"])
def test_a_second_run_should_find_the_stack_warm_when_its_folder_has_an_odd_name(
    foreign: Copy, folder: str
) -> None:
    project = foreign("till", folder=folder)
    project.environ["COMPOSE_PROJECT_NAME"] = f"t-{abs(hash(str(project.path))) % 10**8}"
    assert project.pytest("-q").code == 0
    before = project.ids()
    done = project.pytest("-s")
    assert done.code == 0, done.text
    assert f"stack {project.environ['COMPOSE_PROJECT_NAME']}: attached\n" in done
    assert project.ids() == before


@pytest.mark.slow
def test_a_dollar_sign_should_be_one_when_the_compose_file_has_it_doubled(foreign: Copy) -> None:
    project = foreign("dollar")
    done = project.pytest("-q")
    assert done.code == 0, done.text


def two_projects(foreign: Copy) -> Foreign:
    """A folder that has no compose file, but two projects, whose services say which they are."""
    project = foreign("till")
    compose = (project.path / "docker-compose.yml").read_text()
    for name in ("north", "south"):
        # Each has a name of its own beside those of other runs.
        named = f"name: {name}-{project.path.name}\n{compose.replace('corner', name)}"
        project.write(f"{name}/docker-compose.yml", named)
        project.write(f"{name}/till.py", (project.path / "till.py").read_text())
        project.write(f"{name}/pytest.ini", "[pytest]\n")
        project.write(
            f"{name}/tests/test_{name}.py",
            f'def test_it(stack): assert stack["till"].http.get("/").text == "till {name}"\n',
        )
        project.write(f"{name}/tests/test_plain_{name}.py", "def test_plain(): pass\n")
    for name in ("docker-compose.yml", "till.py", "test_till.py"):
        (project.path / name).unlink()
    return project


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        (("north/tests", "south/tests"), "north"),
        (("south/tests", "north/tests/test_north.py::test_it"), "south"),
        (("-c", "south/pytest.ini", "--rootdir", "south"), "south"),
        (("north", "south", "-n1"), "north"),
    ],
    ids=["two folders", "a folder and a test", "-c, --rootdir", "in parallel"],
)
def test_tests_of_two_projects_should_be_refused_when_only_arguments_chose_one(
    foreign: Copy, arguments: tuple[str, ...], chosen: str
) -> None:
    project = two_projects(foreign)
    done = project.pytest("-q", *arguments)
    other = {"north": "south", "south": "north"}[chosen]
    assert done.code == 4, done.text
    assert (
        f"ERROR: {project.path}/{other}/tests/test_{other}.py: a test of another stack than the "
        f"run's, which is that of {project.path}/{chosen}\n"
        f"  the nearest compose file is in {project.path}/{other}\n"
        "-> run the tests of each stack alone; or stand in the folder of the stack that all are to "
        "use; or let a conftest.py beside each compose file override the fixture compose_files: "
        "nomock docs settings\n"
    ) in done
    assert project.projects() == set(), "nothing was started for tests that cannot run"


@pytest.mark.slow
def test_tests_of_two_projects_should_each_have_their_own_when_conftests_say_so(
    foreign: Copy,
) -> None:
    project = two_projects(foreign)
    for name in ("north", "south"):
        project.write(
            f"{name}/conftest.py",
            "from pathlib import Path\nimport pytest\n\n\n"
            '@pytest.fixture(scope="session")\ndef compose_files():\n'
            '    return (Path(__file__).with_name("docker-compose.yml"),)\n',
        )
    done = project.pytest("-q", "--rootdir", ".", "north", "south")
    assert done.code == 0, done.text
    assert project.projects() == {f"{n}-{project.path.name}" for n in ("north", "south")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stands", "arguments"),
    [
        ("", ("--rootdir", "south", "south/tests", "north/tests/test_plain_north.py")),
        ("", ("-c", "south/pytest.ini", "south/tests")),
        ("north", ("--rootdir", "..", "../south")),
    ],
    ids=["--rootdir, and a test without a stack", "-c", "from beside it"],
)
def test_the_stack_should_be_the_one_that_is_pointed_at_when_the_user_stands_elsewhere(
    foreign: Copy, stands: str, arguments: tuple[str, ...]
) -> None:
    project = two_projects(foreign)
    if stands:
        (project.path / stands / "docker-compose.yml").unlink()
    done = project.pytest("-q", *arguments, cwd=stands)
    assert done.code == 0, done.text
    assert project.projects() == {f"south-{project.path.name}"}


@pytest.mark.slow
def test_a_built_service_should_be_there_only_when_dotenv_has_its_profile(
    foreign: Copy,
) -> None:
    project = foreign("till")
    image = (project.path / "docker-compose.yml").read_text().split("image: ")[1].split()[0]
    project.write("desk/Dockerfile", f"FROM {image}\nCOPY till.py /\n")
    project.write("desk/till.py", (project.path / "till.py").read_text())
    project.write(
        "docker-compose.override.yml",
        "services:\n"
        "  desk: {build: ./desk, profiles: [desk], command: python3 /till.py, init: true,\n"
        '    stop_signal: SIGKILL, ports: ["127.0.0.1::8000"]}\n'
        "  later: {build: ./not-there, profiles: [later]}\n",
    )
    project.write(".env", "COMPOSE_PROFILES=other\n")
    assert project.pytest("-q").code == 0
    assert set(project.ids()) == {"till"}
    assert project.nomock("overlay").code == 0

    project.write(".env", "COMPOSE_PROFILES=desk\n")
    project.write("test_till.py", 'def test_desk(stack): stack["desk"].http.get("/")\n')
    off = project.nomock("status")
    assert (off.code, "desk     no container" in off) == (1, True), off.text
    done = project.pytest("-q", "--sidecar-coverage")
    assert done.code == 0, done.text
    assert "note: desk runs CPython" in done, "the overlay was written while it was off"
    assert project.nomock("status").code == 0
    overlay = project.nomock("overlay").text
    assert "\ndesk     CPython" in overlay, overlay
    project.write("desk/till.py", "# edited\n" + (project.path / "till.py").read_text())
    assert "build context changed: desk/till.py" in project.nomock("status")
    assert project.nomock("down").code == 0
    assert project.ids() == {}


@pytest.mark.slow
def test_what_an_include_fetches_should_be_as_it_is_now_when_compose_fetches_it(
    foreign: Copy, tmp_path: Path
) -> None:
    project = foreign("till")
    far, shared = tmp_path / "far", tmp_path / "shared.git"

    def git(*words: str) -> None:
        who = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgSign=false")
        done = project.run("git", "-C", str(far), *who, *words)
        assert done.code == 0, done.text

    far.mkdir()
    for name in ("docker-compose.yml", "till.py"):
        (project.path / name).rename(far / name)
    git("init", "--quiet", "--initial-branch=main")
    git("add", ".")
    git("commit", "--quiet", "--message=first")
    git("clone", "--quiet", "--bare", ".", str(shared))
    # Compose takes addresses, and git may be told that one of them is a folder.
    project.environ |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{shared}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://example.org/shop.git",
        "COMPOSE_EXPERIMENTAL_GIT_REMOTE": "1",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    project.write("compose.yaml", "include:\n  - https://example.org/shop.git#main\n")
    assert project.pytest("-q").code == 0
    assert project.nomock("overlay").code == 0
    done = project.pytest("-q", "--sidecar-coverage")
    assert (done.code, "till         1 " in done) == (0, True), done.text
    compose = far / "docker-compose.yml"
    compose.write_text(compose.read_text().replace("corner", "market"))
    git("commit", "--quiet", "--all", "--message=second")
    git("push", "--quiet", str(shared), "main")
    project.environ["EXPECTED"] = "market"
    done = project.pytest("-q")
    assert done.code == 0, done.text
