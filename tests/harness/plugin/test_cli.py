"""The command line: what it prints, and what it ends with."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess

import pytest
from proxied import left_on, proxied
from tiny import LISTENS, NOMOCK, Tiny, docker, idle, server


def said(tiny: Tiny, *arguments: str) -> tuple[int, list[str], list[str]]:
    """Return exit code, standard output and standard error."""
    result = tiny.nomock(*arguments)
    plain = [tiny.plain(line) for line in result.outlines]
    return int(result.ret), plain, [tiny.plain(line) for line in result.errlines]


@pytest.mark.slow
def test_a_stack_should_be_started_shown_and_ended_when_commands_say_so(tiny: Tiny) -> None:
    web = server(healthcheck=LISTENS)
    tiny.compose(web=web, one=idle("echo hello; echo world; exec sleep infinity"))

    code, out, _ = said(tiny, "status")
    assert (code, out) == (
        1,
        [
            "service  state         ports  NAME",
            "one      no container         not running",
            "web      no container         not running",
        ],
    )
    code, out, err = said(tiny, "up")
    assert (code, out) == (0, ["stack NAME: 2 services ready"])
    assert err[0] == "starting one (not running), web (not running)"

    code, out, _ = said(tiny, "status")
    assert code == 0
    assert [re.sub(r":\d+", ":PORT", line).split(maxsplit=2) for line in out[1:]] == [
        ["one", "running", "as it should be"],
        ["web", "healthy", "8000->127.0.0.1:PORT  as it should be"],
    ]

    code, out, err = said(tiny, "logs", "--no-log-prefix", "--tail", "1", "one")
    assert (code, [line.removeprefix("\x1b[2K") for line in out], err) == (0, ["world"], [])
    code, out, err = said(tiny, "exec", "-T", "one", "sh", "-c", "echo 'a  b'; exit 4")
    assert (code, out) == (4, ["a  b"])
    code, out, err = said(tiny, "exec", "oen", "true")
    assert (code, out) == (1, [])
    assert "oen" in err[0]

    assert said(tiny, "down") == (0, ["stack NAME is down"], ["taking NAME down"])
    assert tiny.containers() == {}
    code, out, _ = said(tiny, "down", "--volumes")
    assert (code, out) == (0, ["stack NAME is down, its volumes removed"])


@pytest.mark.slow
def test_the_error_should_be_on_stderr_when_a_command_fails(tiny: Tiny) -> None:
    for command in (["up"], ["status"], ["down"], ["logs", "-f"], ["exec", "x", "y"], ["cleanup"]):
        assert said(tiny, *command) == (
            1,
            [],
            [
                "DIR: no compose file here",
                "-> add a docker-compose.yml, or name it: files in [tool.nomock], or --stack-file",
            ],
        )
    code, out, err = said(tiny, "--file", "gone.yml", "up")
    assert (code, out, err) == (
        1,
        [],
        [
            "DIR/gone.yml: this compose file is not there",
            "-> name one that is there: it was named by --file (of pytest: --stack-file)",
        ],
    )
    tiny.compose(broken=idle("echo why; exit 3"))
    code, out, err = said(tiny, "up")
    assert (code, out) == (1, [])
    assert err[-3:] == [
        "service broken: exited with code 3",
        "  why",
        "-> see all of it: nomock logs broken",
    ]


@pytest.mark.slow
def test_what_a_killed_run_left_should_be_healed_when_it_is_asked_for_or_the_stack_started(
    tiny: Tiny,
) -> None:
    proxied(
        tiny,
        """
        def test_killed(stack, faults):
            with faults.refused("shop->web"), faults.pause("bank"):
                # Not even a watchdog to undo it.
                for watchdog in faults._session.control._watchdogs.values():
                    stack.engine.kill(watchdog.id)
                os.kill(os.getpid(), 9)
        """,
    )
    left_by = ", left by test_tiny.py::test_killed"
    for command, last in (("heal", "healed 2 faults"), ("up", "stack NAME: 3 services ready")):
        assert tiny.run().ret == -signal.SIGKILL
        assert left_on(tiny) == ["shop->web"]
        assert tiny.states()["bank"] == "paused"
        code, out, err = said(tiny, command)
        assert (code, out[-1]) == (0, last)
        told = [line for line in [*out, *err] if line.startswith("healing")]
        assert told == [f"healing pause bank{left_by}", f"healing refused shop->web{left_by}"]
        assert left_on(tiny) == []
        assert tiny.states()["bank"] == "running"
    assert said(tiny, "heal") == (0, ["healed 0 faults"], [])


@pytest.mark.parametrize("arguments", [[], ["dwon"], ["down", "--all"]])
def test_the_usage_should_be_shown_when_a_command_is_wrong(
    tiny: Tiny, arguments: list[str]
) -> None:
    code, out, err = said(tiny, *arguments)
    assert (code, out) == (2, [])
    assert err[0].startswith("usage: nomock")


def test_a_failure_should_be_explained_when_its_run_has_ended(tiny: Tiny) -> None:
    tiny.compose(one=idle("echo last words; exec sleep infinity"))
    assert said(tiny, "diagnose")[1] == [
        "no run of this stack is on record",
        "",
        "stack NAME:",
        "  one: not running",
        "",
        "no green run is on record",
    ]
    tiny.tests("def test_one(stack): assert 1 + 1 == 2")
    tiny.run().assert_outcomes(passed=1)
    tiny.tests("def test_one(stack): assert 1 + 1 == 3, 'not three'")
    tiny.run("-k", "one").assert_outcomes(failed=1)
    docker("kill", tiny.containers()["one"])
    code, out, _ = said(tiny, "diagnose")
    when = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
    out = [re.sub(r"--basetemp=\S+ ", "", when.sub("WHEN", line)) for line in out]
    out = [re.sub(r"evidence/\S+/evidence.json", "FILE", line) for line in out]
    assert (code, out) == (
        0,
        [
            "last run: pytest -k one, WHEN, ended with 1",
            "  test_tiny.py::test_one (call)",
            "    nothing but the test itself (call): AssertionError: not three",
            "      AssertionError: not three",
            "      assert (1 + 1) == 3",
            "    evidence: .nomock/FILE",
            "",
            "stack NAME:",
            "  one: exited with code 137",
            "    exited with code 137, WHEN",
            "    last words",
            "",
            "last green run: WHEN; without git what changed is not known",
        ],
    )


def test_what_changed_should_be_shown_when_the_last_green_run_is_in_git(tiny: Tiny) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=tiny.path, check=True, capture_output=True)

    tiny.compose(one=idle())
    tiny.tests("def test_one(stack): pass")
    code = tiny.write("code.py", "1\n")
    git("init", "--quiet")
    git("add", "code.py", "docker-compose.yml")
    git("commit", "--quiet", "-m", "first")
    tiny.run().assert_outcomes(passed=1)
    assert said(tiny, "diagnose")[1][-1] == "  nothing that git tracks"
    code.write_text("1\n2\n")
    out = said(tiny, "diagnose")[1]
    assert out[-2:] == [" code.py | 1 +", " 1 file changed, 1 insertion(+)"]


def test_the_stack_should_be_in_the_story_when_it_did_not_start(tiny: Tiny) -> None:
    tiny.compose(broken=idle("echo why; exit 3"))
    tiny.tests("def test_one(stack): pass")
    assert tiny.run().ret == 6
    out = said(tiny, "diagnose")[1]
    assert out[0].endswith("ended with 6")
    assert out[1:5] == [
        "  (none ran) (start)",
        "    service broken: exited with code 3",
        "      why",
        "    -> see all of it: nomock logs broken",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["status", "diagnose", "cleanup"])
def test_a_command_should_end_quietly_when_nobody_reads_what_it_says(
    tiny: Tiny, command: str
) -> None:
    tiny.compose(only=idle())
    read, write = os.pipe()
    os.close(read)
    try:
        # Its errors, too: `nomock status 2>&1 | head`.
        both = {"stdout": write, "stderr": write if command == "cleanup" else subprocess.PIPE}
        done = subprocess.run([NOMOCK, command], cwd=tiny.path, text=True, **both)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr or "") == (141, "")


@pytest.mark.slow
def test_a_service_should_be_well_when_a_run_with_overlays_left_it_warm(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    files = ["--file", "docker-compose.yml"]
    for overlay, told in (
        ("coverage", "with the spy, of a covered run"),
        ("traces", "with the spy, of a covered run; with traces, of a traced run"),
    ):
        on = f"services: {{one: {{environment: {{{overlay}: 'on'}}}}}}"
        tiny.write(f"docker-compose.{overlay}.yml", on)
        files += ["--file", f"docker-compose.{overlay}.yml"]
        assert said(tiny, *files, "up")[0] == 0
        code, out, _ = said(tiny, "status")
        assert (code, out[1].split()[:2]) == (0, ["one", "running"])
        assert out[1].split("  ")[-1].strip() == told
        assert f"  one: ready, {told}" in said(tiny, "diagnose")[1]
        services = json.loads("".join(said(tiny, "diagnose", "--json")[1]))["services"]
        assert services == {"one": f"ready, {told}"}
