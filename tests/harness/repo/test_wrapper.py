"""./just on machines that lack something: what it makes, what it says, what it hands over.

The machine's docker, id and uname are replaced by scripts, since this machine can only be one kind.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import ROOT

WHOLE_ENGINE = """
case "$*" in
    "version --format {{.Server.APIVersion}}") echo 1.45 ;;
    "compose version --short") echo 2.26.1 ;;
    "buildx version") echo v0.13.1 ;;
    *) echo "unexpected: $*" >&2; exit 64 ;;
esac
"""
NOT_RUNNING = """
echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock." >&2
exit 1
"""
FORBIDDEN = """
echo "permission denied while trying to connect to the Docker daemon socket" >&2
exit 1
"""
AS_ROOT = "As root, ./just installs and starts it: sudo ./just\n"
ELSEWHERE = (
    "Install and start Docker Engine 25 or newer, with the compose plug-in (v2) and the buildx\n"
    "plug-in, by the packages of your distribution; then call again.\n"
)
DESKTOP = "Install Docker Desktop (or bring it up to date), start it, and call again.\n"
# What Linux says depends on whether ./just could install the engine, were it root.
INSTALLABLE = platform.system() == "Linux" and platform.freedesktop_os_release()["ID"] in (
    "debian",
    "ubuntu",
)
ON_LINUX = AS_ROOT if INSTALLABLE else ELSEWHERE
TOOLS = ("awk", "cat", "cmp", "dirname", "flock", "ln", "mkdir", "mv", "rm", "sh", "tail")
JUSTFILE = """
set positional-arguments

show *arguments:
    @printf '<%s>\\n' "$@"

fail:
    @exit 7

path:
    @printf '%s\\n' "$PATH"
"""


class Machine:
    """A checkout with the wrapper, and a PATH that has only what is put there."""

    def __init__(self, path: Path) -> None:
        self.root = path / "my checkout"
        self.bin = path / "bin"
        self.bin.mkdir()
        (self.root / "images").mkdir(parents=True)
        shutil.copy(ROOT / "just", self.root)
        shutil.copy(ROOT / "images" / "debian.sh", self.root / "images")
        (self.root / "justfile").write_text(JUSTFILE)
        for name in ("requirements-dev.lock", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root)
        for tool in TOOLS:
            if found := shutil.which(tool):
                (self.bin / tool).symlink_to(found)
        self.command("python3", f'exec {sys.executable} "$@"')
        self.command("uname", "echo Linux")
        self.command("id", 'case "$1" in -un) echo ada ;; *) echo 1000 ;; esac')

    def command(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def log_calls(self) -> Path:
        """Have each call of a program of the PATH from now on written to a file, a line each."""
        calls, programs = self.bin.with_name("calls"), self.bin.with_name("programs")
        calls.touch()
        self.bin.rename(programs)
        self.bin.mkdir()
        for program in programs.iterdir():
            logged = f"echo \"{program.name} $*\" >>'{calls}'"
            self.command(program.name, f"{logged}\nexec '{program}' \"$@\"")
        return calls

    def has_environment(self) -> None:
        """Put an environment there, as a set-up that came to its end leaves it."""
        bin_dir = self.root / ".venv" / "bin"
        bin_dir.mkdir(parents=True)
        (bin_dir / "just").symlink_to(Path(sys.executable).parent / "just")
        inputs = [(self.root / n).read_text() for n in ("requirements-dev.lock", "pyproject.toml")]
        stamp = f"{self.root.resolve()}\n" + "".join(inputs)
        (self.root / ".venv" / "nomock-stamp").write_text(stamp)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.root / "just"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.bin,
            env={"PATH": str(self.bin), "HOME": str(Path.home()), **variables},
        )

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        with self.start(*arguments, **variables) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("system", "docker", "said"),
    [
        pytest.param(
            "Linux",
            None,
            f"just: no container engine answers:\n  docker: command not found\n{ON_LINUX}",
            id="no docker",
        ),
        pytest.param(
            "Linux",
            NOT_RUNNING,
            "just: no container engine answers:\n"
            "  Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n"
            f"{ON_LINUX}",
            id="not running",
        ),
        pytest.param(
            "Darwin",
            None,
            f"just: no container engine answers:\n  docker: command not found\n{DESKTOP}",
            id="no docker on macOS",
        ),
        pytest.param(
            "MINGW64_NT-10.0",
            NOT_RUNNING,
            "just: no container engine answers:\n"
            "  Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n"
            f"{DESKTOP}",
            id="not running on Windows",
        ),
        pytest.param(
            "Linux",
            WHOLE_ENGINE.replace("1.45", "1.41"),
            "just: the container engine is too old: API 1.41, and 1.44 (Engine 25) is needed.\n"
            f"{ON_LINUX}",
            id="old engine",
        ),
        pytest.param(
            "Linux",
            WHOLE_ENGINE.replace("2.26.1", "1.29.2"),
            f"just: the container engine lacks docker compose v2.\n{ON_LINUX}",
            id="old compose",
        ),
        pytest.param(
            "Darwin",
            'case "$1" in version) echo 1.45 ;; *) exit 1 ;; esac',
            "just: the container engine lacks docker compose v2 and docker buildx.\n" + DESKTOP,
            id="no plug-ins",
        ),
        pytest.param(
            "Linux",
            FORBIDDEN,
            "just: this user may not use the container engine:\n"
            "  permission denied while trying to connect to the Docker daemon socket\n"
            "Join the group docker, then log in again: sudo usermod -aG docker ada\n",
            id="no permission",
        ),
    ],
)
def test_the_wrapper_should_say_what_to_install_when_it_may_not(
    machine: Machine, system: str, docker: str | None, said: str
) -> None:
    machine.has_environment()
    machine.command("uname", f"echo {system}")
    if docker is not None:
        machine.command("docker", docker)

    result = machine.run("show")

    assert (result.returncode, result.stdout, result.stderr) == (1, "", said)


def test_the_wrapper_should_start_nothing_when_the_engine_is_elsewhere(machine: Machine) -> None:
    machine.command("docker", NOT_RUNNING)
    machine.command("id", "echo 0")
    machine.command("dockerd", "echo started >&2")

    result = machine.run("show", DOCKER_HOST="tcp://10.0.0.1:2375")

    assert result.returncode == 1
    assert "no container engine answers" in result.stderr
    assert "started" not in result.stderr


def test_the_wrapper_should_say_which_python_is_needed_when_there_is_none(
    machine: Machine,
) -> None:
    machine.command("docker", WHOLE_ENGINE)
    machine.command("python3", "exit 1")

    result = machine.run("show")

    assert (result.returncode, result.stdout, result.stderr) == (
        1,
        "",
        "just: Python 3.11 or newer is needed, as python3 or python3.NN on the PATH.\n"
        "Install it, then call again.\n",
    )


def test_arguments_and_exit_codes_should_pass_unharmed_when_just_is_called(
    machine: Machine,
) -> None:
    machine.command("docker", WHOLE_ENGINE)
    machine.has_environment()

    shown = machine.run("show", "-k", "a and not b", "", 'it\'s "$HOME"', "*", "--pdb")

    assert shown.stdout == '<-k>\n<a and not b>\n<>\n<it\'s "$HOME">\n<*>\n<--pdb>\n'
    assert (shown.returncode, shown.stderr) == (0, "")
    assert machine.run("fail").returncode == 7
    first = machine.run("path").stdout.split(":")[0]
    assert first == str(machine.root.resolve() / ".venv" / "bin")


def test_the_wrapper_should_ask_the_engine_once_and_make_nothing_when_all_is_there(
    machine: Machine,
) -> None:
    machine.command("docker", WHOLE_ENGINE)
    machine.has_environment()
    for maker in ("uv", "apt-get", "sudo", "dockerd", "systemctl"):
        machine.command(maker, "exit 1")
    assert machine.run("--version").returncode == 0
    calls = machine.log_calls()

    assert machine.run("--version").returncode == 0

    # What that costs in time: bench/wrapper.py.
    assert sorted(calls.read_text().splitlines()) == [
        "cat requirements-dev.lock pyproject.toml",
        "cmp -s - .venv/nomock-stamp",
        f"dirname {machine.root}/just",
        "docker version --format {{.Server.APIVersion}}",
    ]


def test_the_plug_ins_should_be_asked_again_when_the_engine_is_another(machine: Machine) -> None:
    machine.command("docker", WHOLE_ENGINE)
    machine.has_environment()
    assert machine.run("show").returncode == 0
    machine.command("docker", WHOLE_ENGINE.replace("1.45", "1.46").replace("2.26.1", "1.29"))

    result = machine.run("show")

    assert (result.returncode, result.stderr) == (
        1,
        f"just: the container engine lacks docker compose v2.\n{ON_LINUX}",
    )


@pytest.mark.slow
def test_the_environment_should_be_made_once_when_two_ask_for_it_after_an_interrupted_one(
    machine: Machine,
) -> None:
    machine.command("docker", WHOLE_ENGINE)
    shutil.copy(ROOT / "README.md", machine.root)
    shutil.copytree(ROOT / "src", machine.root / "src")
    shutil.copytree(ROOT / "coverage-spy", machine.root / "coverage-spy")
    shutil.copytree(ROOT / "docs", machine.root / "docs")
    shutil.copytree(ROOT / "http-fault-proxy", machine.root / "http-fault-proxy")
    # As an interrupted set-up leaves it: something is there, the stamp is not.
    half = machine.root / ".venv" / "bin"
    half.mkdir(parents=True)
    (half / "python").symlink_to(machine.bin / "absent")

    both = [machine.start("show", "done"), machine.start("show", "done")]
    results = [process.communicate() for process in both]

    assert [process.returncode for process in both] == [0, 0], results
    assert [out for out, _ in results] == ["<done>\n", "<done>\n"]
    said = sorted("".join(err for _, err in results).splitlines())
    assert said in (
        ["just: make the virtual environment .venv (locked dependencies)"],
        [
            "just: make the virtual environment .venv (locked dependencies)",
            "just: waiting for another ./just to finish its set-up",
        ],
    )
    imported = [str(half / "python"), "-c", "import nomock; print(nomock.__file__)"]
    found = subprocess.run(imported, capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).is_relative_to(machine.root.resolve())
    assert machine.run("show", "again").stderr == ""


@pytest.mark.slow
def test_the_last_lines_should_be_shown_when_the_environment_cannot_be_made(
    machine: Machine,
) -> None:
    machine.command("docker", WHOLE_ENGINE)
    (machine.root / "requirements-dev.lock").write_text("uv==0 --hash=sha256:0\n")

    result = machine.run("show")

    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert lines[0] == "just: make the virtual environment .venv (locked dependencies)"
    assert "ERROR: No matching distribution found for uv==0" in lines
    log = machine.root.resolve() / ".nomock" / "just.log"
    assert lines[-1] == f"just: that failed; all of its output: {log}"
    assert not (machine.root / ".venv" / "nomock-stamp").exists()
