"""When a stack is ready, and what is said at once when it cannot become so."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest
from stores import POSTGRES
from tiny import Service, Tiny, check, docker, idle, inspect, server

from nomock.adapters.engine.container import container_of
from nomock.adapters.engine.locator import Locator
from nomock.adapters.postgres import is_starting
from nomock.errors import NotReadyError, ServiceDiedError
from nomock.readiness import ProbeAnswer, ReadinessWatch, tcp
from nomock.readiness.listeners import explained
from nomock.readiness.wait import wait_until_ready
from nomock.target import Container

NUMBERS = "\n".join(f"  {n}" for n in range(6, 26))


def error_of(tiny: Tiny, step: Callable[[str], object] = len, **options: Any) -> str:
    """Return the text of the error that a start-up ends with."""
    stack = tiny.stack(**options)
    with pytest.raises(NotReadyError) as caught:
        stack.prepare(step)
    stack.close()
    return tiny.plain(str(caught.value))


def ready(tiny: Tiny, meanwhile: Callable[[str], object] = len, **options: Any) -> list[str]:
    """Return the steps of a start-up that ends well; ``meanwhile`` is told of each at once."""
    steps: list[str] = []

    def step(text: str) -> None:
        steps.append(text)
        meanwhile(text)

    stack = tiny.stack(**options)
    stack.prepare(step)
    assert stack.differences() == {}
    stack.close()
    return steps


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "what", "log"),
    [
        (idle("seq 25; exit 3"), "exited with code 3", NUMBERS),
        (idle("exit 4"), "exited with code 4", "  (it logged nothing)"),
        (
            server(before="echo done; exit 0"),
            "exited with code 0, but it is a server",
            "  done",
        ),
        (
            idle("echo full; kill -9 $$$$", mem_limit="32m"),
            "was killed, perhaps for memory (exit code 137)",
            "  full",
        ),
        (
            idle(
                "echo sick; exec sleep infinity",
                healthcheck=check("exit 1", interval="100ms", retries=1, start_period="0s"),
            ),
            "turned unhealthy",
            "  sick",
        ),
        (
            idle(
                "echo slow; exec sleep infinity",
                healthcheck={"test": "exit 1", "interval": "100ms", "retries": 1},
            ),
            "turned unhealthy\n  that healthcheck has no start_period: where it is only slow to "
            "start, give it one",
            "  slow",
        ),
    ],
    ids=["exit 3", "silent", "server that ends", "killed", "unhealthy", "slow"],
)
def test_the_run_should_fail_at_once_and_say_what_was_logged_when_a_service_is_lost(
    tiny: Tiny, service: Service, what: str, log: str
) -> None:
    # A neighbour that never gets ready: only the lost one may end the wait.
    tiny.compose(lost=service, never=server(before="sleep infinity"))
    assert error_of(tiny, timeout_s=60) == (
        f"service lost: {what}\n{log}\n-> see all of it: nomock logs lost"
    )


def test_memory_should_be_named_when_the_engine_saw_that_there_was_none(tiny: Tiny) -> None:
    eats = "python3 -c 'print(len(b\"x\" * (1 << 29)))'"
    tiny.compose(
        lost=idle(
            f"exec 2>&1; echo eats; {eats}; until test -e /tmp/told; do sleep 0.1; done; exit 137",
            mem_limit="32m",
            memswap_limit="32m",
            healthcheck=check("test -e /tmp/never"),
        )
    )

    told: list[str] = []

    def wait_for_the_engine(step: str) -> None:
        # The kernel tells it beside the container's end: on a busy machine, after it.
        if "lost (health: starting)" in step and not told:
            id_ = tiny.containers()["lost"]
            while not inspect(id_)["State"]["OOMKilled"]:
                pass
            told.append(docker("exec", id_, "touch", "/tmp/told"))

    assert error_of(tiny, wait_for_the_engine, timeout_s=60) == (
        "service lost: was killed for memory (exit code 137)\n  eats\n  Killed\n"
        "-> see all of it: nomock logs lost"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "service",
    [server(before="echo up; exit 7", restart="always"), idle("echo up; exit 7", restart="always")],
    ids=["with a port", "without a port"],
)
def test_the_loop_should_be_named_at_the_deadline_when_a_restart_policy_goes_on_trying(
    tiny: Tiny, service: Service
) -> None:
    # The first by its name waits for it, but the one that loops is the cause.
    tiny.compose(loops=service, a=idle(healthcheck=check("test -e /tmp/never")))
    first, waits, how, said, *log, last = error_of(tiny, timeout_s=12).splitlines()
    assert first == "stack NAME: a, loops not ready after 12 s"
    assert waits.startswith("  a: health: starting (asked ")
    loop = r"restarts in a loop \(\d+ times\), exited with code 7"
    assert re.fullmatch(rf"  loops: (port 8000 \w+; )?{loop} \(asked \d+ times\)", how)
    assert said == "  the last that loops logged:"
    assert set(log) == {"  up"}
    assert last == "-> nomock logs loops; more time: timeout_s in [tool.nomock]"


def test_the_one_that_died_should_be_named_when_another_waits_for_it(tiny: Tiny) -> None:
    depends = {"once": {"condition": "service_completed_successfully"}}
    tiny.compose(once=idle("echo no schema; exit 3"), app=idle(depends_on=depends))
    assert error_of(tiny) == (
        "service once: exited with code 3\n  no schema\n-> see all of it: nomock logs once"
    )


def test_the_new_death_should_be_named_when_another_service_had_died_before(tiny: Tiny) -> None:
    depends = {"once": {"condition": "service_completed_successfully"}}
    tiny.compose(once=idle("true"), app=idle(depends_on=depends))
    ready(tiny)
    docker("kill", tiny.containers()["app"])
    tiny.compose(once=idle("echo no; exit 3"), app=idle(depends_on=depends))
    assert error_of(tiny) == (
        "service once: exited with code 3\n  no\n-> see all of it: nomock logs once"
    )


def test_a_port_should_not_be_ready_when_only_the_engine_opened_it(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However busy the engine's proxy is: what is silent for a while is not what is asked here.
    monkeypatch.setattr(tcp, "_SURER_SILENCE_S", 60.0)
    tiny.compose(web=server(before="sleep infinity"))
    ready(tiny, probes={"web": "none"})  # it runs, so that nothing but the port is waited for
    stack = tiny.stack(timeout_s=3)
    with pytest.raises(NotReadyError) as caught:
        stack.wait_ready()
    port = stack["web"].port(8000)
    stack.close()
    socket.create_connection(("127.0.0.1", port), 2).close()  # the engine's proxy does accept
    assert re.sub(r"\d+ times", "N times", tiny.plain(str(caught.value))) == (
        "stack NAME: web not ready after 3 s\n"
        "  web: port 8000 closed (asked N times)\n"
        "  web: nothing in it listens on a port yet\n"
        "  the last that web logged:\n"
        "  (it logged nothing)\n"
        "-> nomock logs web; more time: timeout_s in [tool.nomock]"
    )


@pytest.mark.parametrize(
    ("address", "port", "said"),
    [
        (
            "127.0.0.1",
            8000,
            "it listens on 127.0.0.1:8000 only, which nobody outside its container reaches: let it "
            "listen on 0.0.0.0",
        ),
        ("0.0.0.0", 5000, "it does not listen on 8000, but on 0.0.0.0:5000"),
    ],
)
def test_what_a_service_listens_on_should_be_told_when_it_is_not_its_port(
    tiny: Tiny, address: str, port: int, said: str
) -> None:
    command = ["python3", "-m", "http.server", "--bind", address, str(port)]
    listens = check(f"exec 3<>/dev/tcp/127.0.0.1/{port}")
    tiny.compose(web=server(command=command, healthcheck=listens))
    ready(tiny)  # by its health: it does listen now
    stack = tiny.stack(timeout_s=1, probes={"web": "tcp:8000"})
    with pytest.raises(NotReadyError) as caught:
        stack.wait_ready()
    stack.close()
    assert f"  web: {said}\n" in str(caught.value)


def test_listeners_should_be_told_when_the_tables_of_the_kernel_are_read() -> None:
    columns = "  sl  local_address rem_address   st tx_queue\n"
    tables = (
        f"{columns}   0: 0B00007F:B2F5 00000000:0000 0A 00000000:00000000\n"
        "   1: 0100007F:22B8 0100007F:1F40 01 00000000:00000000\n"
        f"{columns}   0: {'0' * 24}01000000:1388 {'0' * 32}:0000 0A 00000000:00000000\n"
    )
    assert explained(tables, 8000) == "it does not listen on 8000, but on [::1]:5000"
    assert explained(tables, 5000).startswith("it listens on [::1]:5000 only")
    assert explained(columns, 8000) == "nothing in it listens on a port yet"


def published_by(listens: socket.socket) -> Container:
    """Return a container of which port 8000 is published where a socket of this process listens."""
    port = {"IP": "127.0.0.1", "PrivatePort": 8000, "Type": "tcp"}
    port["PublicPort"] = listens.getsockname()[1]
    found = {"Id": "id", "Labels": {}, "Image": "image", "ImageID": "id", "Created": 0}
    found |= {"State": "running", "Status": "Up 2 s", "Ports": [port]}
    return container_of(found, Locator("unix:///var/run/docker.sock"))


def test_the_last_sure_answer_of_a_port_should_be_told_when_it_is_silent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tcp, "_SURE_SILENCE_S", 60.0)
    with socket.create_server(("127.0.0.1", 0)) as listens:
        web = published_by(listens)
        probe = tcp.Tcp(8000, lambda container, port: None)
        assert probe.ask(web, sure=True) == ProbeAnswer(False, "port 8000 accepts")
        listens.accept()[0].close()
        assert probe.ask(web, sure=True) == ProbeAnswer(False, "port 8000 closed")
        assert probe.ask(web, sure=True) == ProbeAnswer(False, "port 8000 closed")
        with listens.accept()[0] as connection:
            assert probe.ask(web, sure=True) == ProbeAnswer(False, "port 8000 closed")
            connection.sendall(b"220 ready")
            assert probe.ask(web, sure=True) == ProbeAnswer(True, "port 8000 open")


@pytest.mark.parametrize(("listens", "is_ready"), [(True, True), (False, False), (None, False)])
def test_the_container_should_be_asked_when_a_port_accepts_and_is_silent(
    monkeypatch: pytest.MonkeyPatch, listens: bool | None, is_ready: bool
) -> None:
    monkeypatch.setattr(tcp, "_SURE_SILENCE_S", 60.0)
    monkeypatch.setattr(tcp, "_SURER_SILENCE_S", 60.0)
    asked: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as socket_of_ours:
        web = published_by(socket_of_ours)
        probe = tcp.Tcp(8000, lambda container, port: asked.append(port) or listens)
        assert probe.ask(web, sure=True).ready == is_ready
        assert probe.ask(web, sure=True).ready == is_ready
        assert asked == [8000]  # of one connection once


def test_a_service_should_be_ready_by_its_probe_when_one_is_named(tiny: Tiny) -> None:
    tiny.compose(web=server())
    ready(tiny)  # by its port
    ready(tiny, probes={"web": "tcp:8000"})
    ready(tiny, probes={"web": "http:8000/"})
    stack = tiny.stack(probes={"web": "http:8000/missing"})
    assert stack.differences() == {"web": "GET :8000/missing: 404"}
    stack = tiny.stack(probes={"web": "http:9/"})
    assert stack.differences() == {"web": "port 9 is not published"}
    stack = tiny.stack(probes={"web": "health"})
    assert stack.differences() == {"web": "health: none"}


def test_a_service_should_be_ready_as_soon_as_it_runs_when_its_probe_is_none(tiny: Tiny) -> None:
    tiny.compose(web=server(before="sleep infinity"))
    ready(tiny, probes={"web": "none"})


def test_all_should_be_ready_when_each_is_in_its_own_way(tiny: Tiny) -> None:
    healthy = check("test -e /data/go")
    depends = {
        "once": {"condition": "service_completed_successfully"},
        "slow": {"condition": "service_healthy"},
    }
    mounted = ["./data:/data:ro"]
    tiny.write("data/any", "")
    tiny.compose(
        once=idle("until test -e /data/go; do sleep 0.1; done", volumes=mounted),
        slow=idle(healthcheck=healthy, volumes=mounted),
        last=idle(depends_on=depends),
    )

    def release(step: str) -> None:
        if step.startswith("0/3 ready"):
            tiny.write("data/go", "")

    steps = ready(tiny, release)
    assert steps[0] == "starting last (not running), once (not running), slow (not running)"
    assert steps[1].startswith("0/3 ready; waiting for ")
    assert inspect(tiny.containers()["slow"])["State"]["Health"]["Status"] == "healthy"


def test_a_healthcheck_of_the_image_should_count_when_the_compose_file_has_none(
    tiny: Tiny,
) -> None:
    tiny.write(
        "app/Dockerfile",
        f"FROM {idle()['image']}\n"
        "HEALTHCHECK --interval=5s --start-period=9s --start-interval=200ms CMD test -e /tmp/ok\n",
    )
    one = idle("sleep 0.5; touch /tmp/ok; exec sleep infinity", build={"context": "app"})
    tiny.compose(one=one)
    ready(tiny)
    assert inspect(tiny.containers()["one"])["State"]["Health"]["Status"] == "healthy"


def test_a_container_should_not_be_lost_when_the_start_up_that_goes_on_may_replace_it(
    tiny: Tiny,
) -> None:
    tiny.compose(one=idle())
    ready(tiny)
    stack = tiny.stack()
    watch = ReadinessWatch(stack.engine, stack.project)
    with pytest.raises(NotReadyError, match="docker compose has not finished after"):
        at_once = ReadinessWatch(stack.engine, stack.project, {"one": "none"})
        wait_until_ready(at_once, None, deadline=monotonic(), finished=lambda: False)
    (id_,) = tiny.containers().values()
    docker("kill", id_)
    ended = inspect(id_)["State"]["FinishedAt"]
    containers = stack.containers()
    for before, state in (
        ({}, "lost"),
        ({id_: None}, "waiting"),
        ({id_: ended}, "waiting"),
        ({id_: "0001-01-01T00:00:00Z"}, "lost"),
    ):
        assert watch.judge(containers, before=before)["one"].state == state
    docker("rm", "-f", id_)
    assert watch.judge(containers)["one"].seen == "no container"


def test_a_paused_service_should_be_named_when_a_run_finds_it(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    ready(tiny)
    docker("pause", tiny.containers()["one"])
    with pytest.raises(ServiceDiedError) as caught:
        tiny.stack().wait_ready()
    assert str(caught.value).splitlines()[0] == "service one: is paused"


def test_a_database_should_not_be_ready_when_only_its_own_container_reaches_it(tiny: Tiny) -> None:
    # What makes the data goes on until the healthcheck, by the socket, has passed some times.
    asks = "pg_isready --quiet && echo >>/tmp/passed"
    tiny.write("init/wait.sh", "until [ $(wc -l </tmp/passed) -gt 3 ]; do sleep 0.05; done\n")
    volumes = ["./init:/docker-entrypoint-initdb.d:ro"]
    tiny.compose(
        db={
            **POSTGRES,
            "healthcheck": check(asks, interval="300ms"),
            "volumes": volumes,
        }
    )
    steps: list[str] = []
    stack = tiny.stack()
    stack.prepare(steps.append)
    with stack.postgres.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    stack.close()
    assert any("db (healthy, but nothing in it listens on 5432 yet)" in step for step in steps)


def test_a_server_should_be_called_starting_when_it_answers_that_it_lets_nobody_in(
    tiny: Tiny,
) -> None:
    # A standby that no reader may ask lets nobody in for ever.
    tiny.write("init/standby.sh", "touch $PGDATA/standby.signal\n")
    command = ["postgres", "-c", "hot_standby=off"]
    volumes = ["./init:/docker-entrypoint-initdb.d:ro"]
    db = {name: of for name, of in POSTGRES.items() if name != "healthcheck"}
    tiny.compose(db={**db, "command": command, "volumes": volumes}, sound=POSTGRES)
    stack = tiny.stack()
    stack.prepare()
    assert is_starting(stack["db"].address(5432))
    assert not is_starting(stack["sound"].address(5432))
    assert not is_starting(("127.0.0.1", 9))  # nobody is there
    stack.close()
