"""Services that have another one's network, processes or IPC: started anew whenever that is."""

from __future__ import annotations

import json

import pytest
from driving import on, ready
from tiny import Tiny, check, docker, idle, inspect, server

from nomock.adapters.engine import Engine
from nomock.faults.janitor import heal_orphaned
from nomock.faults.packets.block import PacketBlock
from nomock.faults.service.kill import Kill
from nomock.faults.service.restart import Restart
from nomock.faults.service.stop import Stop
from nomock.faults.stack_control import StackControl
from nomock.project import Project, ServiceConfig
from nomock.stack import Stack
from nomock.stack.compose import ComposeUpkeep
from nomock.stack.sharing import network_owner, sharers

FACES_9000 = {"ports": ["127.0.0.1::9000"]}


def behind(**more: object) -> dict[str, object]:
    """A web server in the network of `vpn`, which publishes its port."""
    web = server(9000)
    del web["ports"]
    return {**web, "network_mode": "service:vpn", **more}


def write(tiny: Tiny, **more: dict[str, object]) -> None:
    tiny.with_tools()
    vpn = idle(network_mode="bridge", ipc="shareable", **FACES_9000)
    del vpn["network_mode"]
    tiny.compose(vpn=vpn, behind=behind(), **more)


def answers(stack: Stack) -> bool:
    import httpx

    url = f"http://127.0.0.1:{stack['vpn'].port(9000)}/"
    return httpx.get(url, trust_env=False).status_code == 200


def began(tiny: Tiny) -> dict[str, str]:
    return {name: inspect(id_)["State"]["StartedAt"] for name, id_ in tiny.containers().items()}


def project(**services: dict[str, str]) -> Project:
    made = {n: ServiceConfig(n, c, "shop") for n, c in services.items()}
    return Project("shop", (), made, frozenset())


def test_sharers_should_be_known_when_steps_lie_between_or_another_name_is_used() -> None:
    found = project(
        a={"network_mode": "service:b"},
        b={"pid": "container:shop-c-1"},
        c={"ipc": "container:named"},
        d={"container_name": "named", "ipc": "shareable"},
        e={"network_mode": "container:of-somebody-else", "pid": "host"},
        f={"network_mode": "service:a", "ipc": "service:d"},
    )
    assert sharers(found, "d") == ["c", "b", "a", "f"]
    assert sharers(found, "b") == ["a", "f"]
    assert sharers(found, "e") == sharers(found, "f") == []
    assert network_owner(found, "f") == "b"
    assert network_owner(found, "b") == "b"
    assert network_owner(found, "left the stack") == "left the stack"


@pytest.mark.slow
def test_all_should_be_there_again_when_the_service_whose_network_they_have_was_broken(
    tiny: Tiny,
) -> None:
    more = {
        "second": idle(network_mode="service:behind"),
        "processes": idle(pid="service:vpn", restart="unless-stopped"),
        "ipc": idle(ipc="service:vpn"),
        "aside": idle(),
    }
    write(tiny, **more)
    with ready(tiny) as (stack, control):
        for number, fault in enumerate((Kill("vpn"), Stop("vpn"), Restart("vpn"))):
            before = began(tiny)
            with on(control, fault) as seen:
                pass
            assert seen != [""]
            assert answers(stack), number
            now = began(tiny)
            again = {name for name in now if now[name] != before[name]}
            assert again == {"vpn", "behind", "second", "processes", "ipc"}
            assert set(tiny.states().values()) == {"running"}
        stack["vpn"].restart()
        assert answers(stack)
        assert stack.differences() == {}
        assert Kill("vpn").exclusive_parts(control) >= {"vpn", "behind", "second"}


def test_who_was_stopped_before_should_stay_so_when_the_other_is_started_again(tiny: Tiny) -> None:
    write(tiny, second=idle(network_mode="service:behind"))
    with ready(tiny) as (stack, control):
        stack["second"].stop()
        with on(control, Kill("vpn")):
            pass
        assert tiny.states() == {"vpn": "running", "behind": "running", "second": "exited"}
        # In the other order: whose healing comes first finds nothing that it could be started in.
        stack["second"].start()
        with on(control, Kill("vpn")), on(control, Kill("behind")):
            pass
        assert set(tiny.states().values()) == {"running"}
        assert answers(stack)


@pytest.mark.slow
def test_the_next_start_should_mend_it_when_somebody_else_started_the_other_again(
    tiny: Tiny,
) -> None:
    write(tiny, second=idle(network_mode="service:behind"))
    with ready(tiny) as (stack, _):
        stack.close()  # others may change it
        ids = tiny.containers()
        docker("restart", ids["vpn"])
        found = stack.differences()
        found.pop("vpn")  # nobody answers at its port
        assert found == {
            "behind": "shares what vpn had before that was started again",
            "second": "shares something of behind, which has to be started anew",
        }
        tiny.nomock("up")
        assert answers(stack)
        assert stack.differences() == {}
        assert tiny.containers() == ids

        # As a run that was killed leaves it, with its journal.
        docker("kill", ids["vpn"])
        path = tiny.path / ".nomock/faults" / tiny.name / "1.ndjson"
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {"before": {ids["vpn"]: {"started_at": "", "finished_at": ""}}}
        told = {"on": 1, "kind": "kill", "name": "kill vpn", "arguments": {"service": "vpn"}}
        path.write_text(json.dumps({**told, "state": state, "test": "test_left"}) + "\n")
        tiny.tests("def test_it(stack): pass")
        tiny.run().assert_outcomes(passed=1)
        assert answers(stack)
        docker("kill", ids["vpn"])
        path.write_text(json.dumps({**told, "state": state, "test": "test_left"}) + "\n")
        assert heal_orphaned(stack, print, starts=True) == 1
        assert answers(stack)


def test_packets_should_be_dropped_when_a_service_has_the_network_of_another(tiny: Tiny) -> None:
    write(tiny)
    with ready(tiny) as (stack, control):
        with on(control, PacketBlock("behind", port=9000)) as seen:
            assert control.known_watchdog("vpn").container_id == tiny.containers()["vpn"]
            with pytest.raises(Exception, match="timed out"):
                _ask(stack)
        assert "packets were dropped" in seen[0]
        # Its network goes on when only the service is started again: so does the rule.
        fault = PacketBlock("behind", port=9000)
        state = fault.prepare(control)
        fault.begin(control, state)
        stack["behind"].restart()
        fault.heal(StackControl(stack), state)
        assert answers(stack)


def _ask(stack: Stack) -> None:
    import httpx

    port = stack["vpn"].port(9000)
    httpx.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=0.3)


def test_nothing_should_be_asked_of_the_engine_when_no_service_shares_anything(tiny: Tiny) -> None:
    tiny.compose(web=idle(healthcheck=check("true")))
    with ready(tiny) as (stack, _):
        asked: list[str] = []

        class Counting(Engine):
            def container_state(self, container_id: str):  # type: ignore[no-untyped-def]
                asked.append(container_id)
                return super().container_state(container_id)

        stack.upkeep = ComposeUpkeep(stack.settings, stack.project, Counting())
        assert stack.differences() == {}
        assert asked == []
