"""The collector beside a covered service: what is rendered of it, and the program that it runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rendering import rendered, volume_at

from nomock.adapters.kubernetes import COLLECTOR, RECORDS, RECORDS_FOLDER, collector_command
from nomock.adapters.kubernetes.reading import kept_in
from nomock.coverage.harvest import MODULES_FILE
from nomock.sandbox.render.mounts import TOLD

NAME = "web.-.web-1.1.0badcafe.ndjson"


def command(way: str, folder: Path, *more: str) -> list[str]:
    """Return the command of a collector, in a folder of this machine."""
    in_pod = collector_command(way, *more)
    own = [str(folder) if word == RECORDS_FOLDER else word for word in in_pod]
    return [sys.executable, *own[1:]]


@contextmanager
def running(way: str, folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command(way, folder, *more), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def told(text: str) -> list[object]:
    return [json.loads(line) for line in text.splitlines()]


def write(folder: Path, content: bytes) -> None:
    with (folder / NAME).open("ab") as file:
        file.write(content)


def test_only_what_is_behind_the_offsets_should_be_told_when_all_records_are_asked(
    tmp_path: Path,
) -> None:
    write(tmp_path, b"one\ntw\xff\n")
    (tmp_path / MODULES_FILE).write_text("{}")
    (tmp_path / "empty.ndjson").touch()
    ran = subprocess.run(
        command("all", tmp_path, json.dumps({NAME: 4})), capture_output=True, text=True, check=True
    )
    assert told(ran.stdout) == [[NAME, 4, "tw\xff\n"]]


def test_a_record_should_be_told_before_settle_ends_when_somebody_follows(
    tmp_path: Path,
) -> None:
    write(tmp_path, b"one\n")
    with running("follow", tmp_path) as following:
        assert following.stdout is not None
        assert told(following.stdout.readline()) == [[NAME, 0, "one\n"]]
        write(tmp_path, b"two\n")
        subprocess.run(command("settle", tmp_path), check=True, timeout=60)
        following.kill()  # all that was there is on its way
        assert told(following.stdout.read()) == [[NAME, 4, "two\n"]]


def test_settle_should_not_wait_when_the_follower_is_gone(tmp_path: Path) -> None:
    with running("follow", tmp_path) as following:
        note = tmp_path / ".followed"
        while not note.exists() and following.poll() is None:
            pass
    write(tmp_path, b"one\n")
    # Waited for, it would be five seconds each time.
    for _ in range(3):
        subprocess.run(command("settle", tmp_path), check=True, timeout=4)


def test_a_follower_should_end_when_another_one_follows(tmp_path: Path) -> None:
    with running("follow", tmp_path) as first:
        note = tmp_path / ".followed"
        while not note.exists():
            assert first.poll() is None
        with running("follow", tmp_path):
            assert first.wait(60) == 0


def test_all_there_is_should_be_told_once_more_when_the_pod_ends(tmp_path: Path) -> None:
    write(tmp_path, b"one\n")
    with running("keep", tmp_path) as keeping:
        assert keeping.stdout is not None
        assert keeping.stdout.readline() == "keeps\n"
        keeping.send_signal(signal.SIGTERM)
        said, _ = keeping.communicate(timeout=60)
    assert (keeping.returncode, told(said)) == (0, [[NAME, 0, "one\n"]])


def test_what_a_tracer_compiles_should_not_be_missed_when_its_pod_is_gone(tmp_path: Path) -> None:
    state = tmp_path / ".nomock" / "tracer"
    state.mkdir(parents=True)
    mounts = [
        {"type": "bind", "source": str(state), "target": "/nomock-tracer/compiled"},
        {"type": "volume", "source": "data", "target": "/data"},
    ]
    found = rendered(tmp_path, {"web": {"volumes": mounts}}, volumes={"data": {}})
    assert volume_at(found, "/nomock-tracer/compiled") == ({"emptyDir": {}}, {})
    assert kept_in({"spec": found.pod()}) == ["/data"]


def test_only_the_records_should_be_shared_with_a_collector_when_a_service_is_covered(
    tmp_path: Path,
) -> None:
    state = tmp_path / ".nomock" / "coverage"
    state.mkdir(parents=True)
    (state / TOLD).write_text("{}")
    mount = {"type": "bind", "source": str(state), "target": "/nomock-spy-data"}
    spied = {"environment": {"NOMOCK_SPY_OUT": "/nomock-spy-data"}, "volumes": [mount]}
    found = rendered(tmp_path, {"web": spied, "db": {}})
    assert volume_at(found, "/nomock-spy-data") == ({"emptyDir": {}}, {})
    (told,) = [m for m in found.container()["volumeMounts"] if m["mountPath"].endswith(TOLD)]
    assert (told["readOnly"], told["subPath"]) == (True, TOLD)
    (collector,) = found.pod()["initContainers"]
    assert (collector["name"], collector["restartPolicy"]) == (COLLECTOR, "Always")
    assert collector["volumeMounts"] == [{"name": RECORDS, "mountPath": RECORDS_FOLDER}]
    assert collector["command"][-2:] == ["keep", RECORDS_FOLDER]
    assert "initContainers" not in found.pod("db")
    assert TOLD == MODULES_FILE


def test_who_waits_for_a_follower_should_go_on_when_one_is_there(tmp_path: Path) -> None:
    waits = subprocess.Popen(command("followed", tmp_path))
    assert waits.poll() is None
    with running("follow", tmp_path, "{}"):
        assert waits.wait() == 0
