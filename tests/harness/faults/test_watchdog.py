"""The watchdog beside a service: what it counts, and what it guards, undone whatever ends."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import gethostname
from threading import Thread
from uuid import uuid4

import httpx
import pytest
from relay_ssh import SSH
from tiny import IMAGE, NO_PYTHON_IMAGE, TOOLS_IMAGE, docker, settled_image, until_gone

from nomock.adapters.engine import Engine
from nomock.adapters.engine.beside import OWNER
from nomock.errors import WatchdogError
from nomock.faults.watchdog import Count, Watchdog

TOXIPROXY_IMAGE = settled_image("TOXIPROXY_IMAGE", "nomock/toxiproxy:2.12.0")
TOXIC = {"name": "slow", "type": "latency", "stream": "upstream", "attributes": {"latency": 1}}
TOXICS = "/proxies/a/toxics"

# While the table is there, nobody can connect to port 8000.
BREAK = """table inet broken {
    chain arriving { type filter hook input priority 0; tcp dport 8000 drop; }
}"""
MEND = {"command": ["nft", "delete", "table", "inet", "broken"]}
CALL = """
import sys, urllib.request
try:
    print(urllib.request.urlopen(":".join(sys.argv[1:])).status)
except OSError as error:
    print(error)
"""


@dataclass(frozen=True)
class Net:
    """A network with a web server, one who calls it, and Toxiproxy; ids of their containers."""

    web: str
    caller: str
    proxy: str

    def call(self, port: int) -> str:
        """Let the caller connect to the web server and ask for what is there."""
        return docker("exec", self.caller, "python3", "-c", CALL, "http://web", str(port))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    name = f"nomock-t-{uuid4().hex[:8]}"
    edges = tmp_path_factory.mktemp("proxy") / "edges.json"
    edges.write_text(json.dumps([{"name": "a", "listen": ":1025", "upstream": "b:1"}]))
    edges.chmod(0o644)
    started: list[str] = []

    def run(alias: str, *arguments: str) -> str:
        joined = ("run", "--detach", "--network", name, "--network-alias", alias)
        started.append(docker(*joined, *arguments).strip())
        return started[-1]

    docker("network", "create", name)
    try:
        yield Net(
            web=run("web", "--init", IMAGE, "python3", "-m", "http.server", "8000"),
            caller=run("caller", "--init", IMAGE, "sleep", "infinity"),
            proxy=run(
                "proxy",
                *("--volume", f"{edges}:/edges.json:ro", "--publish", "127.0.0.1::8474"),
                *(TOXIPROXY_IMAGE, "-host=0.0.0.0", "-config=/edges.json"),
            ),
        )
    finally:
        docker("rm", "--force", *started)
        docker("network", "rm", name)


@pytest.fixture
def watchdog(net: Net) -> Iterator[Watchdog]:
    with beside(net.web) as started:
        try:
            yield started
        finally:
            if started.alive:
                started.run(*MEND["command"])


@pytest.fixture
def short_lived() -> Iterator[str]:
    """A container that a test may end."""
    id_ = docker("run", "--detach", "--init", IMAGE, "sleep", "infinity").strip()
    try:
        yield id_
    finally:
        docker("rm", "--force", id_)


def beside(container_id: str) -> Watchdog:
    return Watchdog.beside(Engine(), container_id, TOOLS_IMAGE)


def tables(watchdog: Watchdog) -> list[str]:
    """Return the tables of the namespace, each watchdog's own one as "own"."""
    found = watchdog.run("nft", "list", "tables", "inet").output.split()[2::3]
    return ["own" if name.startswith("nomock_") else name for name in found]


def run_until_guarded(script: str, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Return a process that guards something, once it does, and its watchdog's container."""
    begin = (
        "import sys, json\n"
        "from nomock.adapters.engine import Engine\n"
        "from nomock.faults.watchdog import Watchdog\n"
        "watchdog = Watchdog.beside(Engine(), sys.argv[1], sys.argv[2])\n"
    )
    end = "\nprint(watchdog.id, flush=True)\nsys.stdin.read()\n"
    process = subprocess.Popen(
        [sys.executable, "-c", begin + script + end, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    id_ = process.stdout.readline().strip()
    assert id_, "it did not come so far"
    return process, id_


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_packets_should_be_counted_when_a_service_is_called_and_refuses(
    net: Net, watchdog: Watchdog
) -> None:
    nothing = Count(attempts=0, to_server=0, from_server=0)
    assert watchdog.counts([8000, 8001]) == {8000: nothing, 8001: nothing}

    assert net.call(8000) == "200\n"
    said = net.call(8001)

    counts = watchdog.counts([8000, 8001])
    assert counts[8000].attempts == 1
    assert counts[8000].to_server >= 1
    assert counts[8000].from_server >= 1
    assert "refused" in said
    assert counts[8001] == Count(attempts=1, to_server=0, from_server=0)


def test_packets_should_not_be_counted_when_they_stay_inside_the_container(
    net: Net, watchdog: Watchdog
) -> None:
    watchdog.counts([8000])
    assert docker("exec", net.web, "python3", "-c", CALL, "http://127.0.0.1", "8000") == "200\n"
    assert watchdog.counts([8000])[8000] == Count(attempts=0, to_server=0, from_server=0)


def test_packets_should_be_counted_apart_when_two_watchdogs_are_beside_one_service(
    net: Net, watchdog: Watchdog
) -> None:
    watchdog.counts([8000])
    assert net.call(8000) == "200\n"
    with beside(net.web) as second:
        assert second.counts([8000])[8000].attempts == 0
    assert watchdog.counts([8000])[8000].attempts == 1


def test_a_command_should_run_in_the_services_network_when_it_is_told_to(
    watchdog: Watchdog,
) -> None:
    done = watchdog.run("nft", "-f", "-", input=BREAK)
    assert (done.exit_code, done.output, tables(watchdog)) == (0, "", ["own", "broken"])
    done = watchdog.run("nft", "delete", "table", "inet", "other")
    assert done.exit_code == 1
    assert "No such file or directory" in done.output
    assert watchdog.run("no-such-command").exit_code == 127


def test_toxics_and_rules_should_be_undone_when_the_run_is_killed(net: Net) -> None:
    address = docker("port", net.proxy, "8474").strip()
    proxy = httpx.Client(base_url=f"http://{address}")
    process, watchdog = run_until_guarded(
        "toxic, broken, mend = map(json.loads, sys.argv[3:])\n"
        "watchdog.guard('rule', [mend], 300)\n"
        "assert watchdog.run('nft', '-f', '-', input=broken).exit_code == 0\n"
        "watchdog.guard('toxic', [{'http': ['DELETE', toxic, None]}], 300)",
        net.proxy,
        TOOLS_IMAGE,
        json.dumps(f"{TOXICS}/slow"),
        json.dumps(BREAK),
        json.dumps(MEND),
    )
    assert proxy.post(TOXICS, json=TOXIC).status_code == 200
    with beside(net.proxy) as other:
        assert tables(other) == ["own", "broken", "own"]

        kill(process)
        until_gone(watchdog)

        assert tables(other) == ["own"]
    assert proxy.get(TOXICS).json() == []


def test_everything_should_be_undone_when_the_watchdog_is_stopped(
    net: Net, watchdog: Watchdog
) -> None:
    with beside(net.web) as stopped:
        stopped.guard("rule", [MEND], 300)
        stopped.run("nft", "-f", "-", input=BREAK)
        assert tables(watchdog) == ["own", "own", "broken"]

        docker("stop", stopped.id)

        assert tables(watchdog) == ["own"]
        assert not stopped.alive
        with pytest.raises(WatchdogError) as caught:
            stopped.counts([1])
    assert str(caught.value) == (
        f"watchdog beside container {stopped.container_id[:12]}: it ended, and what it guarded was "
        "undone\n"
        "  the conversation is over\n"
        "-> see whether the service's container was stopped or restarted meanwhile"
    )


def test_everything_should_be_undone_when_a_question_is_broken_off(
    net: Net, watchdog: Watchdog
) -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    watchdog.run("nft", "-f", "-", input=BREAK)
    with beside(net.web) as broken_off:
        broken_off.guard("rule", [MEND], 300)
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            with pytest.raises(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, 0.1)
                broken_off.run("sleep", "2")
        finally:
            signal.signal(signal.SIGALRM, before)
        assert not broken_off.alive
    until_gone(broken_off.id)
    assert tables(watchdog) == ["own"]


def test_a_guard_should_be_undone_when_its_time_is_over_although_nobody_asks(
    net: Net, watchdog: Watchdog
) -> None:
    watchdog.run("nft", "-f", "-", input=BREAK)
    watchdog.guard("rule", [MEND], expires_s=0.1)
    # The kernel tries to connect again after a second, which succeeds if the rule is gone then.
    assert net.call(8000) == "200\n"

    assert tables(watchdog) == ["own"]
    assert watchdog.undone == {"rule": ""}


def test_a_guard_should_be_undone_further_when_one_step_fails(watchdog: Watchdog) -> None:
    watchdog.run("nft", "-f", "-", input=BREAK)
    no_proxy = {"http": ["DELETE", "/proxies/a", None]}
    wrong = {"command": ["nft", "-f", "-"], "input": "nonsense"}
    watchdog.guard("rule", [no_proxy, wrong, {"unknown": 1}, MEND], expires_s=0)

    assert tables(watchdog) == ["own"]
    refused, nonsense, *_, unknown = watchdog.undone["rule"].splitlines()
    assert "Connection refused" in refused
    assert nonsense.startswith("nft -f -: ")
    assert unknown.startswith("{'unknown': 1}: ")


def test_the_newest_guard_should_be_undone_first_when_several_are(
    net: Net, watchdog: Watchdog
) -> None:
    watchdog.run("nft", "add table inet broken")
    with beside(net.web) as second:
        for key, note in (("a", "replaced"), ("b", "older"), ("a", "newer")):
            second.guard(key, [{"command": ["nft", "add", "chain", "inet", "broken", note]}], 300)
        docker("stop", second.id)
    listed = watchdog.run("nft", "list", "table", "inet", "broken").output
    assert re.findall(r"chain (\w+)", listed) == ["newer", "older"]


def test_nothing_should_be_undone_when_a_guard_was_taken_back(net: Net, watchdog: Watchdog) -> None:
    watchdog.run("nft", "-f", "-", input=BREAK)
    with beside(net.web) as second:
        second.guard("rule", [MEND], 300)
        second.unguard("rule")
        second.unguard("unknown")
        docker("stop", second.id)
    assert tables(watchdog) == ["own", "broken"]


def test_what_is_still_guarded_should_be_undone_and_no_table_stay_when_a_watchdog_is_closed(
    net: Net, watchdog: Watchdog
) -> None:
    second = beside(net.web)
    second.counts([8000])
    second.run("nft", "-f", "-", input=BREAK)
    second.guard("rule", [MEND], 300)
    second.close()

    assert tables(watchdog) == ["own"]
    second.close()


@pytest.mark.parametrize("end", ["kill", "stop", "restart", "rm --force"])
def test_a_watchdog_should_end_when_the_container_of_its_service_does(
    short_lived: str, end: str
) -> None:
    watchdog = beside(short_lived)
    docker(*end.split(), short_lived)
    until_gone(watchdog.id)
    assert not watchdog.alive


def test_a_watchdog_should_be_there_when_its_service_is_paused(short_lived: str) -> None:
    with beside(short_lived) as before:
        docker("pause", short_lived)
        with beside(short_lived) as meanwhile:
            assert before.alive
            assert meanwhile.alive
        docker("unpause", short_lived)


def test_what_to_do_should_be_said_when_the_image_is_not_here(net: Net) -> None:
    with pytest.raises(WatchdogError) as caught:
        Watchdog.beside(Engine(), net.web, "nomock-t/no-such-image:1")
    seen = re.escape(caught.value.seen)
    assert caught.value.seen.startswith("nor to be had: ")
    assert re.fullmatch(
        rf"watchdog beside container {net.web[:12]}: "
        r"its image nomock-t/no-such-image:1 is not here\n"
        rf"  {seen}\n"
        r"-> docker pull nomock-t/no-such-image:1; where no registry answers name one that is here "
        r"and has python3, nft and tc: tools_image in \[tool\.nomock\], or NOMOCK_TOOLS_IMAGE",
        str(caught.value),
    )


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A registry that has one image of one empty layer, and the name of that image there."""
    layer = tmp_path / "layer"
    with tarfile.open(layer, "w"):
        pass
    layer_id = hashlib.sha256(layer.read_bytes()).hexdigest()
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{layer_id}"]}
    machine = docker("version", "--format", "{{.Server.Arch}}").strip()
    config = json.dumps({"architecture": machine, "os": "linux", "rootfs": rootfs}).encode()
    kind = "application/vnd.docker.distribution.manifest.v2+json"

    def described(type_: str, content: bytes) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"sha256:{digest}"] = content
        media = f"application/vnd.docker.{type_}"
        return {"mediaType": media, "size": len(content), "digest": f"sha256:{digest}"}

    blobs: dict[str, bytes] = {}
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": described("container.image.v1+json", config),
        "layers": [described("image.rootfs.diff.tar", layer.read_bytes())],
    }
    text = json.dumps(manifest).encode()
    digest = f"sha256:{hashlib.sha256(text).hexdigest()}"

    class Registry(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            last = self.path.rpartition("/")[2]
            body = text if last in {"1", digest} else blobs.get(last, b"")
            known = bool(body) or last == ""
            self.send_response(200 if known else 404)
            if not known:
                unknown = {"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}
                body = json.dumps({"errors": [unknown]}).encode()
            self.send_header("Content-Type", kind if body == text else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", digest if body == text else last)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        name = f"127.0.0.1:{server.server_port}/tools:1"
        try:
            yield name
        finally:
            server.shutdown()
            subprocess.run(["docker", "image", "rm", name], capture_output=True, check=False)


def test_the_image_should_be_pulled_when_its_registry_answers(net: Net, registry: str) -> None:
    assert Engine().image_id(registry) is None
    with pytest.raises(WatchdogError, match="it does not start"):  # it is an empty one
        Watchdog.beside(Engine(), net.web, registry)
    assert Engine().image_id(registry) is not None
    with pytest.raises(WatchdogError) as caught:
        Watchdog.beside(Engine(), net.web, f"{registry[:-1]}2")
    assert "manifest" in caught.value.seen


@pytest.mark.parametrize(
    ("image", "seen"), [(NO_PYTHON_IMAGE, "python3"), (IMAGE, "libnftables.so.1")]
)
def test_what_lacks_should_be_said_when_the_image_is_another_one(
    net: Net, image: str, seen: str
) -> None:
    with pytest.raises(WatchdogError) as caught:
        Watchdog.beside(Engine(), net.web, image)
    assert caught.value.what == "it does not start"
    assert seen in caught.value.seen
    assert caught.value.todo == (
        f"the service has to run, {image} to have python3, nft and tc, and the kernel it "
        "runs on nf_tables"
    )
    assert f"{gethostname()}:{os.getpid()}" not in Engine().unstarted(OWNER).values()


def test_a_container_should_be_removed_when_its_process_was_killed_before_it_could_start_it(
    net: Net,
) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    of = [f"{gethostname()}:{dead.pid}", f"{gethostname()}:{os.getpid()}", f"elsewhere:{dead.pid}"]
    made = [docker("create", "--label", f"{OWNER}={one}", IMAGE).strip() for one in of]
    try:
        with beside(net.web):
            assert made[0] not in Engine().unstarted(OWNER)
            assert Engine().unstarted(OWNER).keys() >= set(made[1:])
    finally:
        docker("rm", "--force", *made)


def test_a_watchdog_should_be_refused_when_the_container_does_not_run(short_lived: str) -> None:
    docker("kill", short_lived)
    with pytest.raises(WatchdogError) as caught:
        beside(short_lived)
    assert "running" in caught.value.seen


def test_a_watchdog_should_answer_and_heal_when_only_the_docker_client_reaches_the_engine(
    watchdog: Watchdog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watchdog.run("nft", "-f", "-", input=BREAK)
    (tmp_path / "ssh").write_text(SSH)
    (tmp_path / "ssh").chmod(0o755)
    with monkeypatch.context() as far:
        far.setenv("PATH", str(tmp_path), prepend=":")
        far.setenv("DOCKER_HOST", "ssh://elsewhere")
        process, id_ = run_until_guarded(
            "watchdog.guard('rule', [json.loads(sys.argv[3])], 300)",
            watchdog.container_id,
            TOOLS_IMAGE,
            json.dumps(MEND),
        )
    kill(process)
    until_gone(id_)
    assert tables(watchdog) == ["own"]
