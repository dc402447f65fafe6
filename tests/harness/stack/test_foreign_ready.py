"""When a service of somebody else's project is ready, done or dead: as its author meant it."""

from __future__ import annotations

import re
import socket
from contextlib import closing
from typing import Any

import pytest
from tiny import IMAGE, LISTENS, Service, Tiny, check, docker, idle, inspect, server

from nomock.errors import ConfigError, NotReadyError, ServiceDiedError
from nomock.project import Project, ServiceConfig, intention
from nomock.readiness.ends import judge_end
from nomock.target import ExitState

PORTS = [{"target": 8000, "protocol": "tcp"}]
CHECK = {"test": ["CMD", "true"]}


def ended(**how: Any) -> ExitState:
    """A container that ended well, was never healthy and is not started again."""
    usual: dict[str, Any] = {
        "exit_code": 0,
        "out_of_memory": False,
        "perhaps_out_of_memory": False,
        "restarts": 0,
        "restart_policy": "no",
        "ran_s": 1.0,
        "lives_again": False,
        "was_healthy": False,
        "finished_at": "",
    }
    return ExitState(**{**usual, **how})


def started(tiny: Tiny, **options: Any) -> dict[str, str]:
    """Make a stack ready and return its containers; a second look must find nothing to do."""
    stack = tiny.stack(**options)
    stack.prepare()
    assert stack.differences() == {}
    stack.close()
    return tiny.containers()


def warm(tiny: Tiny, docker_calls: Any, **options: Any) -> None:
    """A second run must take the same containers, as they are, and start nothing."""
    before = {id_: inspect(id_)["State"]["StartedAt"] for id_ in tiny.containers().values()}
    docker_calls.write_text("", encoding="utf-8")
    started(tiny, **options)
    assert docker_calls.read_text(encoding="utf-8") == ""
    assert {i: inspect(i)["State"]["StartedAt"] for i in tiny.containers().values()} == before


def lost(tiny: Tiny, **options: Any) -> str:
    stack = tiny.stack(**options)
    with pytest.raises(ServiceDiedError) as caught:
        stack.prepare()
    stack.close()
    return tiny.plain(str(caught.value))


@pytest.mark.parametrize(
    ("config", "replicas"),
    [
        ({}, 1),
        ({"scale": 0}, 0),
        ({"deploy": {"replicas": 0}}, 0),
        ({"deploy": {"replicas": 3}}, 3),
        ({"scale": 2, "deploy": {"replicas": 0}}, 2),
        ({"deploy": {"mode": "global"}}, 1),
        ({"deploy": {"mode": "replicated", "replicas": None}}, 1),
    ],
)
def test_a_service_should_have_as_many_containers_as_compose_gives_it_when_it_is_scaled(
    config: dict[str, Any], replicas: int
) -> None:
    assert intention.replicas(config) == replicas


@pytest.mark.parametrize(
    ("healthcheck", "counts"),
    [
        (None, False),
        ({}, False),
        (CHECK, True),
        ({**CHECK, "disable": True}, False),
        ({"disable": True}, False),
        ({"test": ["NONE"]}, False),
        ({"test": []}, False),
        ({"interval": "3s"}, False),
    ],
)
def test_a_healthcheck_should_count_only_when_it_asks_something(
    healthcheck: dict[str, Any] | None, counts: bool
) -> None:
    assert intention.has_healthcheck({"healthcheck": healthcheck}) is counts


@pytest.mark.parametrize(
    ("config", "ports"),
    [
        ({"ports": PORTS}, [8000]),
        ({"ports": [*PORTS, {"target": 53, "protocol": "udp"}]}, [8000]),
        ({"expose": ["9000"]}, []),
        (
            {"network_mode": "host", "ports": PORTS, "expose": ["9000", "53/udp", "7-8"]},
            [8000, 9000],
        ),
        ({"network_mode": "host"}, []),
        ({"network_mode": "none", "ports": PORTS}, []),
    ],
)
def test_a_port_should_count_only_when_it_can_be_reached(
    config: dict[str, Any], ports: list[int]
) -> None:
    assert intention.tcp_ports(config) == ports


SERVER = "exited with code 0, but it is a server"
DONE = "ended with 0"


@pytest.mark.parametrize(
    ("config", "how", "probe", "seen"),
    [
        ({}, {}, None, DONE),
        ({"healthcheck": CHECK}, {}, None, DONE),
        ({"healthcheck": CHECK, "restart": "no"}, {"was_healthy": True}, None, DONE),
        ({"restart": "on-failure:3"}, {"restart_policy": "on-failure"}, None, DONE),
        (
            {"deploy": {"restart_policy": {"condition": "none"}}},
            {"was_healthy": True},
            None,
            DONE,
        ),
        (
            {"healthcheck": CHECK},
            {"was_healthy": True},
            None,
            "exited with code 0, but it was healthy before",
        ),
        ({"ports": PORTS}, {}, None, SERVER),
        ({"ports": PORTS}, {}, "none", DONE),
        ({"ports": PORTS}, {}, "done", DONE),
        ({}, {}, "tcp:8000", SERVER),
        ({}, {}, "health", SERVER),
        (
            {},
            {"restart_policy": "unless-stopped"},
            None,
            "exited with code 0, but it is to run: restart: unless-stopped",
        ),
        ({}, {"exit_code": 1, "restarts": 3}, None, "exited with code 1 after 3 restarts"),
        ({}, {"exit_code": 1}, "none", "exited with code 1"),
        ({}, {"exit_code": 1}, "done", "exited with code 1"),
    ],
)
def test_an_end_should_be_what_the_author_meant_when_a_container_has_ended(
    config: dict[str, Any], how: dict[str, Any], probe: str | None, seen: str
) -> None:
    service = ServiceConfig("one", config, "p")
    project = Project("p", (), {"one": service}, frozenset())
    verdict = judge_end(ended(**how), service, project, probe)
    assert verdict.seen == seen
    assert verdict.state == ("ready" if seen == DONE else "lost")


@pytest.mark.parametrize(
    ("condition", "seen"),
    [
        ("service_completed_successfully", DONE),
        ("service_healthy", "exited with code 0, but others wait for its health"),
    ],
)
def test_an_end_should_be_what_others_wait_for_when_they_do(
    tiny: Tiny, condition: str, seen: str
) -> None:
    tiny.compose(
        one=idle(healthcheck=LISTENS), other=idle(depends_on={"one": {"condition": condition}})
    )
    project = tiny.stack().project
    assert judge_end(ended(), project.service("one"), project, None).seen == seen


@pytest.mark.slow
def test_a_service_should_not_be_waited_for_when_it_is_scaled_to_0(
    tiny: Tiny, docker_calls: Any
) -> None:
    tiny.compose(
        web=server(), shell=idle(deploy={"replicas": 0}), later=idle(scale=0, healthcheck=LISTENS)
    )
    assert set(started(tiny)) == {"web"}
    warm(tiny, docker_calls)
    status = tiny.nomock("status")
    assert status.ret == 0
    status.stdout.fnmatch_lines(["later *scaled to 0 *as it should be", "web *as it should be"])
    assert tiny.nomock("up").outlines == [f"stack {tiny.name}: 1 services ready"]
    stack = tiny.stack()
    assert list(stack) == ["later", "shell", "web"]
    with pytest.raises(ConfigError) as caught:
        stack["shell"].logs()
    assert str(caught.value) == (
        "service shell: it is scaled to 0, so that nothing runs\n"
        "-> give it a container in the compose file: scale, or deploy: {replicas: 1}"
    )


@pytest.mark.slow
def test_all_replicas_should_be_there_when_a_service_has_several(tiny: Tiny) -> None:
    tiny.compose(web=server(deploy={"replicas": 3}, ports=["127.0.0.1::8000"]))
    started(tiny)
    stack = tiny.stack()
    first, *others = [c.id for c in stack.containers()]
    assert len(others) == 2
    stack.engine.remove(first)
    assert stack.differences() == {"web": "2 of 3 containers"}
    started(tiny)
    assert len(stack.containers()) == 3
    # One of them is as good as all of them when it is dead.
    stack.engine.kill(others[0])
    while "exited" not in {c.state for c in stack.containers()}:
        pass  # the engine's list is a little behind
    assert stack.differences() == {"web": "exited with code 137"}
    # Scaled down: what is left of before is no part of it.
    tiny.compose(web=server(deploy={"replicas": 0}), other=idle())
    assert tiny.stack().differences() == {"web": "scaled to 0", "other": "not running"}
    assert set(started(tiny)) == {"other"}


def test_a_container_should_be_nobodys_when_it_was_started_by_hand_from_a_services_image(
    tiny: Tiny,
) -> None:
    # Compose writes its labels on the images that it builds, too.
    tiny.write("app/Dockerfile", f"FROM {IMAGE}\n")
    tiny.compose(web=server(build="app"))
    stack = tiny.stack()
    stack.prepare()
    by_hand = docker("run", "--detach", f"{tiny.name}-web", "sleep", "600").strip()
    try:
        assert [c.id for c in stack.containers()] == [stack["web"].container_id]
        assert stack["web"].container_id != by_hand
        assert stack.differences() == {}
    finally:
        docker("rm", "--force", by_hand)
        stack.close()


@pytest.mark.slow
def test_a_service_should_be_waited_for_when_it_restarts_until_its_database_answers(
    tiny: Tiny,
) -> None:
    # As often as it takes: more often than a race would explain.
    tries = "echo try >> /data/tries; test $$(wc -l < /data/tries) -gt 4 || exit 1"
    tiny.write("data/any", "")
    mounted = ["./data:/data"]
    tiny.compose(
        till=server(before=tries, restart="always", volumes=mounted),
        rests=idle(
            tries.replace("tries", "more") + "; exec sleep infinity",
            restart="on-failure:9",
            volumes=mounted,
        ),
    )
    started(tiny)
    assert (tiny.path / "data/tries").read_text().count("try") == 5


def test_a_service_should_be_dead_at_once_when_its_tries_are_used_up(tiny: Tiny) -> None:
    policy = {"restart_policy": {"condition": "on-failure", "max_attempts": 2}}
    tiny.compose(
        one=idle("echo no; exit 9", deploy=policy), never=server(before="exec sleep infinity")
    )
    assert lost(tiny, timeout_s=110) == (
        "service one: exited with code 9 after 2 restarts\n  no\n  no\n  no\n"
        "-> see all of it: nomock logs one"
    )


WAITED_FOR = {"one": {"condition": "service_completed_successfully"}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "others"),
    [
        (idle("echo seeded", restart="unless-stopped"), {}),
        (idle("echo seeded", restart="always", healthcheck=LISTENS), {}),
        (idle("echo seeded", restart="always"), {"app": idle(depends_on=WAITED_FOR)}),
        (server(before="echo seeded; exit 0", restart="always"), {}),
    ],
    ids=["alone", "healthcheck by an anchor", "waited for", "with a port"],
)
def test_a_service_should_be_lost_when_it_ends_well_and_is_started_again_and_again(
    tiny: Tiny, service: Service, others: dict[str, Service]
) -> None:
    """No try of it will ever be its last one. A neighbour that is never ready does not hide it."""
    tiny.compose(one=service, never=server(before="exec sleep infinity"), **others)
    what, *log, todo = lost(tiny, timeout_s=110).splitlines()
    assert re.fullmatch(
        r"service one: restarts in a loop \(\d+ times\), exited with code 0, though it ended well: "
        r'one that is to end needs restart: on-failure, or "no"; one that is to begin again and '
        "again, the probe none",
        what,
    )
    assert set(log) == {"  seeded"}
    assert todo == "-> see all of it: nomock logs one"


@pytest.mark.slow
def test_a_service_that_works_again_and_again_should_be_ready_when_its_probe_is_none(
    tiny: Tiny,
) -> None:
    tiny.compose(one=idle("echo worked", restart="always"))
    started(tiny, probes={"one": "none"})
    while inspect(*tiny.containers().values())["RestartCount"] < 7:
        pass  # in the pause of three seconds before the next one, or in the next
    with closing(tiny.stack(probes={"one": "none"})) as stack:
        assert stack.differences() == {}


def test_a_one_shot_should_be_waited_for_and_then_left_alone_when_nothing_else_waits_for_it(
    tiny: Tiny, docker_calls: Any
) -> None:
    """Forms of it: a healthcheck inherited by an anchor, a job, a probe, an end that is awaited."""
    # None of them ends before all the others could be called ready.
    waits = "until test -e /data/go; do sleep 0.05; done; echo seeded"
    tiny.write("data/any", "")
    one = idle(waits, volumes=["./data:/data:ro"])
    web = server(healthcheck=check("exec 3<>/dev/tcp/127.0.0.1/8000 && touch /data/go"))
    tiny.compose(
        web={**web, "volumes": ["./data:/data"]},
        inherits={**one, "healthcheck": LISTENS, "restart": "no"},
        job={
            **one,
            "deploy": {"mode": "replicated-job", "restart_policy": {"condition": "on-failure"}},
        },
        named=one,
        published={**one, "network_mode": "bridge", "ports": ["127.0.0.1::9000"]},
        awaited=one,
        last=idle(depends_on={"awaited": {"condition": "service_completed_successfully"}}),
    )
    probes = {"named": "done", "published": "done"}
    started(tiny, probes=probes)
    stack = tiny.stack(probes=probes)
    names = ("inherits", "job", "named", "published", "awaited")
    assert {stack[name].logs() for name in names} == {"seeded"}
    warm(tiny, docker_calls, probes=probes)


def test_a_one_shot_should_be_lost_at_once_when_it_fails_in_spite_of_its_probe(tiny: Tiny) -> None:
    never = server(before="exec sleep infinity")
    tiny.compose(seed=idle("echo no table; exit 2", healthcheck=LISTENS), never=never)
    assert lost(tiny, probes={"seed": "done"}) == (
        "service seed: exited with code 2\n  no table\n-> see all of it: nomock logs seed"
    )


@pytest.mark.slow
def test_a_probe_should_replace_a_healthcheck_when_that_cannot_work(
    tiny: Tiny, docker_calls: Any
) -> None:
    tiny.write(
        "app/Dockerfile",
        f"FROM {idle()['image']}\n"
        "HEALTHCHECK --interval=100ms --retries=1 CMD curl -f http://127.0.0.1:8000/\n",
    )
    web = server(build={"context": "app"})
    tiny.compose(web=web, own=server(healthcheck=check("exit 7", interval="100ms", retries=1)))
    own = {"own": "tcp:8000"}
    # Without a probe for it: the healthcheck's own words, and how to ask it otherwise.
    first, said, *_, last = lost(tiny, probes=own).splitlines()
    assert first == "service web: turned unhealthy"
    assert said == "  its healthcheck ended with 127: /bin/sh: 1: curl: not found"
    assert last == (
        "-> see all of it: nomock logs web; its image brings that healthcheck; to ask it "
        'otherwise: probes = { web = "tcp:PORT" } in [tool.nomock]'
    )
    probes = {**own, "web": "http:8000/"}
    started(tiny, probes=probes)
    stack = tiny.stack(probes=probes)
    for container in tiny.containers().values():
        while inspect(container)["State"]["Health"]["Status"] == "starting":
            pass
        assert inspect(container)["State"]["Health"]["Status"] == "unhealthy"
    assert stack.differences() == {}
    assert tiny.stack(probes={**own, "web": "none"}).differences() == {}
    stack["web"].restart()
    assert stack["web"].http.get("/").status_code == 200
    warm(tiny, docker_calls, probes=probes)


def test_the_healthchecks_words_should_be_told_when_it_has_not_passed_in_time(tiny: Tiny) -> None:
    never = check("echo no table yet; exit 3", retries=1000)
    tiny.compose(db=idle("echo sits; exec sleep infinity", healthcheck=never))
    stack = tiny.stack(timeout_s=6)
    with pytest.raises(NotReadyError) as caught:
        stack.prepare()
    stack.close()
    lines = str(caught.value).splitlines()
    assert lines[1].startswith("  db: health: starting (asked ")
    assert lines[2:5] == [
        "  its healthcheck ended with 3: no table yet",
        "  the last that db logged:",
        "  sits",
    ]


def test_a_healthcheck_should_not_be_waited_for_when_the_compose_file_switches_it_off(
    tiny: Tiny,
) -> None:
    tiny.write("app/Dockerfile", f"FROM {idle()['image']}\nHEALTHCHECK CMD exit 1\n")
    one = idle(build={"context": "app"}, image=f"{tiny.name}-one")
    tiny.compose(
        disabled={**one, "healthcheck": {"disable": True}},
        none={**one, "healthcheck": {"test": ["NONE"]}},
        empty=idle(healthcheck={"test": []}),
    )
    started(tiny)


def test_a_service_should_be_asked_on_the_hosts_ports_when_it_is_in_the_hosts_network(
    tiny: Tiny, docker_calls: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as two:
        published, exposed = one.getsockname()[1], two.getsockname()[1]
    host: Service = {"network_mode": "host"}
    waits = "until test -e /data/go; do sleep 0.05; done"
    mounted = {"volumes": ["./data:/data:ro"]}
    tiny.write("data/any", "")
    tiny.compose(
        till=server(published, waits, ports=[f"{published}:{published}"], **host, **mounted),
        bare=server(exposed, waits, ports=[], expose=[exposed], **host, **mounted),
        named=idle(network_mode="host"),
    )
    stack = tiny.stack(probes={"named": f"http:{exposed}/"})

    def release(step: str) -> None:
        # Asked, and closed: each of them.
        if f"till (port {published}" in step and "bare (" in step and "named (" in step:
            tiny.write("data/go", "")

    stack.prepare(release)
    assert stack["till"].url == f"http://127.0.0.1:{published}"
    assert stack["bare"].http.get("/").status_code == 200
    assert stack["named"].port(exposed) == exposed
    with pytest.raises(ConfigError) as caught:
        _ = stack["named"].url
    assert str(caught.value).endswith("on the host's network: .address(PORT)")
    stack.close()
    warm(tiny, docker_calls, probes={"named": f"http:{exposed}/"})


def test_a_service_should_be_asked_where_its_port_is_published_when_it_shares_a_network(
    tiny: Tiny, docker_calls: Any
) -> None:
    vpn = idle(network_mode="bridge", ports=["127.0.0.1::9000"])
    behind = server(9000, ports=[], network_mode="service:vpn")
    tiny.compose(vpn=vpn, behind=behind, closed=idle())
    probes = {"behind": "http:9000/"}
    started(tiny, probes=probes)
    stack = tiny.stack(probes=probes)
    port = stack["vpn"].port(9000)
    assert stack["vpn"].http.get("/").status_code == 200
    for ask in (lambda: stack["behind"].url, lambda: stack["behind"].port(9000)):
        with pytest.raises(ConfigError) as caught:
            ask()
        assert str(caught.value) == (
            "service behind: it is in the network of vpn, which publishes its ports\n"
            "  network_mode: service:vpn\n"
            "-> ask stack['vpn']: its url, or its port(PORT)"
        )
    with pytest.raises(ConfigError, match="network_mode: none"):
        _ = stack["closed"].url
    stack["behind"].restart()
    assert stack["vpn"].port(9000) == port
    assert stack["vpn"].http.get("/").status_code == 200
    warm(tiny, docker_calls, probes=probes)


def test_the_death_should_be_the_error_when_a_service_ends_before_the_last_is_ready(
    tiny: Tiny,
) -> None:
    """It ran on for longer than one that can be asked nothing is looked at."""
    tiny.write("data/any", "")
    mounted = ["./data:/data"]
    dies = "until test -e /data/die; do sleep 0.05; done; echo no url; exit 4"
    late = "until test -e /data/die; do sleep 0.05; done"
    tiny.compose(api=idle(dies, volumes=mounted), web=server(before=late, volumes=mounted))
    stack = tiny.stack()

    def release(step: str) -> None:
        if step.startswith("1/2 ready"):
            tiny.write("data/die", "")

    with pytest.raises(ServiceDiedError) as caught:
        stack.prepare(release)
    stack.close()
    assert str(caught.value).startswith("service api: exited with code 4\n  no url\n")


@pytest.mark.parametrize("slow", ["", "sum(i * i for i in range(3 * 10**6)); "])
def test_a_service_should_be_dead_before_the_first_test_when_it_cannot_start(
    tiny: Tiny, slow: str
) -> None:
    """As one does whose variable is not set: right after Python has started, or its imports."""
    program = f"import os, time; {slow}os.environ['URL'].split('@')[1]; time.sleep(99)"
    api = idle(environment={"URL": "$NOWHERE_SET"})
    tiny.compose(api={**api, "command": ["python3", "-c", program]})
    tiny.tests("def test_x(stack): pass")
    done = tiny.run()
    assert done.ret == 6
    warning = 'The "NOWHERE_SET" variable is not set. Defaulting to a blank string.'
    done.stdout.fnmatch_lines(
        [
            f"compose warns: {warning}",
            "*service api: exited with code 1*",
            f"*compose warned: {warning}",
            "*IndexError*",
        ]
    )
    assert str(done.stdout).count("compose warns") == 1


def test_a_service_that_restarts_should_be_waited_for_when_a_run_meets_it_between_two_ends(
    tiny: Tiny,
) -> None:
    """It can be asked nothing, and runs at this moment."""
    tiny.write("data/any", "")
    falls = "test ! -e /data/fall || { rm /data/fall; exit 1; }"
    loop = f"while {falls}; do sleep 0.05; done"
    tiny.compose(one=idle(loop, restart="always", volumes=["./data:/data"]))
    (one,) = started(tiny).values()
    began = inspect(one)["State"]["StartedAt"]
    tiny.write("data/fall", "")
    while inspect(one)["State"]["StartedAt"] == began or not inspect(one)["State"]["Pid"]:
        pass
    with closing(tiny.stack()) as stack:
        assert stack.differences() == {"one": "was restarted a moment ago"}
        stack.wait_ready()
    assert tiny.states() == {"one": "running"}
