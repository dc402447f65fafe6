"""What a killed run left on, healed by the next one from its journal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from proxied import left_on, proxied
from tiny import LISTENS, Tiny, idle, server

from nomock.errors import NotHealedError
from nomock.faults.edge.latency import Latency
from nomock.faults.janitor import heal_orphaned
from nomock.faults.journal import Journal
from nomock.faults.left import orphaned_journals
from nomock.stack import Stack

HEALTHY = "service_healthy"
LATENCY = Latency("shop->web", latency_ms=5)
WRITE = """
import os, sys
from pathlib import Path
from nomock.faults.edge.latency import Latency
from nomock.faults.journal import Journal

journal = Journal(Path(sys.argv[1]), "stack")
fault = Latency("shop->web", latency_ms=5)
for number in range(3):
    journal.on(fault, {"token": str(number)}, f"test_{number}")
journal.off(2)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def stack(tiny: Tiny) -> Stack:
    """The stack with edges, ready."""
    proxied(tiny, "def test_it(stack): pass")
    stack = tiny.stack()
    stack.prepare()
    return stack


def left(tiny: Tiny, *lines: object) -> Path:
    """A journal whose process has ended."""
    path = tiny.path / ".nomock/faults" / tiny.name / "1.ndjson"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def entry(number: int, **changes: object) -> dict[str, object]:
    line = {"on": number, "kind": LATENCY.kind, "name": LATENCY.name, "test": "test_left"}
    state = {"token": "nomock-left", "proxy": "toxiproxy"}
    return {**line, "arguments": LATENCY.arguments, "state": state, **changes}


def test_a_journal_should_tell_what_was_on_when_its_process_was_killed(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WRITE, tmp_path], check=False)
    assert done.returncode == -signal.SIGKILL
    with orphaned_journals(tmp_path, "stack") as journals:
        [(_, entries)] = list(journals)
    assert [(e.name, e.state["token"], e.test) for e in entries] == [
        ("latency shop->web", "2", "test_2"),
        ("latency shop->web", "0", "test_0"),
    ]


def test_a_journal_should_be_left_alone_when_its_process_lives(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "stack")
    number = journal.on(LATENCY, {}, "test")
    with orphaned_journals(tmp_path, "stack") as journals:
        assert list(journals) == []
    journal.off(number)
    assert list((tmp_path / "faults" / "stack").iterdir()) == []


def test_a_journal_should_be_left_alone_when_its_process_lives_and_begins_the_next_fault(
    tmp_path: Path,
) -> None:
    journal, over, found = Journal(tmp_path, "stack"), Event(), []

    def breaks() -> None:
        for _ in range(500):
            journal.off(journal.on(LATENCY, {}, "test"))

    def looks() -> None:
        while not over.is_set():
            with orphaned_journals(tmp_path, "stack") as journals:
                found.extend(journals)

    with ThreadPoolExecutor(2) as both:
        looking = both.submit(looks)
        try:
            both.submit(breaks).result()
        finally:
            over.set()
        looking.result()
    assert found == []
    assert list((tmp_path / "faults" / "stack").iterdir()) == []


def test_the_other_faults_should_be_healed_when_a_line_was_cut_off(
    tiny: Tiny, stack: Stack
) -> None:
    path = left(tiny, entry(1))
    path.write_text(path.read_text(encoding="utf-8") + '{"on": 2, "ki', encoding="utf-8")
    said: list[str] = []
    assert heal_orphaned(stack, said.append) == 1
    assert said == ["healing latency shop->web, left by test_left"]
    assert not path.exists()


def test_the_others_should_be_healed_when_one_fault_cannot_be(tiny: Tiny, stack: Stack) -> None:
    proxy = stack["toxiproxy"]
    toxic = {"name": "nomock-left-downstream", "type": "latency", "attributes": {"latency": 5}}
    proxy.http.post("/proxies/shop-%3Eweb/toxics", json=toxic).raise_for_status()
    path = left(tiny, entry(1), entry(2, kind="of a later version", name="what it did"))
    with pytest.raises(NotHealedError) as error:
        heal_orphaned(stack, lambda text: None)
    assert str(error.value) == (
        f"faults that killed runs left on stack {tiny.name}: not healed: what it did\n"
        "  what it did: fault what it did: this version of nomock knows no such fault\n"
        f"    kind 'of a later version' with {LATENCY.arguments}\n"
        "  -> let the version heal it that put it on\n"
        "-> mend that, then: nomock heal; or give it up, and be told what may be broken still: "
        "nomock heal --set-aside"
    )
    assert left_on(tiny) == []
    assert path.exists()


def test_there_should_be_nothing_to_heal_when_the_stack_has_been_taken_down(
    tiny: Tiny, stack: Stack
) -> None:
    path = left(
        tiny,
        entry(1),
        entry(2, kind="kill", name="kill web", arguments={"service": "web"}, state={}),
        entry(3, kind="pause", name="pause web", arguments={"service": "web"}, state={}),
    )
    stack.down()
    assert heal_orphaned(stack, lambda text: None) == 3
    assert not path.exists()


def killed(stack: Stack, *services: str) -> None:
    for service in services:
        stack[service].kill()


def stopped(number: int, service: str) -> dict[str, object]:
    return entry(
        number,
        kind="kill",
        name=f"kill {service}",
        arguments={"service": service},
        state={"before": {}},
    )


@pytest.mark.slow
def test_the_next_run_should_go_on_when_a_killed_service_needs_another_that_ended(
    tiny: Tiny,
) -> None:
    needs_db = "python3 -c 'import socket; socket.create_connection((\"db\", 8000))' || exit 3"
    tiny.compose(
        auth=server(
            before=needs_db, healthcheck=LISTENS, depends_on={"db": {"condition": HEALTHY}}
        ),
        db=server(healthcheck=LISTENS),
        # It ends with 0, so that nobody who did not stop it knows that it should run.
        worker=idle("trap 'exit 0' TERM; sleep infinity & wait", stop_signal="SIGTERM"),
    )
    all_run = dict.fromkeys(("auth", "db", "worker"), "running")
    stack = tiny.stack()
    stack.prepare()
    before = tiny.containers()
    # As after a power cut: more has ended than what the journal tells of.
    killed(stack, "auth", "db")
    stack["worker"].stop()
    path = left(tiny, stopped(1, "auth"), stopped(2, "worker"))
    assert heal_orphaned(stack, lambda text: None) == 2
    assert not path.exists()
    stack.prepare()
    assert tiny.states() == all_run

    killed(stack, "auth", "db")
    path = left(tiny, stopped(1, "auth"))
    with pytest.raises(NotHealedError, match="start of auth: service auth: exited with code 3"):
        heal_orphaned(stack, lambda text: None, starts=True)
    assert path.exists()
    left(tiny, stopped(1, "db"), stopped(2, "auth"))
    assert heal_orphaned(stack, lambda text: None, starts=True) == 2
    assert stack.differences() == {}
    assert tiny.containers() == before


def test_a_fault_should_count_as_healed_when_its_service_has_left_the_stack(
    tiny: Tiny,
) -> None:
    web, old = server(healthcheck=LISTENS), idle(network_mode="bridge")
    tiny.with_tools()
    tiny.compose(web=web, old=old)
    stack = tiny.stack()
    stack.prepare()
    of_old = {"arguments": {"service": "old"}}
    found = {"networks": {tiny.containers()["old"]: {}}}
    path = left(
        tiny,
        entry(1, kind="pause", name="pause old", state={"before": {}}, **of_old),
        entry(
            2,
            kind="isolate",
            name="isolate old",
            state={"wheres": ["old"], "states": [found]},
            **of_old,
        ),
        entry(
            3,
            kind="packet_loss",
            name="packet_loss old",
            arguments={"service": "old", "percent": 1},
            state={"name": "nomock_packet_loss_left"},
        ),
    )
    stack.close()
    tiny.compose(web=web)
    assert heal_orphaned(tiny.stack(), lambda text: None) == 3
    assert not path.exists()
