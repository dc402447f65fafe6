"""What is done to a service: it dies, hangs, is cut off, starved or told a wrong time."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.request import urlopen

import pytest
from driving import heal_elsewhere, on, ready
from proxied import left_on, proxied
from tiny import LISTENS, TOOLS_IMAGE, Service, Tiny, ask, idle, inspect, server

from nomock.errors import (
    ConfigError,
    NomockError,
    NotPossibleError,
    NotReadyError,
    UnknownServiceError,
)
from nomock.faults.edge.blackhole import Blackhole
from nomock.faults.fault import Fault
from nomock.faults.service.isolate import Isolate
from nomock.faults.service.kill import Kill
from nomock.faults.service.pause import Pause
from nomock.faults.service.restart import Restart
from nomock.faults.service.skew import Skew
from nomock.faults.service.squeeze import Squeeze
from nomock.faults.service.stop import Stop
from nomock.faults.service_fault import ServiceFault
from nomock.faults.stack_control import StackControl
from nomock.stack import Stack

TAKING_AWAY = [Kill, Stop, Pause, Restart]
# The server as its container's first process: it ends by itself when a signal says so.
FIRST = {"init": False, "command": ["python3", "-u", "-m", "http.server", "8000"]}


def answers(stack: Stack, service: str = "web") -> bool:
    """Tell whether a service answers a request of this machine."""
    try:
        with urlopen(stack[service].url, timeout=5) as reply:
            return reply.status == 200
    except (OSError, NotReadyError):
        return False


ASK = """
import sys
from urllib.request import urlopen
print(urlopen(sys.argv[1], timeout=float(sys.argv[2])).status)
"""


def reaches(stack: Stack, service: str, url: str, timeout_s: float = 10) -> bool:
    """Tell whether a service gets an answer of another one."""
    command = ["python3", "-c", ASK, url, str(timeout_s)]
    return stack.engine.run_inside(stack[service].container_id, command).output == "200\n"


def test_a_killed_service_should_be_gone_and_come_back_when_the_fault_heals(tiny: Tiny) -> None:
    with ready(tiny, web=server(healthcheck=LISTENS, restart="always")) as (stack, control):
        assert answers(stack)
        with on(control, Kill("web")) as seen:
            assert tiny.states() == {"web": "exited"}  # in spite of its restart policy
            with pytest.raises(NotReadyError, match="port 8000 is not open"):
                stack["web"].port(8000)
        assert seen == ["ended with 137 after SIGKILL"]
        assert answers(stack)
        # It has its restart policy again: the engine starts it when it ends by itself.
        web = tiny.containers()["web"]
        path, condition = f"/containers/{web}/wait", {"condition": "next-exit"}
        with stack.engine._request("POST", path, condition) as end:
            stack.engine.run_inside(web, ["sh", "-c", "kill -9 -1"])
            end.read()
        assert inspect(web)["RestartCount"] == 1


def test_a_service_should_end_as_it_likes_when_the_signal_is_another(tiny: Tiny) -> None:
    with ready(tiny, web=server(**FIRST, stop_signal="SIGINT")) as (stack, control):
        with on(control, Kill("web", "SIGINT")) as seen:
            assert ask("POST", f"/containers/{tiny.containers()['web']}/wait")
        assert seen == ["ended with 0 after SIGINT"]
        assert answers(stack)


def test_a_kill_should_have_met_nothing_when_the_service_ignores_the_signal(tiny: Tiny) -> None:
    deaf = idle("trap '' TERM; exec sleep infinity", init=False)
    with ready(tiny, deaf=deaf) as (stack, control):
        before = stack.engine.container_state(tiny.containers()["deaf"])
        with on(control, Kill("deaf", signal="SIGTERM")) as seen:
            assert tiny.states() == {"deaf": "running"}
        assert seen == [""]
        # It might have ended later; and such a signal, too, takes the restart policy.
        after = stack.engine.container_state(tiny.containers()["deaf"])
        assert after.state == "running"
        assert after.started_at != before.started_at


def test_a_kill_should_have_met_nothing_when_the_service_ended_for_another_reason(
    tiny: Tiny,
) -> None:
    with ready(tiny, web=server(**FIRST, stop_signal="SIGINT")) as (stack, control):
        fault = Kill("web")
        state = fault.prepare(control)
        stack["web"].stop()
        assert fault.observe_effect(control, state, None) == ""
        fault.heal(control, state)
        assert answers(stack)


def test_a_stopped_service_should_come_back_when_the_fault_heals(tiny: Tiny) -> None:
    with ready(tiny, web=server(**FIRST, stop_signal="SIGINT")) as (stack, control):
        with on(control, Stop("web")) as seen:
            assert tiny.states() == {"web": "exited"}
            assert not answers(stack)
        assert seen == ["stopped, ended with 0"]
        assert answers(stack)


def test_a_service_should_not_answer_until_the_fault_heals_when_it_is_paused(
    tiny: Tiny,
) -> None:
    with ready(tiny, web=server(healthcheck=LISTENS)) as (stack, control):
        assert answers(stack)
        url = stack["web"].url
        with on(control, Pause("web")) as seen, pytest.raises(TimeoutError):
            urlopen(url, timeout=0.3)
        assert seen == ["its processes were frozen"]
        assert answers(stack)
        assert stack.differences() == {}


def test_a_restarted_service_should_be_ready_when_the_block_begins(tiny: Tiny) -> None:
    with ready(tiny, web=server(healthcheck=LISTENS)) as (stack, control):
        before = stack["web"].port(8000)
        with on(control, Restart("web")) as seen:
            assert answers(stack)
            assert stack["web"].port(8000) != before
            started = inspect(tiny.containers()["web"])["State"]["StartedAt"]
        assert seen == [f"started again at {started}"]
        # Healing found it running, and left it alone.
        assert inspect(tiny.containers()["web"])["State"]["StartedAt"] == started


def test_all_containers_of_a_service_should_be_killed_when_it_has_several(tiny: Tiny) -> None:
    two = idle(deploy={"replicas": 2})
    with ready(tiny, two=two) as (stack, control):
        with on(control, Kill("two")) as seen:
            states = [c.state for c in stack.engine.containers(tiny.name)]
            assert states == ["exited", "exited"]
        assert seen == ["ended with 137, 137 after SIGKILL"]
        states = [c.state for c in stack.engine.containers(tiny.name)]
        assert states == ["running", "running"]


def test_a_fault_should_heal_in_another_process_when_its_own_was_killed(tiny: Tiny) -> None:
    with ready(tiny, web=server(healthcheck=LISTENS)) as (stack, control):
        for kind in TAKING_AWAY:
            fault = kind("web")
            state = fault.prepare(control)
            fault.begin(control, json.loads(json.dumps(state)))
            heal_elsewhere(tiny.path, fault, state)
            assert answers(stack), kind
            fault.heal(control, state)
            assert answers(stack), kind
            assert stack.differences() == {}, kind


def test_a_fault_should_heal_when_it_never_began(tiny: Tiny) -> None:
    with ready(tiny, web=server(healthcheck=LISTENS)) as (stack, control):
        port = stack["web"].port(8000)
        for kind in TAKING_AWAY:
            kind("web").heal(control, kind("web").prepare(control))
        assert answers(stack)
        assert stack["web"].port(8000) == port  # none of them has done anything


@pytest.mark.slow
def test_a_fault_should_heal_when_somebody_else_did_something_to_the_service(tiny: Tiny) -> None:
    with ready(tiny, web=server(healthcheck=LISTENS)) as (stack, control):
        web = stack["web"].container_id
        on_now = []
        for kind in TAKING_AWAY:
            fault = kind("web")
            state = fault.prepare(control)
            fault.begin(control, dict(state))
            ask("POST", f"/containers/{web}/restart", t="0")
            fault.heal(control, state)
            assert answers(stack), kind
            on_now.append((fault, state))

        ask("DELETE", f"/containers/{web}", force="1")
        for fault, state in on_now:
            assert fault.observe_effect(control, state, None) == ""
            fault.heal(control, state)
            assert tiny.states() == {}, fault

        stack.prepare()  # as the next run does
        assert stack["web"].container_id != web
        for fault, state in on_now:
            fault.heal(control, state)
            assert answers(stack), fault


def takes_memory(stack: Stack, service: str, megabytes: int) -> bool:
    """Tell whether a process of a service gets so much memory."""
    command = ["python3", "-c", f"len(bytearray({megabytes} << 20))"]
    return stack.engine.run_inside(stack[service].container_id, command).exit_code == 0


@pytest.mark.slow
def test_a_service_should_have_less_cpu_until_the_fault_heals_when_it_is_squeezed(
    tiny: Tiny,
) -> None:
    # So little that it is used up in its first moment, on however busy a machine.
    few, burn = 1 / 30, ["python3", "-c", "sum(range(1_000_000))"]
    services = {
        "unlimited": idle(),
        "cpus": idle(cpus=1.5),
        "quota": idle(cpu_quota=90_000),
        "period": idle(cpu_quota=80_000, cpu_period=50_000),
    }
    with ready(tiny, **services) as (stack, control):
        for name in services:
            id_ = stack[name].container_id
            before = stack.engine.limits(id_)
            with on(control, Squeeze(name, cpus=few)) as seen:
                assert stack.engine.limits(id_).cpus == pytest.approx(few, abs=0.001)
                stack.engine.run_inside(id_, burn)
            assert re.fullmatch(r"it used up its share of CPU \d+ times", seen[0])
            assert stack.engine.limits(id_) == before
            with on(control, Squeeze(name, cpus=few)) as seen:
                pass
            assert seen == [""]


@pytest.mark.slow
def test_a_service_should_have_less_memory_until_the_fault_heals_when_it_is_squeezed(
    tiny: Tiny,
) -> None:
    services = {
        "unlimited": idle(),
        "limited": idle(mem_limit="200m"),
        "swapping": idle(mem_limit="200m", memswap_limit="300m"),
    }
    with ready(tiny, **services) as (stack, control):
        for name in services:
            id_ = stack[name].container_id
            before = stack.engine.limits(id_)
            for _ in range(2):
                with on(control, Squeeze(name, memory_mb=40)) as seen:
                    assert takes_memory(stack, name, 10)
                    assert not takes_memory(stack, name, 100)
                assert re.fullmatch(r"it takes \d+ MiB of its 40 MiB", seen[0])
                assert stack.engine.limits(id_) == before
                assert takes_memory(stack, name, 100)
            # Neither does what the engine keeps of it hinder the next start.
            stack[name].restart()
            assert stack.engine.limits(id_) == before
            assert takes_memory(stack, name, 100)


def test_a_squeeze_should_heal_elsewhere_when_it_is_half_begun_or_its_container_is_gone(
    tiny: Tiny,
) -> None:
    with ready(tiny, one=idle()) as (stack, control):
        fault = Squeeze("one", cpus=0.5, memory_mb=30)
        state = fault.prepare(control)
        one = stack["one"].container_id
        before = stack.engine.limits(one)
        heal_elsewhere(tiny.path, fault, state)
        stack.engine.limit_cpus(one, 0.5)
        heal_elsewhere(tiny.path, fault, state)
        assert stack.engine.limits(one) == before
        fault.begin(control, json.loads(json.dumps(state)))
        stack["one"].kill()
        heal_elsewhere(tiny.path, fault, state)
        stack["one"].start()
        assert stack.engine.limits(one) == before
        assert takes_memory(stack, "one", 60)
        ask("DELETE", f"/containers/{one}", force="1")
        fault.heal(control, state)


def networked(tiny: Tiny, worker: str) -> None:
    """Write a stack of which a server is on two networks, with names and addresses of its own."""
    # No two workers of a run get the same subnet; those of another run most likely not.
    number = int(worker.removeprefix("gw")) if worker.startswith("gw") else 0
    third, last = int(tiny.name[-2:], 16), 16 * int(tiny.name[-3], 16)
    begin = f"10.{231 + number % 24}.{third}"
    subnet, address = f"{begin}.{last}/28", f"{begin}.{last + 13}"
    web = server(healthcheck=LISTENS)
    web["networks"] = {
        "front": {"aliases": ["shop"], "ipv4_address": address},
        "back": {"aliases": ["store"]},
    }
    on_both = idle(networks=["front", "back"])
    del on_both["network_mode"]
    front = {"ipam": {"config": [{"subnet": subnet}]}}
    stack = {"services": {"web": web, "asker": on_both}, "networks": {"front": front, "back": {}}}
    tiny.compose_text(json.dumps(stack))


@pytest.mark.slow
def test_an_isolated_service_should_have_all_its_names_and_addresses_when_the_fault_heals(
    tiny: Tiny,
    worker_id: str,
) -> None:
    networked(tiny, worker_id)
    urls = [f"http://{name}:8000" for name in ("web", "shop", "store", f"{tiny.name}-web-1")]
    with ready(tiny) as (stack, control):
        web = stack["web"].container_id
        networks = stack.engine.networks(web)
        addresses = stack.engine.addresses(web)
        assert all(reaches(stack, "asker", url) for url in urls)
        with on(control, Isolate("web")) as seen:
            assert not any(reaches(stack, "asker", url, timeout_s=0.2) for url in urls)
            assert not answers(stack)
        assert seen == [f"it was off {tiny.name}_back, {tiny.name}_front"]
        assert stack.engine.networks(web) == networks
        front = f"{tiny.name}_front"
        assert stack.engine.addresses(web)[front] == addresses[front]
        assert all(reaches(stack, "asker", url) for url in urls)
        assert answers(stack)
        assert stack.differences() == {}


def test_an_isolation_should_heal_elsewhere_when_it_is_half_begun_or_its_container_is_gone(
    tiny: Tiny,
    worker_id: str,
) -> None:
    networked(tiny, worker_id)
    with ready(tiny) as (stack, control):
        web = stack["web"].container_id
        networks = stack.engine.networks(web)
        fault = Isolate("web")
        state = fault.prepare(control)
        stack.engine.disconnect(web, f"{tiny.name}_back")
        heal_elsewhere(tiny.path, fault, state)
        heal_elsewhere(tiny.path, fault, state)
        assert stack.engine.networks(web) == networks
        fault.begin(control, json.loads(json.dumps(state)))
        ask("POST", f"/containers/{web}/restart", t="0")
        heal_elsewhere(tiny.path, fault, state)
        assert stack.engine.networks(web) == networks
        stack.wait_ready("web")
        assert answers(stack)
        ask("DELETE", f"/containers/{web}", force="1")
        heal_elsewhere(tiny.path, fault, state)


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), [("web", "asker"), ("asker", "web")])
def test_two_isolated_services_should_meet_again_when_the_fault_heals(
    tiny: Tiny, worker_id: str, one: str, other: str
) -> None:
    networked(tiny, worker_id)
    tiny.with_tools()
    with ready(tiny) as (stack, control):
        assert reaches(stack, "asker", "http://store:8000")
        with on(control, Isolate(one, from_=other)) as seen:
            for name in ("web", "shop", "store"):
                assert not reaches(stack, "asker", f"http://{name}:8000", timeout_s=0.2)
            assert answers(stack)  # this machine still reaches it
        assert re.fullmatch(r"(\d+) of \1 packets were dropped", seen[0])
        assert reaches(stack, "asker", "http://store:8000")

        with on(control, Isolate(one, other)) as seen:
            assert answers(stack)
        assert seen == [""]

        fault = Isolate(one, other)
        state = fault.prepare(control)
        fault.begin(control, json.loads(json.dumps(state)))
        heal_elsewhere(tiny.path, fault, state)
        assert reaches(stack, "asker", "http://store:8000")


def test_two_isolated_services_should_be_parted_on_their_edges_when_they_have_any(
    tiny: Tiny,
) -> None:
    shop = idle()
    del shop["network_mode"]
    proxied(tiny, "", shop=shop)
    to_web, to_bank = "http://toxiproxy:18000", "http://toxiproxy:18001"
    with ready(tiny) as (stack, control):
        for fault in (Isolate("shop", from_="web"), Isolate("web", from_="shop")):
            assert fault.exclusive_parts(control) == {"shop->web"}
            with on(control, fault) as seen:
                assert not reaches(stack, "shop", to_web, timeout_s=0.2)
                assert reaches(stack, "shop", to_bank)
                assert answers(stack)
            assert re.fullmatch(r"\d+ packets with data met it", seen[0])
            assert reaches(stack, "shop", to_web)
        fault = Isolate("shop", from_="web")
        state = fault.prepare(control)
        fault.begin(control, json.loads(json.dumps(state)))
        heal_elsewhere(tiny.path, fault, state)
        assert reaches(stack, "shop", to_web)
        assert left_on(tiny) == []
        assert Isolate("bank", from_="web").exclusive_parts(control) == {"bank", "web"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Kill, Stop, Restart])
def test_the_edges_should_be_there_again_when_their_proxy_was_taken_away(
    tiny: Tiny, kind: type[ServiceFault]
) -> None:
    shop = idle()
    del shop["network_mode"]
    proxied(tiny, "", shop=shop)
    url = "http://toxiproxy:18000"
    with ready(tiny) as (stack, control):
        another = StackControl(stack)  # of another worker
        try:
            with on(another, Blackhole("shop->web")):
                assert not reaches(stack, "shop", url, timeout_s=0.2)
            outer = Blackhole("shop->web")
            state = outer.prepare(control)
            outer.begin(control, state)
            with on(control, kind("toxiproxy")) as seen:
                assert reaches(stack, "shop", url) == (kind is Restart)
            assert seen[0]
            outer.heal(control, state)
            assert reaches(stack, "shop", url)
            for at in (control, another):
                with on(at, Blackhole("shop->web")) as seen:
                    assert not reaches(stack, "shop", url, timeout_s=0.2)
                assert seen[0]
                assert reaches(stack, "shop", url)
            assert left_on(tiny) == []
        finally:
            another.close()


def test_faults_should_contradict_each_other_when_both_take_the_same_service_away() -> None:
    for one in [*TAKING_AWAY, Isolate]:
        for other in [*TAKING_AWAY, Isolate]:
            assert one("web").conflicts_with(other("web"))
            assert not one("web").conflicts_with(other("db"))
    assert not Squeeze("web", cpus=1).conflicts_with(Kill("web"))
    assert Squeeze("web", cpus=1).conflicts_with(Squeeze("web", memory_mb=9))
    apart = Isolate("web", from_="db")
    assert apart.conflicts_with(Isolate("db", from_="web"))
    assert not apart.conflicts_with(Isolate("web", from_="bank"))
    assert apart.conflicts_with(Isolate("web"))
    assert not apart.conflicts_with(Kill("web"))


def test_others_should_be_kept_off_a_service_when_a_fault_is_on_it(tiny: Tiny) -> None:
    tiny.compose(web=idle())
    with_ground = StackControl(tiny.stack())
    assert Kill("web").exclusive_parts(with_ground) == {"web"}
    assert Kill("web").name == "kill web"


# What an overlay sets for the tests.
FAKED = {
    "LD_PRELOAD": "/opt/libfaketime.so.1",
    "FAKETIME_TIMESTAMP_FILE": "/dev/shm/clock",
    "FAKETIME_NO_CACHE": "1",
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "FAKETIME_DISABLE_SHM": "1",
}


def faked(tiny: Tiny) -> Service:
    """A server of which the clock can be put wrong, hardened as the reference services are."""
    library = tiny.path / "libfaketime.so.1"
    read = ["docker", "run", "--rm", TOOLS_IMAGE, "sh", "-c", f"cat /usr/lib/*/*/{library.name}"]
    library.write_bytes(subprocess.run(read, capture_output=True, check=True).stdout)
    mounted = {"environment": FAKED, "volumes": [f"./{library.name}:{FAKED['LD_PRELOAD']}:ro"]}
    hardened = {"user": "10001", "read_only": True, "cap_drop": ["ALL"]}
    return server(healthcheck=LISTENS, **hardened, **mounted)


def ahead_s(stack: Stack, service: str = "web") -> float:
    """Return how far a service's clock is ahead, as its answers show it."""
    with urlopen(stack[service].url, timeout=5) as reply:
        shown = parsedate_to_datetime(reply.headers["Date"])
    return (shown - datetime.now(UTC)).total_seconds()


@pytest.mark.slow
def test_a_clock_should_be_wrong_until_the_fault_heals_when_it_is_skewed(tiny: Tiny) -> None:
    with ready(tiny, web=faked(tiny)) as (stack, control):
        assert abs(ahead_s(stack)) < 60
        for offset_s in (3600, -86_400):
            with on(control, Skew("web", offset_s=offset_s)) as seen:
                assert abs(ahead_s(stack) - offset_s) < 60
            assert re.fullmatch(r"its clock shows [+-]\d+ s", seen[0])
            assert abs(ahead_s(stack)) < 60

        fault = Skew("web", offset_s=3600)
        heal_elsewhere(tiny.path, fault, {})
        fault.begin(control, {})
        heal_elsewhere(tiny.path, fault, {})
        assert abs(ahead_s(stack)) < 60
        fault.begin(control, {})
        stack["web"].kill()
        assert fault.observe_effect(control, {}, None) == ""
        heal_elsewhere(tiny.path, fault, {})
        stack["web"].start()
        assert abs(ahead_s(stack)) < 60


def test_a_wrong_clock_should_be_refused_when_the_library_is_not_there(tiny: Tiny) -> None:
    half = {**FAKED, "FAKETIME_TIMESTAMP_FILE": "/tmp/clock"}
    services = {"half": idle(environment=half), "empty": idle(environment=FAKED)}
    with ready(tiny, web=server(), **services) as (_, control):
        with pytest.raises(
            NotPossibleError, match=r"do not tell its time: (.|\n)*cannot be preloaded"
        ):
            Skew("empty", offset_s=60).validate(control)
        with pytest.raises(NotPossibleError) as caught:
            Skew("web", offset_s=60).validate(control)
        assert str(caught.value) == (
            "fault skew web: libfaketime is not set up in its container\n"
            "  its environment lacks LD_PRELOAD=…libfaketime.so.1\n"
            "  its environment lacks FAKETIME_TIMESTAMP_FILE=/dev/shm/…\n"
            "  its environment lacks FAKETIME_NO_CACHE=1\n"
            "-> add the overlay that nomock docs faults shows"
        )
        with pytest.raises(NotPossibleError, match="lacks FAKETIME_TIMESTAMP_FILE"):
            Skew("half", offset_s=60).validate(control)
        for offset_s in (0, 1, -1.5, 1e10, True):
            with pytest.raises(ConfigError, match="a number of seconds from 2 to 630720000"):
                Skew("web", offset_s=offset_s).validate(control)


@pytest.mark.slow
def test_the_next_run_should_have_all_services_when_one_was_killed_under_faults(
    tiny: Tiny,
) -> None:
    tiny.compose(**{name: server(healthcheck=LISTENS) for name in ("one", "two", "six")})
    tiny.tests("""
        import os
        import signal

        def test_killed(stack, faults):
            if os.environ.get("KILL"):
                faults.kill("one").begin()
                faults.pause("two").begin()
                faults.isolate("six").begin()
                os.kill(os.getpid(), signal.SIGKILL)
            for name in stack:
                assert stack[name].http.get("/").status_code == 200
    """)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KILL", "1")
        tiny.run()
    assert tiny.states() == {"one": "exited", "two": "paused", "six": "running"}
    before = tiny.containers()
    tiny.run().assert_outcomes(passed=1)
    assert tiny.containers() == before  # healed, and not made anew


def test_an_isolation_should_be_refused_when_the_two_cannot_be_parted(tiny: Tiny) -> None:
    alone, beside = idle(), idle(network_mode="service:web")
    far = idle(networks=["far"])
    del far["network_mode"]
    fixed = {**far, "mac_address": "02:42:ac:00:00:77"}
    services = {"web": server(), "alone": alone, "beside": beside, "far": far, "fixed": fixed}
    tiny.compose_text(json.dumps({"services": services, "networks": {"far": {}}}))
    todo = "-> isolate it from one other service, or break the edges"
    expected = [
        (
            Isolate("web", "web"),
            "fault isolate web from web: from_ cannot be 'web'\n  it is another service",
        ),
        (
            Isolate("alone"),
            "fault isolate alone: it has no network of its own that it could be taken off\n"
            f"  networks: none\n{todo}",
        ),
        (
            Isolate("beside"),
            "fault isolate beside: it has no network of its own that it could be taken off\n"
            f"  networks: those of another container\n{todo}",
        ),
        (
            Isolate("fixed"),
            "fault isolate fixed: the engine does not give its fixed mac_address back\n" + todo,
        ),
        (
            Isolate("web", from_="far"),
            "fault isolate web: no edge and no network leads to far\n"
            "-> look how they reach each other, and break that",
        ),
    ]
    with ready(tiny) as (_, control):
        for fault, text in expected:
            with pytest.raises(NomockError) as caught:
                fault.validate(control)
            assert str(caught.value) == text
        with pytest.raises(UnknownServiceError, match="there is no service 'fra'"):
            Isolate("web", from_="fra").validate(control)


def test_a_squeeze_should_be_refused_when_it_is_none(tiny: Tiny) -> None:
    cpus = "it is a number from 0.01, and less than 0.8, as it has"
    memory = "it is a whole number from 6 to 99"
    expected = [
        (Squeeze("one"), "there is nothing to squeeze\n-> cpus=, memory_mb="),
        (Squeeze("one", cpus=1), f"cpus cannot be 1\n  {cpus}"),
        (Squeeze("one", cpus=-0.5), f"cpus cannot be -0.5\n  {cpus}"),
        (Squeeze("one", memory_mb=5), f"memory_mb cannot be 5\n  {memory}"),
        (Squeeze("one", memory_mb=100), f"memory_mb cannot be 100\n  {memory}"),
        (Squeeze("one", memory_mb=7.5), f"memory_mb cannot be 7.5\n  {memory}"),
    ]
    with ready(tiny, one=idle(cpus=0.8, mem_limit="100m")) as (_, control):
        for fault, text in expected:
            with pytest.raises(ConfigError) as caught:
                fault.validate(control)
            assert str(caught.value) == f"fault squeeze one: {text}"


def test_a_fault_should_be_refused_when_there_is_nothing_to_break(tiny: Tiny) -> None:
    done = idle("true")
    after = idle(depends_on={"done": {"condition": "service_completed_successfully"}})
    with ready(tiny, web=idle(), done=done, after=after) as (stack, control):
        expected: list[tuple[Fault, type[NomockError], str]] = [
            (
                Kill("wep"),
                UnknownServiceError,
                f"stack {tiny.name}: there is no service 'wep'\n"
                "  the services are: after, done, web\n"
                "-> did you mean 'web'?",
            ),
            (
                Pause("done"),
                ConfigError,
                "fault pause done: a one-shot has ended before a test begins: nothing is there to "
                "break\n-> break the service that it works for, or run it anew in the test",
            ),
            (
                Kill("web", signal="KILL"),
                ConfigError,
                "fault kill web: 'KILL' is no signal that ends a process\n"
                "-> SIGKILL, SIGTERM, SIGINT…; to make it hang: pause",
            ),
            (
                Kill("web", signal="SIGSTOP"),
                ConfigError,
                "fault kill web: 'SIGSTOP' is no signal that ends a process\n"
                "-> SIGKILL, SIGTERM, SIGINT…; to make it hang: pause",
            ),
        ]
        for fault, error, text in expected:
            with pytest.raises(error) as caught:
                fault.validate_kind(control)
            assert str(caught.value) == text

        stack["web"].kill()
        with pytest.raises(NotReadyError) as caught:
            Stop("web").validate_kind(control)
        assert str(caught.value) == (
            "fault stop web: the container is exited: nothing is there to break\n"
            "-> stack['web'].start(), or: nomock logs web"
        )
        ask("DELETE", f"/containers/{tiny.containers()['web']}")
        with pytest.raises(NotReadyError, match="it has no container"):
            Stop("web").validate_kind(control)
