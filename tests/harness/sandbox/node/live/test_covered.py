"""Coverage of the services of a sandbox: while their pods run, and when these are gone."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from textwrap import dedent
from typing import Any

import pytest
from live_node import Node
from live_shop import Shop
from tiny import IMAGE, TOOLS_IMAGE

APP = """
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


    class Animals(BaseHTTPRequestHandler):
        def do_GET(self):
            said = self.cat() if self.path == "/cat" else self.dog()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def cat(self):
            return b"cat"

        def dog(self):
            return b"dog"


    ThreadingHTTPServer(("", 8000), Animals).serve_forever()
"""
TESTS = """
    def test_cat(stack):
        assert stack["web"].http.get("/cat").text == "cat"
        stack["web"].kill()  # its pod is gone, and all that was written in there


    def test_dog(stack):
        stack.wait_ready("web")
        assert stack["web"].http.get("/dog").text == "dog"
"""
ASKS = "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/ready', timeout=2)"
COVERED = ("--nomock-target", "sandbox", "--nomock-sidecar-coverage")


@pytest.fixture(scope="module")
def zoo(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A project with the overlay that adds the spy, not promoted yet."""
    folder = tmp_path_factory.mktemp("zoo")
    (folder / "app").mkdir()
    (folder / "app" / "zoo.py").write_text(dedent(APP))
    (folder / "test_zoo.py").write_text(dedent(TESTS))
    (folder / "pyproject.toml").write_text(f'[tool.nomock]\ntools_image = "{TOOLS_IMAGE}"\n')
    web = {
        "image": IMAGE,
        "user": "10001:10001",
        "read_only": True,
        "command": ["python3", "/app/zoo.py"],
        "ports": ["127.0.0.1::8000"],
        "volumes": ["./app:/app:ro"],
        "healthcheck": {"test": ["CMD", "python3", "-I", "-c", ASKS], "interval": "1s"},
    }
    found = Shop(folder, node)
    found.write({"name": "zoo", "services": {"web": web}})
    wrote = found.nomock("overlay")
    assert wrote.returncode == 0, wrote.stderr
    yield found
    found.nomock("sandbox", "down")


def promote(zoo: Shop, *options: str) -> None:
    promoted = zoo.nomock("promote", *options)
    assert promoted.returncode == 0, promoted.stderr


def covered(zoo: Shop, *arguments: str) -> tuple[int, str]:
    """Run the tests on the sandbox, and return how that ended and what was said."""
    ran = zoo.run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *COVERED, *arguments)
    return ran.returncode, ran.stdout + ran.stderr


def ran(zoo: Shop, line: str) -> list[str]:
    """Return the tests that ran a line of the app in the last covered run."""
    number = dedent(APP).splitlines().index(line) + 1
    told = zoo.nomock("who-tests", f"app/zoo.py:{number}").stdout
    return [name for name in ("test_cat", "test_dog") if f"::{name}" in told]


def pods(node: Node) -> list[dict[str, Any]]:
    """Return those that are to stay."""
    found = json.loads(node.kubectl("get", "pods", "-n", "nomock-zoo", "-o", "json"))
    return [pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"]]


def test_nothing_of_ours_should_be_there_and_a_covered_run_say_so_when_nobody_asked_for_it(
    zoo: Shop, node: Node
) -> None:
    promote(zoo)
    (pod,) = pods(node)
    assert "initContainers" not in pod["spec"]
    assert "NOMOCK" not in json.dumps(pod["spec"])
    assert "nomock_spy" not in node.kubectl("get", "cm", "-n", "nomock-zoo", "-o", "json")
    code, said = covered(zoo)
    assert code == 6
    assert "the sandbox was promoted without the spy" in said
    assert "services without one: web" in said
    assert "-> nomock promote --sidecar-coverage" in said


def test_a_test_should_have_its_lines_also_when_their_pod_was_killed(zoo: Shop, node: Node) -> None:
    promote(zoo, "--sidecar-coverage")
    (first,) = pods(node)
    code, said = covered(zoo)
    assert code == 0, said
    assert "100.0" in said.partition("total")[2].splitlines()[0], said
    assert ran(zoo, '        return b"cat"') == ["test_cat"]
    assert ran(zoo, '        return b"dog"') == ["test_dog"]
    assert first["metadata"]["name"] not in {p["metadata"]["name"] for p in pods(node)}


def test_the_lines_of_a_run_should_be_its_own_when_no_pod_is_replaced_for_it(
    zoo: Shop, node: Node
) -> None:
    before = [pod["metadata"]["uid"] for pod in pods(node)]
    # The pod of the last run: it answered this test there, too.
    code, said = covered(zoo, "-k", "test_dog")
    assert code == 0, said
    assert ran(zoo, '        return b"dog"') == ["test_dog"]
    assert ran(zoo, '        return b"cat"') == []
    code, said = covered(zoo, "-k", "test_dog")
    assert ran(zoo, '        return b"dog"') == ["test_dog"]
    assert [pod["metadata"]["uid"] for pod in pods(node)] == before
