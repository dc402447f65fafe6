"""What a failing test leaves under .nomock/evidence, and what it does not."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from evidenced import evidence_of, folder_of_run, two_services
from tiny import Tiny

from nomock.errors import EvidenceError
from nomock.evidence import folder
from nomock.evidence.folder import EvidenceFolder, read_evidence, run_name

CANARY = "Canary-4f9a1c07e2"

# The engine copies what a container writes a moment later.
LOGGED = """
    from threading import Event

    def logged(stack, service, text):
        while text not in stack[service].logs():
            Event().wait(0.02)
"""


def test_a_test_should_leave_what_it_asked_and_what_services_logged_when_it_fails(
    tiny: Tiny,
) -> None:
    two_services(tiny).tests(
        LOGGED
        + """
    def test_passes(stack):
        stack["web"].http.get("/of-a-passing-test")

    def test_fails(stack):
        stack["web"].http.get("/first")
        reply = stack["api"].http.post("/second?status=503", json={"name": "x"})
        logged(stack, "api", "/second")
        assert reply.status_code == 200
    """
    )
    result = tiny.run()
    result.assert_outcomes(passed=1, failed=1)
    found = evidence_of(tiny, "test_fails")
    assert (found["version"], found["test"]["outcome"]) == (1, "failed")
    assert found["test"]["order"] == ["test_tiny.py::test_passes"]
    assert [f["message"] for f in found["failures"]] == ["assert 503 == 200"]
    first, second = found["exchanges"]
    assert (first["method"], first["status"], first["answer"]["text"]) == ("GET", 200, "hello")
    assert (second["method"], second["status"]) == ("POST", 503)
    assert json.loads(second["body"]["text"]) == json.loads(second["answer"]["text"])
    assert '--data-raw \'{"name":' in second["curl"]
    assert 0 <= first["at_s"] <= second["at_s"] <= found["test"]["took_s"]
    assert second["answered_after_s"] <= second["took_s"]
    own = [
        (li["service"], li["level"], li["message"]) for li in found["logs"] if li["whose"] == "own"
    ]
    assert own == [("web", "info", "request"), ("api", "error", "it broke")]
    assert found["logs"][-1]["fields"] == {"method": "POST", "path": "/second"}
    assert {s["name"] for s in found["services"]} == {"web", "api"}
    assert all(s["image_id"].startswith("sha256:") for s in found["services"])
    # Nobody writes down what a test that passes did.
    assert len(list(folder_of_run(tiny).glob("*/evidence.json"))) == 1
    # The report lays the lines out, says where the rest is, and has nothing of the test before.
    text = result.stdout.str()
    assert re.search(r"\d\.\d{3} s  api \| error   it broke  method=POST path=/second\n", text)
    assert "of-a-passing-test" not in text
    result.stdout.fnmatch_lines([".nomock/evidence/*/test_tiny.py_test_fails-*/evidence.json"])


def test_requests_should_be_in_the_evidence_when_their_client_has_options_of_its_own(
    tiny: Tiny,
) -> None:
    two_services(tiny).tests("""
    import asyncio

    SEEN = []

    def test_fails(stack):
        with stack["web"].client(
            headers={"x-of": "ann"},
            follow_redirects=True,
            event_hooks={"request": [lambda request: request.headers.update({"x-hook": "1"})],
                         "response": [SEEN.append]},
        ) as ann:
            ann.get("/first?status=302&header=Location:/second")

        async def bob():
            async with stack["api"].async_client(timeout=0.2, cookies={"a": "b"}) as http:
                await http.get("/late?wait=1")

        try:
            asyncio.run(bob())
        finally:
            assert [reply.status_code for reply in SEEN] == [302, 200]
    """)
    tiny.run().assert_outcomes(failed=1)
    first, second, late = evidence_of(tiny, "test_fails")["exchanges"]
    assert [first["status"], second["status"], late["status"]] == [302, 200, None]
    assert late["error"].startswith("ReadTimeout")
    assert {"x-of", "x-hook", "baggage"} <= {name.lower() for name, _ in first["headers"]}
    assert "cookie" in {name.lower() for name, _ in late["headers"]}


def test_no_secret_should_stand_in_what_a_test_leaves_when_it_fails(tiny: Tiny) -> None:
    two_services(tiny).tests(
        LOGGED
        + f"""
    CANARY = "{CANARY}"

    def test_fails(stack):
        http = stack["web"].http
        def secret(place):  # each place has one of its own: one that is known is gone everywhere
            return f"{{CANARY}}-{{place}}"

        http.get("/a", headers={{
            "Authorization": f"Bearer {{secret('bearer')}}", "Cookie": f"s={{secret('cookie')}}",
            "X-Api-Key": secret("header"),
        }})
        http.get(f"/b?access_token={{secret('query')}}&header=Set-Cookie:sid%3D{{secret('answer')}}")
        deep = [{{"client_secret": secret("deep")}}]
        http.post("/c", json={{"password": secret("json"), "deep": deep}})
        http.post("/d", data={{"password": secret("form"), "code": secret("code")}})
        http.post("/m", files={{"password": (None, secret("part"))}})
        http.get("/e", params={{"log": f"checking {{secret('bearer')}} of CUST-12345678"}})
        http.get(f"http://bob:{{secret('user')}}@{{http.base_url.host}}:{{http.base_url.port}}/f")
        logged(stack, "web", "checking")
        token = {{"access_token": secret("local")}}
        assert token == {{"access_token": "none"}}, f"CUST-12345678 {{secret('part')}}"
    """
    )
    tiny.write("pyproject.toml", "[tool.nomock]\nredact = ['CUST-\\d{8}']\n")
    tiny.run().assert_outcomes(failed=1)
    files = [path for path in folder_of_run(tiny).rglob("*") if path.is_file()]
    texts = [path.read_text(encoding="utf-8") for path in files]
    assert [p.name for p in files if "evidence" in p.name] == ["evidence.json"]
    for text in texts:
        assert CANARY not in text
        assert "CUST-1" not in text
    found = evidence_of(tiny, "test_fails")
    assert len(found["exchanges"]) == 7
    assert "[redacted]" in found["exchanges"][4]["body"]["text"]
    assert any(line["message"] == "checking [redacted] of [redacted]" for line in found["logs"])


def test_evidence_should_be_left_when_names_and_bodies_of_tests_are_odd_or_huge(tiny: Tiny) -> None:
    two_services(tiny).tests(
        LOGGED
        + """
    import pytest

    @pytest.mark.parametrize("name", ["a/b", "../../up", "[x]", "ä\\n", "x" * 300, ""])
    def test_named(stack, name):
        assert False

    def test_bytes(stack):
        http = stack["web"].http
        http.post("/binary", content=bytes(range(256)))
        http.post("/latin", content="gr\xfc\xdfe".encode("latin-1"))
        http.post("/huge", content=b"x" * 3_000_000)
        http.post("/streamed", content=iter([b"a", b"b"]), headers={"Content-Length": "2"})
        stack["web"].exec("sh", "-c", "printf 'gr\\\\374n\\\\n' >/proc/1/fd/1")
        logged(stack, "web", "gr\ufffdn")
        with pytest.raises(Exception):
            http.get("/never", headers={"Host": "x"}, timeout=0.05, params={"wait": "1"})
        assert False

    def test_many(stack):
        for number in range(203):
            stack["web"].http.get(f"/{number}")
        assert False
    """
    )
    tiny.run().assert_outcomes(failed=8)
    assert len(list(folder_of_run(tiny).glob("*/evidence.json"))) == 8
    exchanges = evidence_of(tiny, "test_bytes")["exchanges"]
    binary, latin, huge, streamed, never = exchanges
    assert binary["body"] == {"text": None, "bytes": 256, "is_cut": False, "is_binary": True}
    assert latin["answer"]["text"] == "gr\ufffd\ufffde"
    assert huge["answer"]["bytes"] == 3_000_000
    assert huge["answer"]["is_cut"]
    assert len(huge["answer"]["text"]) == 16384
    assert streamed["body"]["bytes"] is None
    assert streamed["answer"]["text"] == "ab"
    assert (never["status"], never["answer"]) == (None, None)
    assert never["error"].startswith("ReadTimeout")
    many = evidence_of(tiny, "test_many")
    assert (len(many["exchanges"]), many["exchanges_cut"]) == (200, 3)
    assert many["exchanges"][-1]["url"].endswith("/202")


@pytest.mark.slow
def test_a_log_should_be_cut_to_its_newest_lines_when_it_has_a_hundred_megabytes(
    tiny: Tiny,
) -> None:
    two_services(tiny).tests("""
    PROGRAM = "for i in range(10_500): print(i, 'x' * 9999)"

    def test_fails(stack):
        log = ">/proc/1/fd/1"
        stack["api"].exec("sh", "-c", f'python3 -c "{PROGRAM}" {log}; echo end {log}')
        while "end" not in stack["api"].logs(tail=1):
            pass
        stack["web"].http.get("/asked")
        assert False
    """)
    tiny.run().assert_outcomes(failed=1)
    found = evidence_of(tiny, "test_fails")
    lines = [line for line in found["logs"] if line["service"] == "api"]
    assert lines[-1]["message"] == "end"
    assert len(lines) == 500
    assert found["logs_cut"] >= 1
    (path,) = folder_of_run(tiny).glob("*/evidence.json")
    assert path.stat().st_size < 4_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("which", "left"), [("failing", {"fails"}), ("all", {"fails", "passes"}), ("off", set())]
)
def test_only_the_wanted_tests_should_leave_evidence_when_the_setting_says_which(
    tiny: Tiny, which: str, left: set[str]
) -> None:
    two_services(tiny).tests("""
        def test_fails(stack):
            stack["web"].http.get("/")
            assert False

        def test_passes(stack): pass
    """)
    tiny.run(f"--evidence={which}").assert_outcomes(passed=1, failed=1)
    files = list((tiny.path / ".nomock").glob("evidence/*/*/evidence.json"))
    found = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    assert {record["test"]["name"].removeprefix("test_") for record in found} == left
    assert {record["test"]["outcome"] for record in found} == {
        {"fails": "failed", "passes": "passed"}[name] for name in left
    }
    assert {len(record["exchanges"]) for record in found} <= {0, 1}


def test_a_run_should_go_on_and_say_it_when_evidence_cannot_be_written(tiny: Tiny) -> None:
    two_services(tiny).tests("""
        def test_fails(stack): assert False
        def test_fails_too(stack): assert False
        def test_passes(stack): pass
    """)
    (tiny.path / ".nomock").mkdir()
    # A file in the place of the folder: nobody can make that, root neither.
    tiny.write(".nomock/evidence", "")
    result = tiny.run()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["not written: *nomock's own folder cannot be written"])


@pytest.mark.slow
def test_each_run_should_leave_evidence_of_its_own_when_two_go_on_at_once(tiny: Tiny) -> None:
    two_services(tiny).tests("""
        def test_fails(stack): assert False
    """)
    command = ["pytest", "-p", "no:cacheprovider", "-q"]
    runs = [subprocess.Popen(command, cwd=tiny.path, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [run.wait() for run in runs] == [1, 1]
    assert len(list(tiny.path.glob(".nomock/evidence/*/*/evidence.json"))) == 2


def test_only_the_last_runs_and_those_going_on_should_be_kept_when_there_are_more(
    tmp_path: Path,
) -> None:
    kept = EvidenceFolder(tmp_path / ".nomock")
    ended = 2**22 + 1  # more than any process has
    runs_still = run_name(1_600_000_000, os.getpid())
    kept.write(runs_still, "t.py::test", "{}")
    names = [run_name(1_700_000_000 + number, ended) for number in range(4)]
    for name in names:
        kept.write(name, "t.py::test", "{}")
    (kept.path / "mine").mkdir()  # nobody else's folder is touched
    kept.keep(2)
    assert kept.runs() == [names[3], names[2], runs_still]
    assert sorted(p.name for p in kept.path.iterdir()) == sorted(["mine", runs_still, *names[2:]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"version": 99}', "it is of version 99, this nomock reads version 1"),
        ("[]", "it is of version None, this nomock reads version 1"),
        ("{", "it cannot be read"),
    ],
)
def test_evidence_should_be_refused_when_it_is_of_another_version_or_unreadable(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "evidence.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EvidenceError) as refused:
        read_evidence(path)
    assert refused.value.what == said


def test_names_of_folders_should_be_safe_and_differ_when_those_of_tests_are_alike_or_odd() -> None:
    tests = ["a/b.py::t[x]", "a/b.py::t_x_", "t" * 300, "t" * 301, "../..", "", "ä", "CON"]
    names = [folder.test_folder_name(test) for test in tests]
    assert len(set(names)) == len(tests)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{8,100}", name) for name in names)
    assert not any(name.startswith(".") for name in names)


@pytest.mark.slow
def test_a_test_should_be_among_those_that_failed_when_its_worker_crashed(tiny: Tiny) -> None:
    two_services(tiny).tests("""
        import os, signal

        def test_crashes(stack):
            os.kill(os.getpid(), signal.SIGKILL)

        def test_fails(stack):
            assert False
    """)
    tiny.run("-n1").assert_outcomes(failed=2)
    found = evidence_of(tiny, "test_crashes")
    assert found["failures"][0]["phase"] == "crash"
    assert "crashed while running" in found["failures"][0]["message"]
    assert found["missing"]
    result = tiny.nomock("diagnose")
    result.stdout.fnmatch_lines(["    nothing but the test itself (crash): worker 'gw0' crashed*"])
    assert len(list(folder_of_run(tiny).glob("*/evidence.json"))) == 2
