"""A covered run of a project that has no overlay: nomock makes one, in its own folder."""

from __future__ import annotations

from tiny import IMAGE, LISTENS, NO_PYTHON_IMAGE, Tiny, idle, server

APP = """
import http.server


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()


http.server.ThreadingHTTPServer(("", 8000), Answer).serve_forever()
"""
TESTS = """
    def test_web(stack):
        assert stack["web"].http.get("/").status_code == 200
"""


def project(tiny: Tiny) -> None:
    """A service that is built, and one without a Python."""
    tiny.write("app/main.py", APP)
    tiny.write("app/Dockerfile", f"FROM {IMAGE}\nCOPY main.py /main.py\n")
    web = server(build="./app", command=["python3", "/main.py"], healthcheck=LISTENS)
    store = {"image": NO_PYTHON_IMAGE, "command": ["sleep", "1000"], "stop_signal": "SIGKILL"}
    tiny.compose(web=web, store=store)
    tiny.tests(TESTS)


def test_services_should_be_covered_when_nobody_wrote_an_overlay(tiny: Tiny) -> None:
    project(tiny)
    files = {path.name for path in tiny.path.iterdir()}
    first = tiny.run("--nomock-sidecar-coverage")
    assert first.ret == 0, first.stdout.str()
    first.stdout.fnmatch_lines(
        [
            "*coverage-overlay.yml (just made: covers web (CPython 3.*); nomock overlay writes *",
            "web * 100.0 * 1",
        ]
    )
    new = {path.name for path in tiny.path.iterdir()} - files
    assert {name for name in new if name.startswith("docker-compose")} == set()

    again = tiny.run("--nomock-sidecar-coverage")
    assert again.ret == 0
    assert "just made" not in again.stdout.str()

    # A service that came is in it by itself.
    web = server(build="./app", command=["python3", "/main.py"], healthcheck=LISTENS)
    tiny.compose(web=web, other=web)
    changed = tiny.run("--nomock-sidecar-coverage")
    changed.stdout.fnmatch_lines(["*just made: covers *other (CPython 3.*web (CPython 3.*"])

    # One to keep is taken from then on.
    assert tiny.nomock("overlay").ret == 0
    kept = tiny.run("--nomock-sidecar-coverage")
    assert kept.ret == 0
    assert "coverage-overlay.yml" not in kept.stdout.str()


def test_each_reason_should_be_said_when_no_service_can_be_covered(tiny: Tiny) -> None:
    tiny.compose(store=idle(image=NO_PYTHON_IMAGE))
    tiny.tests("def test_store(stack): pass")
    done = tiny.run("--nomock-sidecar-coverage")
    assert done.ret == 4
    assert "coverage of store: cannot be covered" in done.stderr.str()
    assert "store: no Python in it" in done.stderr.str()
    assert "run the tests without --nomock-sidecar-coverage" in done.stderr.str()


def test_an_overlay_should_be_missed_when_a_setting_names_it(tiny: Tiny) -> None:
    project(tiny)
    tiny.write("pyproject.toml", '[tool.nomock]\ncoverage_overlay = "spy.yml"\n')
    done = tiny.run("--nomock-sidecar-coverage")
    assert done.ret == 4
    assert "spy.yml: the overlay that adds the spy is not there" in done.stderr.str()
