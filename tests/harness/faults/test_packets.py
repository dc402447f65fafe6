"""Faults on the packets of a service: lost, blocked and slowed, for as long as the block lasts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest
from driving import heal_elsewhere, on, ready
from tiny import IMAGE, LISTENS, TOOLS_IMAGE, Tiny, docker, idle, server, until_gone

from nomock.adapters.engine import Engine
from nomock.errors import ConfigError, FaultError, NotPossibleError
from nomock.faults.fault import Fault
from nomock.faults.packets.block import PacketBlock
from nomock.faults.packets.corrupt import PacketCorrupt
from nomock.faults.packets.delay import PacketDelay
from nomock.faults.packets.duplicate import PacketDuplicate
from nomock.faults.packets.loss import PacketLoss
from nomock.faults.packets.rate import PacketRate
from nomock.faults.packets.reorder import PacketReorder
from nomock.faults.service.pause import Pause
from nomock.faults.stack_control import StackControl
from nomock.loading import load
from nomock.stack import Stack

BIG_BYTES = 64_000
CALLER = {"image": IMAGE, "command": ["sleep", "infinity"], "init": True, "stop_signal": "SIGKILL"}
GET = """
import sys, urllib.request
try:
    print(len(urllib.request.urlopen(sys.argv[1], timeout=float(sys.argv[2])).read()))
except OSError as error:
    print(error)
"""
# Says how many of the datagrams were refused to be sent.
SEND = """
import socket, sys
address = socket.gethostbyname(sys.argv[1]), int(sys.argv[2])
refused = 0
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    for _ in range(int(sys.argv[3])):
        try:
            udp.sendto(b"x", address)
        except PermissionError:
            refused += 1
print(refused)
"""


@dataclass(frozen=True)
class Shop:
    """A web server at two ports, and one who calls it."""

    path: Path
    stack: Stack
    control: StackControl


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    path, name = tmp_path_factory.mktemp("shop"), f"nomock-t-{uuid4().hex[:8]}"
    before = f"head -c {BIG_BYTES} /dev/zero > /tmp/big; python3 -m http.server 8001 & true"
    web = server(before=before, working_dir="/tmp", healthcheck=LISTENS)
    compose = {"services": {"web": web, "caller": CALLER}}
    (path / "docker-compose.yml").write_text(json.dumps(compose))
    settled = {"COMPOSE_PROJECT_NAME": name, "NOMOCK_TOOLS_IMAGE": TOOLS_IMAGE}
    (path / ".env").write_text("".join(f"{key}={value}\n" for key, value in settled.items()))
    with pytest.MonkeyPatch.context() as without:
        for key in os.environ:
            if re.match(r"NOMOCK_|COMPOSE_", key):
                without.delenv(key)
        stack = Stack.of(load(path))
        control = StackControl(stack)
        try:
            stack.prepare()
            yield Shop(path, stack, control)
        finally:
            control.close()
            stack.down(volumes=True)
            stack.close()


def get(stack: Stack, url: str, *, service: str = "caller", timeout_s: float = 20) -> str:
    return stack[service].exec("python3", "-c", GET, url, str(timeout_s)).strip()


def send(stack: Stack, source: str, target: str, port: int, count: int) -> int:
    return int(stack[source].exec("python3", "-c", SEND, target, str(port), str(count)))


def left(control: StackControl, service: str = "web") -> list[str]:
    """Return the tables and queues in a service's network, but for the watchdog's own table."""
    watchdog = control.watchdog(service)
    tables = watchdog.run("nft", "list", "tables", "inet").output.split()[2::3]
    queues = json.loads(watchdog.run("tc", "-json", "qdisc", "show").output)
    kinds = [queue["kind"] for queue in queues if queue["kind"] != "noqueue"]
    return [name for name in tables if name.startswith("nomock_packet")] + kinds


def test_a_share_of_the_packets_should_get_lost_when_they_are_of_that_port(
    shop: Shop,
) -> None:
    stack, control = shop.stack, shop.control
    with on(control, PacketLoss("web", percent=30, port=9, direction="to")) as seen:
        # Not all at once: what there is no room for is lost before it is counted.
        for _ in range(10):
            send(stack, "caller", "web", 9, 100)
        send(stack, "caller", "web", 10, 100)

    # Six standard deviations on each side.
    told = re.fullmatch(r"(\d+) of 1000 packets were dropped", seen[0])
    assert told
    assert 210 < int(told[1]) < 390
    assert left(control) == []


def test_no_packet_should_get_lost_when_it_stays_inside_the_container(
    shop: Shop,
) -> None:
    stack, control = shop.stack, shop.control
    with on(control, PacketLoss("web", percent=100)) as seen:
        assert get(stack, "http://127.0.0.1:8000/big", service="web") == str(BIG_BYTES)
    assert seen == [""]


@pytest.mark.parametrize(
    ("direction", "refused", "lost"), [("to", 0, 50), ("from", 50, 50), ("both", 50, 100)]
)
def test_packets_should_get_lost_only_in_its_direction_when_a_fault_has_one(
    shop: Shop, direction: str, refused: int, lost: int
) -> None:
    stack, control = shop.stack, shop.control
    # The port of the other side, where nobody listens.
    with on(control, PacketLoss("web", percent=100, port=9, direction=direction)) as seen:
        assert send(stack, "web", "caller", 9, 50) == refused
        assert send(stack, "caller", "web", 9, 50) == 0
    assert seen == [f"{lost} of {lost} packets were dropped"]


def test_a_port_should_be_blocked_and_the_other_open_when_one_is_named(
    shop: Shop,
) -> None:
    stack, control = shop.stack, shop.control
    with on(control, PacketBlock("web", port=8000)) as seen:
        assert "timed out" in get(stack, "http://web:8000/big", timeout_s=0.2)
        assert get(stack, "http://web:8001/big") == str(BIG_BYTES)
    assert re.fullmatch(r"(\d+) of \1 packets were dropped", seen[0])
    assert get(stack, "http://web:8000/big") == str(BIG_BYTES)


def test_what_a_service_sends_should_be_slow_when_its_rate_is_limited(
    shop: Shop,
) -> None:
    stack, control = shop.stack, shop.control
    with on(control, PacketRate("web", kbit_s=512)) as seen:
        started_s = monotonic()
        assert get(stack, "http://web:8000/big") == str(BIG_BYTES)
        assert monotonic() - started_s > 0.9  # 64 bytes a millisecond
    assert re.fullmatch(r"\d+ packets left at 512 kbit/s, \d+ were dropped", seen[0])
    assert left(control) == []


def test_a_rate_should_have_met_nothing_when_nothing_had_to_wait(
    shop: Shop,
) -> None:
    stack, control = shop.stack, shop.control
    with on(control, PacketRate("web", kbit_s=512)) as seen:
        send(stack, "web", "caller", 9, 1)
    assert seen == [""]


def test_several_faults_should_bite_and_heal_one_by_one_when_they_are_on_together(
    shop: Shop,
) -> None:
    stack, control = shop.stack, shop.control
    with on(control, PacketRate("web", kbit_s=512)) as slow:
        with (
            on(control, PacketBlock("web", port=8000)) as first,
            on(control, PacketLoss("web", percent=100, port=9)) as lost,
        ):
            with on(control, PacketBlock("web", port=8001)) as second:
                assert "timed out" in get(stack, "http://web:8001/big", timeout_s=0.2)
            assert get(stack, "http://web:8001/big") == str(BIG_BYTES)
            assert "timed out" in get(stack, "http://web:8000/big", timeout_s=0.2)
            send(stack, "caller", "web", 9, 1)
        assert get(stack, "http://web:8000/big") == str(BIG_BYTES)
    assert "" not in slow + first + lost + second
    assert left(control) == []


def test_faults_should_contradict_each_other_when_one_interface_cannot_do_both() -> None:
    rate, delay = PacketRate("web", kbit_s=512), PacketDelay("web", delay_ms=10)
    block, loss = PacketBlock("web", port=8000), PacketLoss("web", percent=10)
    assert rate.conflicts_with(delay)
    assert delay.conflicts_with(PacketReorder("web", percent=5))
    assert not rate.conflicts_with(PacketRate("other", kbit_s=512))
    assert not rate.conflicts_with(loss)
    assert not loss.conflicts_with(rate)
    assert loss.conflicts_with(PacketLoss("web", percent=20, direction="to"))
    assert not loss.conflicts_with(PacketLoss("web", percent=20, port=8000))
    assert not loss.conflicts_with(block)
    assert block.conflicts_with(PacketBlock("web", port=8000, direction="from"))
    assert not block.conflicts_with(PacketBlock("web", port=8001))
    assert (loss.name, block.name) == ("packet_loss web", "packet_block web:8000")


BREAKER = """
import sys
from pathlib import Path
from nomock.loading import load
from nomock.faults.stack_control import StackControl
from nomock.faults.packets.block import PacketBlock
from nomock.faults.packets.rate import PacketRate
from nomock.stack import Stack

ground = StackControl(Stack.of(load(Path(sys.argv[1]))))
for fault in (PacketBlock("web", port=8000), PacketRate("web", kbit_s=8)):
    fault.begin(ground, fault.prepare(ground))
print(ground.watchdog("web").id, flush=True)
sys.stdin.read()
"""


def test_nothing_should_be_left_when_the_run_is_killed(shop: Shop) -> None:
    stack, control = shop.stack, shop.control
    with subprocess.Popen(
        [sys.executable, "-c", BREAKER, str(shop.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as breaker:
        assert breaker.stdout is not None
        watchdog = breaker.stdout.readline().strip()
        assert "timed out" in get(stack, "http://web:8000/big", timeout_s=0.2)
        assert "tbf" in left(control)
        breaker.kill()
    until_gone(watchdog)

    assert left(control) == []
    assert get(stack, "http://web:8000/big") == str(BIG_BYTES)


@pytest.mark.parametrize(
    "fault", [PacketBlock("web", port=8000), PacketRate("web", kbit_s=512)], ids=lambda f: f.kind
)
def test_a_fault_should_heal_in_another_process_when_its_watchdog_was_killed_too(
    shop: Shop, fault: Fault
) -> None:
    stack, control = shop.stack, shop.control
    fault.validate_kind(control)
    state = fault.prepare(control)
    fault.begin(control, state)
    docker("kill", control.watchdog("web").id)
    assert left(control) != []

    heal_elsewhere(shop.path, fault, state)

    assert left(control) == []
    fault.heal(control, state)
    stack["web"].kill()
    fault.heal(control, state)
    stack["web"].start()


@pytest.mark.parametrize(
    "fault", [PacketBlock("web", port=9), PacketRate("web", kbit_s=512)], ids=lambda f: f.kind
)
def test_nobody_should_say_what_a_fault_met_when_its_service_was_restarted(
    shop: Shop, fault: Fault
) -> None:
    stack, control = shop.stack, shop.control
    with pytest.raises(FaultError) as caught, on(control, fault):
        stack["web"].restart()
    assert str(caught.value) == (
        f"fault {fault.name}: what it met was not counted to the end\n"
        "  nothing of it is there; was the service restarted meanwhile?"
    )
    assert left(control) == []


def test_a_fault_should_stay_guarded_when_its_service_was_only_paused(shop: Shop) -> None:
    stack, control = shop.stack, shop.control
    with on(control, PacketBlock("web", port=9)) as seen:
        watchdog = control.watchdog("web").id
        with on(control, Pause("web", expect_traffic=False)):
            pass
        send(stack, "caller", "web", 9, 1)
        assert control.watchdog("web").id == watchdog
    assert seen == ["1 of 1 packets were dropped"]


def test_a_fault_should_heal_when_its_service_is_paused(shop: Shop) -> None:
    control, fault = shop.control, PacketBlock("web", port=9)
    state = fault.prepare(control)
    fault.begin(control, state)
    with on(control, Pause("web", expect_traffic=False)):
        fault.heal(control, state)
        assert left(control) == []


def test_a_queue_of_the_services_own_should_stay_when_a_fault_needs_its_place(
    shop: Shop,
) -> None:
    control = shop.control
    own = "tc qdisc add dev eth0 root handle 1: tbf rate 1gbit burst 1mb latency 1s"
    assert control.watchdog("web").run(*own.split()).exit_code == 0
    with pytest.raises(FaultError) as caught, on(control, PacketRate("web", kbit_s=512)):
        pass
    assert caught.value.where == "fault packet_rate web"
    assert caught.value.what.startswith("tc qdisc add dev eth0 root handle ")
    assert left(control) == ["tbf"]
    assert (
        control.watchdog("web").run(*["tc", "qdisc", "del", "dev", "eth0", "root"]).exit_code == 0
    )


@pytest.mark.parametrize(
    "fault",
    [
        PacketDelay("web", delay_ms=300, jitter_ms=1),
        PacketDuplicate("web", percent=100),
        PacketCorrupt("web", percent=0.1),
        PacketReorder("web", percent=50, delay_ms=5),
    ],
    ids=lambda f: f.kind,
)
def test_packets_should_be_treated_as_asked_when_the_kernel_can_do_that(
    shop: Shop, fault: Fault
) -> None:
    stack, control = shop.stack, shop.control
    image = control.stack.settings.tools_image
    command = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "duplicate", "1%"]
    tried = Engine().run_alone(image, command, {"HostConfig": {"CapAdd": ["NET_ADMIN"]}})
    if tried.exit_code:
        with pytest.raises(NotPossibleError) as caught, on(control, fault):
            pass
        assert str(caught.value) == (
            f"fault {fault.name}: the kernel has no sch_netem\n  {tried.output.strip()}"
        )
    else:
        with on(control, fault) as seen:
            started_s = monotonic()
            assert get(stack, "http://web:8000/big") == str(BIG_BYTES)
            took_s = monotonic() - started_s
        assert took_s > 0.5 or not isinstance(fault, PacketDelay)
        assert re.fullmatch(r"\d+ packets came through it", seen[0])
    assert left(control) == []


WRONG = [
    (PacketLoss("web", percent=0),
     "percent cannot be 0\n  it is a number from 0.001 to 100"),
    (PacketLoss("web", percent=101),
     "percent cannot be 101\n  it is a number from 0.001 to 100"),
    (PacketLoss("web", percent=float("nan")),
     "percent cannot be nan\n  it is a number from 0.001 to 100"),
    (PacketLoss("web", percent="5"),
     "percent cannot be '5'\n  it is a number from 0.001 to 100"),
    (PacketLoss("web", percent=5, port=0),
     "port cannot be 0\n  it is a whole number from 1 to 65535"),
    (PacketBlock("web", port=70000),
     "port cannot be 70000\n  it is a whole number from 1 to 65535"),
    (PacketBlock("web", port=80, direction="up"),
     'direction cannot be \'up\'\n  it is "to", "from" or "both"'),
    (PacketRate("web", kbit_s=0),
     "kbit_s cannot be 0\n  it is a whole number from 1 to 10000000"),
    (PacketDelay("web", delay_ms=-1),
     "delay_ms cannot be -1\n  it is a whole number from 1 to 600000"),
    (PacketDelay("web", delay_ms=1, jitter_ms=0.5),
     "jitter_ms cannot be 0.5\n  it is a whole number from 0 to 600000"),
    (PacketReorder("web", percent=5, delay_ms=0),
     "delay_ms cannot be 0\n  it is a whole number from 1 to 600000"),
    (PacketCorrupt("web", percent=-1),
     "percent cannot be -1\n  it is a number from 0.001 to 100"),
    (PacketDuplicate("web", percent=True),
     "percent cannot be True\n  it is a number from 0.001 to 100"),
]  # fmt: skip


def test_an_argument_should_be_refused_when_it_cannot_be(shop: Shop) -> None:
    control = shop.control
    for fault, text in WRONG:
        with pytest.raises(ConfigError) as caught:
            fault.validate_kind(control)
        assert str(caught.value) == f"fault {fault.name}: {text}"


def test_a_service_should_be_refused_when_its_packets_cannot_be_told_from_others(
    tiny: Tiny,
) -> None:
    shared = {**CALLER, "network_mode": "host"}
    tiny.with_tools()
    several = {**CALLER, "deploy": {"replicas": 2}}
    with ready(tiny, shared=shared, several=several, none=idle()) as (_, control):
        for name, text in {
            "shared": "it shares the network of the machine, which would break too",
            "several": "packets are broken beside one container: this service has 2",
        }.items():
            with pytest.raises(NotPossibleError) as caught:
                PacketLoss(name, percent=10).validate_kind(control)
            assert str(caught.value) == f"fault packet_loss {name}: {text}"
        with on(control, PacketRate("none", kbit_s=10)) as seen:
            pass
        assert seen == [""]


def test_a_test_should_be_skipped_with_the_reason_when_a_kind_is_not_possible(tiny: Tiny) -> None:
    tiny.with_tools()
    tiny.compose(shared={**CALLER, "network_mode": "host"}, web=server(healthcheck=LISTENS))
    tiny.tests("""
        import httpx
        import pytest

        def test_blocked(stack, faults):
            with faults.packet_block("web", port=8000), pytest.raises(httpx.HTTPError):
                httpx.get(stack["web"].url, timeout=0.2)

        def test_not_possible(stack, faults):
            with faults.packet_loss("shared", percent=100):
                raise AssertionError("the machine's packets are lost")

        def test_met_nothing(stack, faults):
            with faults.packet_block("web", port=9):
                pass
    """)
    result = tiny.run("-rs")
    result.assert_outcomes(passed=2, skipped=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*the fault packet_block web:9 met no traffic*",
            "SKIPPED*fault packet_loss shared: it shares the network of the machine*",
        ]
    )
