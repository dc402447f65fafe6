"""Lanes: each worker of xdist has what it needs of the stack for itself."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from stores import POSTGRES
from tiny import Tiny, ask, idle, server

from nomock import names

# What each worker's test saw: its stack's name and the ids of its containers.
SEEN = """
    import json, os, pytest

    @pytest.mark.parametrize("n", range({count}))
    def test_seen(stack, n):
        ids = sorted(c.id for c in stack.containers())
        with open("seen", "a") as seen:
            seen.write(json.dumps([stack.name, ids]) + "\\n")
"""


def _seen(tiny: Tiny) -> dict[str, list[str]]:
    """Return the stacks that the tests saw since this was asked last: name -> containers."""
    path = tiny.path / "seen"
    found: dict[str, list[str]] = dict(json.loads(x) for x in path.read_text().splitlines())
    path.unlink()
    return found


def _projects(tiny: Tiny) -> set[str]:
    """Return the compose projects of a test that have containers."""
    found = {
        (c["Labels"] or {}).get("com.docker.compose.project", "")
        for c in ask("GET", "/containers/json", all="1")
    }
    return {name.replace(tiny.name, "NAME") for name in found if name.startswith(tiny.name)}


def test_each_worker_should_have_a_stack_of_its_own_that_stays_warm_when_lanes_are_stacks(
    tiny: Tiny, docker_calls: Path
) -> None:
    tiny.compose(one=idle(), two=idle())
    tiny.tests(SEEN.format(count=1))
    tiny.run("-n2", "--dist=each", "--lanes=stack").assert_outcomes(passed=2)
    first = _seen(tiny)
    assert {name.replace(tiny.name, "NAME") for name in first} == {"NAME", "NAME-lane2"}
    assert len({id_ for ids in first.values() for id_ in ids}) == 4
    docker_calls.write_text("")
    tiny.run("-n2", "--dist=each", "--lanes=stack").assert_outcomes(passed=2)
    assert _seen(tiny) == first
    assert docker_calls.read_text() == ""


@pytest.mark.slow
def test_a_lane_should_have_the_new_image_when_the_source_of_a_service_changes(tiny: Tiny) -> None:
    tiny.write("app/said", "first")
    tiny.write("app/Dockerfile", f"FROM {idle()['image']}\nCOPY said /said\n")
    tiny.compose(built=idle(build="app"))
    tiny.tests("""
        def test_said(stack):
            with open("seen", "a") as seen:
                seen.write(f"{stack.name} {stack['built'].exec('cat', '/said')}\\n")
    """)
    for said in ("first", "second"):
        tiny.write("app/said", said)
        (tiny.path / "seen").unlink(missing_ok=True)
        tiny.run("-n2", "--dist=each", "--lanes=stack").assert_outcomes(passed=2)
        lines = (tiny.path / "seen").read_text().splitlines()
        assert sorted(lines) == [f"{tiny.name} {said}", f"{tiny.name}-lane2 {said}"]
    images = {tag for i in ask("GET", "/images/json") for tag in i["RepoTags"] or []}
    assert f"{tiny.name}-built:latest" in images
    assert f"{tiny.name}-lane2-built:latest" not in images


@pytest.mark.slow
def test_data_should_be_a_lanes_own_when_volumes_and_networks_have_names(tiny: Tiny) -> None:
    tiny.compose_text(f"""
        name: {tiny.name}
        services:
          web:
            image: {server()["image"]}
            command: ["sh", "-c", "cd /data && exec python3 -m http.server 8000"]
            init: true
            stop_signal: SIGKILL
            ports: ["127.0.0.1::8000"]
            volumes: ["kept:/data"]
            networks: [inside]
        volumes:
          kept: {{name: {tiny.name}-kept}}
        networks:
          inside: {{name: {tiny.name}-inside}}
    """)
    tiny.tests("""
        def test_alone(stack):
            stack["web"].exec("sh", "-c", "echo $HOSTNAME >> /data/who")
            assert len(stack["web"].http.get("/who").text.split()) == 1
    """)
    tiny.run("-n2", "--dist=each", "--lanes=stack").assert_outcomes(passed=2)
    for name in ("kept",):
        ask("DELETE", f"/containers/{tiny.containers()['web']}", force="1")
        ask("DELETE", f"/volumes/{tiny.name}-{name}", force="1")


def test_a_marked_test_alone_should_have_a_lane_when_the_others_share_the_stack(
    tiny: Tiny,
) -> None:
    tiny.compose(one=idle())
    tiny.tests("""
        import pytest

        def note(stack):
            with open(f"on-{stack.name}", "a") as seen:
                seen.write("test\\n")

        def test_shared(stack): note(stack)

        @pytest.mark.lane("stack")
        class TestApart:
            def test_own(self, stack): note(stack)

            @pytest.mark.lane("shared")
            def test_nearer(self, stack): note(stack)
    """)
    tiny.run("-n2", "--dist=each").assert_outcomes(passed=6)
    seen = {
        p.name.replace(tiny.name, "NAME"): p.read_text().count("test")
        for p in tiny.path.glob("on-*")
    }
    assert seen == {"on-NAME": 4, "on-NAME-lane1": 1, "on-NAME-lane2": 1}


def test_every_test_should_have_the_stack_itself_when_nobody_is_beside_it(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    tiny.tests(SEEN.format(count=2))
    tiny.run("--lanes=stack").assert_outcomes(passed=2)
    assert set(_seen(tiny)) == {tiny.name}


def test_a_run_should_name_the_lines_that_stand_in_the_way_when_there_can_be_no_lanes(
    tiny: Tiny,
) -> None:
    tiny.compose_text(f"""services:
  web:
    image: {server()["image"]}
    container_name: {tiny.name}-the-one
    ports:
      - "127.0.0.1:39417:8000"
  db:
    image: {server()["image"]}
    volumes: ["./data:/data", "./read:/read:ro"]
""")
    tiny.tests(SEEN.format(count=2))
    result = tiny.run("-n2", "--lanes=stack")
    assert result.ret == 4
    text = tiny.plain(result.stderr.str())
    assert "this stack cannot be there twice, as lanes need it" in text
    assert "docker-compose.yml:4: web has the container_name NAME-the-one" in text
    assert "docker-compose.yml:6: web publishes 8000 at the fixed port 39417" in text
    assert "docker-compose.yml:9: db can write to DIR/data" in text
    assert 'publish at a port that the engine chooses: "127.0.0.1::8000"' in text
    assert "DIR/read" not in text
    assert text.count("cannot be there twice") == 1
    assert _projects(tiny) == set()


def test_a_run_should_say_how_many_lanes_fit_when_more_are_asked_for(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    tiny.tests(SEEN.format(count=2))
    tiny.write(f".nomock/memory-{tiny.name}.json", json.dumps({"bytes": 2**50}))
    result = tiny.run("-n2", "--lanes=stack")
    assert result.ret == 6
    result.stdout.fnmatch_lines(["*2 lanes do not fit into the memory*"])
    assert "1 fit: pytest -n 1" in result.stdout.str() + result.stderr.str()
    tiny.run("-nauto", "--lanes=stack").assert_outcomes(passed=2)
    assert set(_seen(tiny)) == {tiny.name}


def test_a_run_should_end_with_the_reason_once_when_a_lane_does_not_start(tiny: Tiny) -> None:
    # Compose tells each project its own name.
    tiny.compose(
        one=idle(
            "case $$PROJECT in *-lane2) exit 3;; esac; exec sleep infinity",
            environment={"PROJECT": "${COMPOSE_PROJECT_NAME}"},
        )
    )
    tiny.tests(SEEN.format(count=8))
    result = tiny.run("-n2", "--dist=each", "--lanes=stack")
    assert result.ret == 6
    text = tiny.plain(result.stdout.str())
    assert "= a lane is not ready =" in text
    assert (
        "stack NAME-lane2, the lane of worker 2: it is not ready, and without it no test of this "
        "worker can run\n  service one: exited with code 3\n  (it logged nothing)\n"
        "-> see all of it: docker compose -p NAME-lane2 logs; or share one stack: "
        "--nomock-lanes shared\n"
    ) in text


@pytest.mark.slow
def test_lanes_should_go_with_the_stack_when_a_run_owns_it_or_it_is_taken_down(
    tiny: Tiny,
) -> None:
    tiny.compose(one=idle())
    tiny.tests(SEEN.format(count=1))
    tiny.run("-n2", "--dist=each", "--lanes=stack", "--stack=own").assert_outcomes(passed=2)
    assert _projects(tiny) == set()
    tiny.run("-n2", "--dist=each", "--lanes=stack").assert_outcomes(passed=2)
    status = tiny.nomock("status")
    status.stdout.fnmatch_lines([f"lane {tiny.name}-lane2: 1 running;*"])
    assert _projects(tiny) == {"NAME", "NAME-lane2"}
    # By what it was made of, also where the files allow of none any more.
    tiny.compose(one=idle(container_name=f"{tiny.name}-one"))
    assert tiny.nomock("down").ret == 0
    assert _projects(tiny) == set()
    assert list((tiny.path / ".nomock/lanes").iterdir()) == []


@pytest.mark.slow
def test_the_next_run_should_take_a_lane_over_when_the_one_before_was_killed(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    tiny.tests("""
        import os, signal

        def test_killed(stack):
            if stack.name.endswith("lane2"):
                stack["one"].stop()
                os.kill(os.getppid(), signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)
    """)
    killed = tiny.run("-n2", "--dist=each", "--lanes=stack")
    assert killed.ret == -signal.SIGKILL
    assert _projects(tiny) == {"NAME", "NAME-lane2"}
    tiny.tests(SEEN.format(count=1))
    tiny.run("-n2", "--dist=each", "--lanes=stack").assert_outcomes(passed=2)
    assert set(_seen(tiny)) == {tiny.name, f"{tiny.name}-lane2"}


@pytest.mark.parametrize("mark", ["'own'", "", "'stack', 'shared'", "kind='stack'"])
def test_a_run_should_be_refused_when_a_mark_names_no_kind_of_lane(tiny: Tiny, mark: str) -> None:
    tiny.compose(one=idle())
    tiny.tests(f"""
        import pytest

        @pytest.mark.lane({mark})
        def test_one(stack): pass
    """)
    result = tiny.run()
    assert result.ret == 4
    assert "names no kind of lane" in result.stderr.str()
    assert "test_tiny.py::test_one" in result.stderr.str()


SERVER = POSTGRES | {"environment": POSTGRES["environment"] | {"POSTGRES_DB": "app"}}


def _with_database(tiny: Tiny, **more: str) -> None:
    tiny.compose(
        db={**SERVER, "networks": {"default": {"aliases": ["store"]}}},
        web={
            **{key: value for key, value in idle().items() if key != "network_mode"},
            "environment": {
                "DATABASE_URL": "postgresql://postgres:postgres@store:5432/app?sslmode=disable",
                "DB_NAME": "app",
                "OTHER": "app",
            }
            | more,
        },
    )


DATABASE = """
    import json

    def test_own(stack, postgres):
        with postgres.connect() as connection:
            name = connection.execute("select current_database()").fetchone()[0]
            rows = [r[0] for r in connection.execute("select name from things order by 1")]
            connection.execute("insert into things values (%s)", [f"of {stack.name}"])
        told = stack["web"].exec("sh", "-c", "echo $DATABASE_URL $DB_NAME $OTHER").split()
        stack["web"].exec("bash", "-c", "exec 3<>/dev/tcp/store/5432")
        with open("seen", "a") as seen:
            found = [name, rows, told, stack["db"].container_id]
            seen.write(json.dumps([stack.name, found]) + "\\n")
"""


@pytest.mark.slow
def test_each_worker_should_have_a_database_of_its_own_when_lanes_are_databases(
    tiny: Tiny,
) -> None:
    _with_database(tiny)
    of_another_run = names.make("thing", names.new_run(), 1, "test_it")  # it goes on meanwhile
    main = tiny.stack()
    main.prepare()
    with main.postgres.connect() as connection:
        connection.execute("create table things (name text)")
        connection.execute("insert into things values ('seed')")
        connection.execute("insert into things values (%s)", [of_another_run])
        connection.execute("create schema nomock_snapshot_1")  # as a killed run leaves it
    main.close()
    tiny.tests(DATABASE)
    lanes = ("-n2", "--dist=each", "--lanes=database")
    tiny.run(*lanes).assert_outcomes(passed=2)
    first, lane = tiny.name, f"{tiny.name}-database2"
    seen = _seen(tiny)
    server = tiny.containers()["db"]
    url = "postgresql://postgres:postgres@store:5432/{}?sslmode=disable"
    assert seen[first] == [
        "app",
        ["seed", of_another_run],
        [url.format("app"), "app", "app"],
        server,
    ]
    assert seen[lane] == [
        "app_lane2",
        ["seed"],
        [url.format("app_lane2"), "app_lane2", "app"],
        server,
    ]
    # Warm: what the lane wrote is there, what others wrote is not.
    tiny.run(*lanes).assert_outcomes(passed=2)
    assert _seen(tiny)[lane][1] == [f"of {lane}", "seed"]
    # A new schema: it is cloned anew.
    with main.postgres.connect() as connection:
        assert connection.execute("select to_regnamespace('nomock_snapshot_1')").fetchone() == (
            None,
        )
        connection.execute("alter table things add column more text")
        connection.execute("delete from things where name <> 'seed'")
    tiny.run(*lanes).assert_outcomes(passed=2)
    assert _seen(tiny)[lane][1] == ["seed"]
    with main.postgres.connect() as connection:
        found = connection.execute("select datname from pg_database where datname ~ 'app'")
        assert {n for (n,) in found} == {"app", "app_lane2", "app_nomock_template"}
    result = tiny.nomock("down")
    assert result.ret == 0, result.stderr.str()
    assert _projects(tiny) == set()
    assert not ask("GET", "/networks", filters=json.dumps({"name": [tiny.name]}))


@pytest.mark.slow
def test_a_test_that_breaks_things_should_have_a_whole_stack_when_lanes_are_databases(
    tiny: Tiny,
) -> None:
    _with_database(tiny)
    tiny.tests("""
        def test_plain(stack):
            open(f"ran-{stack.name}", "w").close()

        def test_breaks(stack, faults):
            with faults.pause("db", expect_traffic=False):
                open(f"broke-{stack.name}", "w").close()
    """)
    tiny.run("-n2", "--dist=each", "--lanes=database").assert_outcomes(passed=4)
    broke = {p.name.replace(tiny.name, "NAME") for p in tiny.path.glob("broke-*")}
    assert broke == {"broke-NAME-lane1", "broke-NAME-lane2"}
    ran = {p.name.replace(tiny.name, "NAME") for p in tiny.path.glob("ran-*")}
    assert ran == {"ran-NAME", "ran-NAME-database2"}


@pytest.mark.slow
def test_a_run_should_say_what_it_looked_for_when_no_service_names_the_database(
    tiny: Tiny,
) -> None:
    tiny.compose(db=SERVER, web=idle(environment={"URL": "http://db/app"}))
    tiny.tests("def test_one(stack): pass")
    result = tiny.run("-n2", "--dist=each", "--lanes=database")
    assert result.ret == 6
    text = tiny.plain(result.stdout.str())
    assert "stack NAME: no service names the database 'app', so that none can have" in text
    assert "…/app, dbname=app, PGDATABASE, …DB_NAME" in text
