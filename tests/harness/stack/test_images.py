"""The images of a checkout: already here, pulled from a registry, or built; and what .env says."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pythons import VERSIONS, image_of
from tiny import IMAGE, ROOT, docker

from nomock.adapters.engine import Engine
from nomock.errors import BuildError, ConfigError
from nomock.images import (
    ResolvedImage,
    project_name,
    provide_images_of,
    resolve_image,
    resolve_images,
)
from nomock.images.manifest import ImageSpec
from nomock.images.steps import Steps

# The least that is an image: one file, and a step to show on the way.
BUILDS = """
echo "==> pack one file"
echo "$1" >content
tar -cf - content | docker import - "$1"
"""
FAILS = """
for line in $(seq 30); do echo "line $line"; done
echo "==> compile the rest"
echo "error: no such header" >&2
exit 3
"""


class Checkout:
    """A directory with images of its own to settle; its images are gone after the test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tag = f"nomock-t-{uuid4().hex[:8]}"
        self.shown: list[str] = []
        self._images: list[str] = []
        (path / "images").mkdir(parents=True)
        (path / "images" / "images.toml").touch()

    def image(
        self, variable: str, upstream: str, builder: str = BUILDS, compose_file: str = ""
    ) -> str:
        """Add an image and return the tag of its stand-in."""
        stand_in = f"{self.tag}/{variable.lower()}:1"
        script = self.path / "images" / f"{variable.lower()}.sh"
        script.write_text(
            f"#!/bin/sh\nset -eu\ncd \"$(mktemp -d '{self.path}/XXXXXX')\"\n{builder}"
        )
        script.chmod(0o755)
        with (self.path / "images" / "images.toml").open("a") as listed:
            for line in (
                "[[image]]",
                f'variable = "{variable}"',
                f'upstream = "{upstream}"',
                f'stand_in = "{stand_in}"',
                f'builder = "{script.name}"',
                f'compose_file = "{compose_file}"' if compose_file else "",
            ):
                listed.write(f"{line}\n")
        self._images += [upstream, stand_in]
        return stand_in

    def resolve_images(self, **environ: str) -> list[tuple[str, str, str]]:
        """Settle and return variable, image and how; ``shown`` has the progress."""
        self.shown.clear()
        resolved: list[ResolvedImage] = resolve_images(self.path, self.shown.append, environ)
        return [(s.variable, s.image, s.how) for s in resolved]

    @property
    def env(self) -> list[str]:
        return (self.path / ".env").read_text().splitlines()

    def clear(self) -> None:
        here = Engine().images()
        if ours := [tag for tag in self._images if tag in here]:
            docker("image", "rm", "--force", *ours)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    made = Checkout(tmp_path / "My Shop")
    try:
        yield made
    finally:
        made.clear()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A registry on loopback: its host and port. The engine speaks plain HTTP to loopback."""
    if shutil.which("docker-registry") is None:
        install = '. "$1/images/debian.sh" && apt_install docker-registry'
        subprocess.run(["sh", "-euc", install, "sh", str(ROOT)], check=True)
    config = tmp_path / "registry.yml"
    config.write_text(
        "version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: '{tmp_path}/registry'}}}}\n"
        "http: {addr: '127.0.0.1:0'}\n"
    )
    with subprocess.Popen(
        ["docker-registry", "serve", str(config)], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            mark = 'msg="listening on '
            line = next((line for line in process.stderr if mark in line), None)
            assert line is not None, "the registry did not start"
            yield line.split(mark)[1].split('"')[0]
        finally:
            process.terminate()


@pytest.fixture
def dead_host() -> Iterator[str]:
    """A host and port that refuse: bound, so that nobody else gets it, but not listened at."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def test_an_image_should_be_built_and_no_registry_asked_when_none_has_it(
    checkout: Checkout,
) -> None:
    stand_in = checkout.image("NODE_IMAGE", "nothing:like-it")
    spec = ImageSpec("NODE_IMAGE", upstream="", stand_in=stand_in, builder="node_image.sh")
    resolved = resolve_image(checkout.path, spec, checkout.shown.append, {})
    assert (resolved.image, resolved.how) == (stand_in, "built")
    assert checkout.shown[0] == f"build {stand_in}"


def test_an_image_should_be_pulled_when_a_registry_has_it(
    checkout: Checkout, registry: str
) -> None:
    upstream = f"{registry}/shop/base:1"
    checkout.image("BASE_IMAGE", upstream, FAILS)
    docker("build", "--quiet", "--tag", upstream, str(_context(checkout.path)))
    docker("push", "--quiet", upstream)
    docker("image", "rm", upstream)

    assert checkout.resolve_images() == [("BASE_IMAGE", upstream, "pulled")]

    assert upstream in Engine().images()
    assert checkout.shown[0] == f"ask {registry} for {upstream}"
    assert checkout.env[0] == f"BASE_IMAGE={upstream}"


def test_an_image_should_be_built_when_the_registry_answers_but_has_it_not(
    checkout: Checkout, registry: str
) -> None:
    stand_in = checkout.image("BASE_IMAGE", f"{registry}/shop/absent:1")

    assert checkout.resolve_images() == [("BASE_IMAGE", stand_in, "built")]

    log = checkout.path / ".nomock" / "images" / "base_image.sh.log"
    assert "not found" in log.read_text() or "unknown" in log.read_text()


def test_images_should_be_built_and_the_registry_asked_once_when_it_refuses(
    checkout: Checkout, dead_host: str
) -> None:
    one = checkout.image("ONE_IMAGE", f"{dead_host}/one:1")
    two = checkout.image("TWO_IMAGE", f"{dead_host}/two:1")

    assert checkout.resolve_images() == [("ONE_IMAGE", one, "built"), ("TWO_IMAGE", two, "built")]

    asked = [line for line in checkout.shown if line.startswith("ask ")]
    assert asked == [f"ask {dead_host} for {dead_host}/one:1"]
    assert (
        "connection refused"
        in (checkout.path / ".nomock" / "images" / "two_image.sh.log").read_text()
    )


def test_an_image_should_be_settled_with_its_compose_file_when_it_has_one(
    checkout: Checkout, dead_host: str
) -> None:
    one = checkout.image("ONE_IMAGE", f"{dead_host}/one:1")
    two = checkout.image("TWO_IMAGE", f"{dead_host}/two:1", compose_file="more.yml")

    assert checkout.resolve_images() == [("ONE_IMAGE", one, "built")]
    assert not any(line.startswith("TWO_IMAGE") for line in checkout.env)

    provide_images_of("more.yml", checkout.path, checkout.shown.append, {})
    assert {f"ONE_IMAGE={one}", f"TWO_IMAGE={two}"} < set(checkout.env)

    # It is there now, and nothing is asked but the engine.
    checkout.shown.clear()
    provide_images_of("more.yml", checkout.path, checkout.shown.append, {})
    provide_images_of("other.yml", checkout.path, checkout.shown.append, {})
    provide_images_of("more.yml", checkout.path.parent, checkout.shown.append, {})
    assert checkout.shown == []


def test_images_should_be_built_after_one_deadline_when_the_registry_swallows_the_question(
    checkout: Checkout,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        checkout.image("ONE_IMAGE", f"{host}/one:1")
        checkout.image("TWO_IMAGE", f"{host}/two:1")

        assert [how for *_, how in checkout.resolve_images()] == ["built", "built"]

        asked = [line for line in checkout.shown if line.startswith("ask ")]
        assert asked == [f"ask {host} for {host}/one:1"]


def test_a_second_settle_should_ask_nobody_when_all_is_here(checkout: Checkout) -> None:
    with socket.socket() as host:
        host.bind(("127.0.0.1", 0))
        stand_in = checkout.image("BASE_IMAGE", f"127.0.0.1:{host.getsockname()[1]}/base:1")
        checkout.resolve_images()
        written = (checkout.path / ".env").stat()
        host.listen()  # only now: the first time it is to refuse
        host.setblocking(False)

        assert checkout.resolve_images() == [("BASE_IMAGE", stand_in, "here")]

        with pytest.raises(BlockingIOError):
            host.accept()
    assert checkout.shown == []
    assert (checkout.path / ".env").stat().st_mtime_ns == written.st_mtime_ns


def test_env_should_keep_what_the_user_wrote_when_images_are_settled(
    checkout: Checkout, dead_host: str
) -> None:
    base = checkout.image("BASE_IMAGE", f"{dead_host}/base:1")
    other = checkout.image("OTHER_IMAGE", f"{dead_host}/other:1")
    mine = ["# mine", "", "LOG_LEVEL='debug'", f"BASE_IMAGE={dead_host}/base:1", "A=x=y"]
    (checkout.path / ".env").write_text("\n".join(mine))

    checkout.resolve_images()

    assert checkout.env == [
        "# mine",
        "",
        "LOG_LEVEL='debug'",
        f"BASE_IMAGE={base}",
        "A=x=y",
        f"OTHER_IMAGE={other}",
        f"COMPOSE_PROJECT_NAME={project_name(checkout.path)}",
    ]
    assert list(checkout.path.glob(".env?*")) == []


def test_an_image_that_the_user_chose_should_stay_when_images_are_settled(
    checkout: Checkout, dead_host: str
) -> None:
    checkout.image("BASE_IMAGE", f"{dead_host}/base:1", FAILS)
    checkout.image("OTHER_IMAGE", f"{dead_host}/other:1", FAILS)
    (checkout.path / ".env").write_text("BASE_IMAGE=ours/base:7\nCOMPOSE_PROJECT_NAME=shop\n")

    assert checkout.resolve_images(OTHER_IMAGE="ours/other:8") == [
        ("BASE_IMAGE", "ours/base:7", "chosen"),
        ("OTHER_IMAGE", "ours/other:8", "chosen"),
    ]

    assert checkout.env == ["BASE_IMAGE=ours/base:7", "COMPOSE_PROJECT_NAME=shop"]


def test_the_project_name_should_be_of_one_checkout_when_two_have_the_same_directory_name(
    tmp_path: Path,
) -> None:
    one, two = project_name(tmp_path / "a" / "My Shop"), project_name(tmp_path / "b" / "My Shop")

    assert one.startswith("myshop-")
    assert len(one) == len("myshop-") + 6
    assert one != two
    assert project_name(tmp_path / "…").startswith("nomock-")


def test_the_last_lines_should_be_shown_when_an_image_does_not_build(
    checkout: Checkout, dead_host: str
) -> None:
    stand_in = checkout.image("BASE_IMAGE", f"{dead_host}/base:1", FAILS)

    with pytest.raises(BuildError) as caught:
        checkout.resolve_images()

    log = checkout.path / ".nomock" / "images" / "base_image.sh.log"
    shown = [f"  line {number}" for number in range(13, 31)]
    assert str(caught.value).splitlines() == [
        f"image {stand_in}: it does not build (step: compile the rest)",
        *shown,
        "  ==> compile the rest",
        "  error: no such header",
        f"-> see all of it: {log}",
    ]
    assert not (checkout.path / ".env").exists()


def test_the_error_should_say_so_and_name_the_step_when_the_disk_is_full(
    checkout: Checkout, dead_host: str
) -> None:
    full = 'echo "==> unpack"\nhead -c 100 /dev/zero >/dev/full'
    stand_in = checkout.image("BASE_IMAGE", f"{dead_host}/base:1", full)

    with pytest.raises(BuildError) as caught:
        checkout.resolve_images()

    assert caught.value.what == "the disk is full (step: unpack)"
    assert caught.value.where == f"image {stand_in}"
    assert "No space left on device" in caught.value.seen
    assert caught.value.todo.startswith("free some space")


def test_the_error_should_name_the_builder_when_it_cannot_be_run(
    checkout: Checkout, dead_host: str
) -> None:
    checkout.image("BASE_IMAGE", f"{dead_host}/base:1")
    builder = checkout.path / "images" / "base_image.sh"
    builder.unlink()

    with pytest.raises(BuildError) as caught:
        checkout.resolve_images()

    assert f"{builder} cannot be run: No such file or directory" in caught.value.seen


@pytest.mark.parametrize(
    ("listed", "what"),
    [
        (None, "there is no list of images to resolve"),
        ("[[image", "not valid TOML"),
        ("[[image]]\nvariable = 'A'\n", "[[image]] number 1 is not complete"),
    ],
)
def test_the_error_should_name_the_list_when_it_is_missing_or_wrong(
    checkout: Checkout, listed: str | None, what: str
) -> None:
    path = checkout.path / "images" / "images.toml"
    path.unlink() if listed is None else path.write_text(listed)

    with pytest.raises(ConfigError) as caught:
        checkout.resolve_images()

    assert str(caught.value).startswith(f"{path}: {what}")


def test_nothing_should_be_left_running_when_the_user_interrupts_a_build(
    checkout: Checkout, dead_host: str, tmp_path: Path
) -> None:
    started, gone = tmp_path / "started", tmp_path / "gone"
    os.mkfifo(started)
    os.mkfifo(gone)
    # Both ends of the second pipe are the builder's: it ends for the reader when they are closed.
    checkout.image(
        "BASE_IMAGE",
        f"{dead_host}/base:1",
        f"exec 3>'{gone}'\necho yes >'{started}'\nsleep 1000",
    )
    process = _settling(checkout)
    with gone.open() as end_of_builder:
        started.read_text()
        process.send_signal(signal.SIGINT)

        assert end_of_builder.read() == ""
    assert process.wait() != 0
    assert not (checkout.path / ".env").exists()


def test_nothing_should_be_left_running_when_the_user_interrupts_the_start_of_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    # Of text or of bytes, as the caller says: the type is not of interest here.
    class Popen(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *words: Any, **how: Any) -> None:
            super().__init__(*words, **how)
            started.append(self)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            Steps(print).run(["sleep", "1000"], "build", "x", tmp_path / "log")
    finally:
        signal.signal(signal.SIGINT, handler)
    assert started[0].returncode is not None


def test_an_image_should_be_built_once_when_two_runs_need_it(
    checkout: Checkout, dead_host: str, tmp_path: Path
) -> None:
    built = tmp_path / "built"
    checkout.image("BASE_IMAGE", f"{dead_host}/base:1", f"echo built >>'{built}'\n{BUILDS}")

    both = [_settling(checkout), _settling(checkout)]

    assert [process.wait() for process in both] == [0, 0]
    assert built.read_text() == "built\n"


@pytest.mark.slow
def test_postgres_should_keep_the_upstream_promises_when_it_starts_and_stops(
    tmp_path: Path,
) -> None:
    scripts = tmp_path / "initdb.d"
    scripts.mkdir(mode=0o755)
    (scripts / "1.sql").write_text("CREATE TABLE seen (by text);")
    (scripts / "2.sql.gz").write_bytes(_gzipped("INSERT INTO seen VALUES ('gz');"))
    (scripts / "3.sh").write_text(
        'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -qc "INSERT INTO seen VALUES (\'sh\')"\n'
    )
    secret = 'it\'s a "secret"'
    with _running(
        _settled("POSTGRES_IMAGE"),
        "-c",
        "max_connections=50",
        options=(
            "--volume",
            f"{scripts}:/docker-entrypoint-initdb.d:ro",
            *("--env", "POSTGRES_USER=owner", "--env", "POSTGRES_DB=shop"),
            *("--env", f"POSTGRES_PASSWORD={secret}"),
        ),
        until="database system is ready to accept connections",
        after="listening on IPv4 address",
    ) as name:
        asked = (
            "SELECT current_user, current_database(), current_setting('max_connections'), "
            "(SELECT string_agg(by, '+') FROM seen)"
        )
        by_network = ("psql", "-wAtc", asked, "-h", _address(name), "-U", "owner", "shop")
        password = ("--env", f"PGPASSWORD={secret}")
        assert docker("exec", *password, name, *by_network) == "owner|shop|50|gz+sh\n"
        refused = subprocess.run(
            ["docker", "exec", "--env", "PGPASSWORD=wrong", name, *by_network],
            capture_output=True,
            text=True,
        )
        assert "password authentication failed" in refused.stderr
        assert docker("exec", name, "pg_isready", "-qU", "owner") == ""
        assert _user_of_first_process(name) != "0"
        # A session that stays open: a smart shutdown would wait for it.
        docker(
            "exec", "--detach", name, "psql", "-U", "owner", "-c", "SELECT pg_sleep(1000)", "shop"
        )

        # Who is killed after the 60 s does not end with 0.
        docker("stop", "--time", "60", name)

        assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0\n"
        assert "received fast shutdown request" in _logs(name)
        docker("start", name)
        docker("stop", name)
        assert _logs(name).count("running bootstrap script") == 1


def test_postgres_should_refuse_to_start_when_there_is_no_password() -> None:
    done = subprocess.run(
        ["docker", "run", "--rm", _settled("POSTGRES_IMAGE")], capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "superuser password" in done.stdout + done.stderr


def test_redis_should_serve_other_containers_when_it_has_no_configuration() -> None:
    with _running(_settled("REDIS_IMAGE"), until="Ready to accept connections") as name:
        assert docker("exec", name, "redis-cli", "-h", _address(name), "SET", "a", "1") == "OK\n"
        assert _user_of_first_process(name) != "0"
        docker("stop", name)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0\n"


def test_toxiproxy_should_serve_its_api_when_it_starts() -> None:
    with _running(_settled("TOXIPROXY_IMAGE"), until="Starting Toxiproxy HTTP server") as name:
        created = docker(
            *("exec", name, "/toxiproxy-cli", "create"),
            *("--listen", "0.0.0.0:1", "--upstream", "a:1", "auth->postgres"),
        )
        assert "Created new proxy auth->postgres" in created


@contextmanager
def _running(
    image: str, *command: str, until: str, after: str = "", options: tuple[str, ...] = ()
) -> Iterator[str]:
    """A container that has logged ``until`` (behind ``after``); it is gone after the block."""
    name = f"nomock-t-{uuid4().hex[:8]}"
    try:
        docker("run", "--detach", "--name", name, *options, image, *command)
        with subprocess.Popen(
            ["docker", "logs", "--follow", name],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as following:
            assert following.stdout is not None
            for mark in (after, until):
                found = any(mark in line for line in following.stdout)
                assert found, f"it never logged {mark!r}:\n{_logs(name)}"
            following.terminate()
        yield name
    finally:
        subprocess.run(["docker", "rm", "-fv", name], capture_output=True, check=True)


def _settled(variable: str) -> str:
    """Return what the checkout's .env says: the stand-in, or upstream where a registry is."""
    resolved = resolve_images(ROOT, lambda line: None)
    return next(s.image for s in resolved if s.variable == variable)


def _settling(checkout: Checkout) -> subprocess.Popen[bytes]:
    """Settle in a process of its own."""
    program = f"resolve_images(Path({str(checkout.path)!r}), lambda line: None)"
    return subprocess.Popen(
        [sys.executable, "-c", f"from pathlib import Path\nfrom nomock.images import *\n{program}"],
        stderr=subprocess.DEVNULL,
    )


def _context(path: Path) -> Path:
    context = path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    return context


def _gzipped(text: str) -> bytes:
    return subprocess.run(["gzip"], input=text.encode(), capture_output=True, check=True).stdout


def _address(name: str) -> str:
    return docker("exec", name, "hostname").strip()


def _logs(name: str) -> str:
    done = subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_tools_should_be_those_that_a_watchdog_needs_when_they_are_settled() -> None:
    asked = (
        "python3 -c 'import ctypes; ctypes.CDLL(\"libnftables.so.1\")' && nft -v && tc -V && ip -V"
    )

    said = docker("run", "--rm", _settled("NOMOCK_TOOLS_IMAGE"), "sh", "-c", asked)

    assert [line.split()[0] for line in said.splitlines()] == ["nftables", "tc", "ip"]


def _user_of_first_process(name: str) -> str:
    status = docker("exec", name, "cat", "/proc/1/status")
    return next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "sources.list",
            "# deb http://old.example/debian bookworm main\n"
            "deb http://mirror.example/debian bookworm main contrib # nearest\n"
            "deb [arch=amd64 signed-by=/debian-archive.gpg] https://a.example/x bookworm main\n"
            "deb http://mirror.example/debian-security bookworm-security main\n"
            "deb-src http://mirror.example/debian bookworm main\n"
            "deb https://vendor.example/linux/debian bookworm stable\n"
            "deb https://vendor.example/apt bookworm main\n",
        ),
        (
            "sources.list.d/debian.sources",
            "Types: deb deb-src\n"
            "URIs: http://mirror.example/debian\n"
            "# the nearest\n"
            "Suites: bookworm\n"
            "Components: main contrib\n"
            "\n"
            "Types: deb\n"
            "URIs: https://a.example/x\n"
            "Suites: bookworm\n"
            "Components: main\n"
            "Signed-By: /debian-archive.gpg\n"
            "\n"
            "Types: deb\n"
            "URIs: http://mirror.example/debian-security/\n"
            "Suites: bookworm-security\n"
            "Components: main\n"
            "\n"
            "Enabled: no\n"
            "Types: deb\n"
            "URIs: http://off.example/debian\n"
            "Suites: bookworm\n"
            "Components: main\n"
            "\n"
            "Types: deb\n"
            "URIs: https://vendor.example/apt\n"
            "Suites: bookworm\n"
            "Components: main\n",
        ),
    ],
)
def test_builders_should_take_debian_from_where_the_machine_does_when_others_are_listed_too(
    tmp_path: Path, name: str, text: str
) -> None:
    listed = tmp_path / "apt" / name
    listed.parent.mkdir(parents=True)
    listed.write_text(text)
    (tmp_path / "os-release").write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    library = (ROOT / "images" / "debian.sh").read_text().replace("/etc/", f"{tmp_path}/")

    done = subprocess.run(
        ["sh", "-euc", f"{library}\ndebian_sources"], capture_output=True, text=True, check=True
    )

    lines = [
        line.replace("arch=amd64 ", "").replace("/ ", " ") for line in done.stdout.splitlines()
    ]
    assert lines == [
        "deb http://mirror.example/debian trixie main contrib",
        "deb [signed-by=/debian-archive.gpg] https://a.example/x trixie main",
        "deb http://mirror.example/debian-security trixie-security main",
    ]


def test_builders_should_take_one_suite_when_it_is_sid(tmp_path: Path) -> None:
    (tmp_path / "apt").mkdir()
    (tmp_path / "apt/sources.list").write_text(
        "deb http://mirror.example/debian bookworm main\n"
        "deb http://mirror.example/debian bookworm-updates main\n"
        "deb http://mirror.example/debian-security bookworm-security main\n"
    )
    (tmp_path / "os-release").write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    library = (ROOT / "images" / "debian.sh").read_text().replace("/etc/", f"{tmp_path}/")

    done = subprocess.run(
        ["sh", "-euc", f"{library}\nDEBIAN_SUITE=sid\ndebian_sources"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "deb http://mirror.example/debian sid main\n"


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_each_python_should_make_environments_and_reach_pips_packages_when_tests_build_of_it(
    version: str,
) -> None:
    made = (
        "python3 -m venv /tmp/venv && cd /tmp && /tmp/venv/bin/pip download -q --no-deps h11"
        " && ls /tmp/h11-*.whl && python -V"
    )
    said = docker("run", "--rm", "--user", "10001", image_of(version), "sh", "-c", made)

    assert f"Python {version}." in said


def test_pip_should_be_able_to_replace_itself_when_it_is_that_of_the_python_image() -> None:
    # `pip install --upgrade pip` stands in many Dockerfiles; it refuses one without a file list.
    code = "from importlib.metadata import distribution as of; print(bool(of('pip').files))"
    assert docker("run", "--rm", "--network", "none", IMAGE, "python3", "-c", code) == "True\n"
