"""Single files that services mount: changed by their user, they count; by the service, not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from shlex import quote

import pytest
from tiny import Tiny, idle

# It writes to what it is told to write to, when it starts and when it is asked.
CREATES = "import sqlite3; sqlite3.connect('/srv/till.sqlite3').execute('create table t(a)')"
WRITES = "echo begun >> /srv/log.txt; touch /tmp/ready; exec sleep infinity"


@pytest.fixture
def writer(tiny: Tiny) -> Tiny:
    """A service that mounts four files which it could write to."""
    for name in ("log.txt", "count.txt", "nginx.conf"):
        tiny.write(name, "first\n")
    (tiny.path / "till.sqlite3").touch()
    names = ("log.txt", "count.txt", "nginx.conf", "till.sqlite3")
    mounts = [f"./{name}:/srv/{name}" for name in names]
    tiny.compose(one=idle(WRITES, volumes=mounts), other=idle())
    return tiny


def run(tiny: Tiny, *during: str) -> list[str]:
    """Make the stack ready, let the service do something, and end; return the steps."""
    steps: list[str] = []
    with closing(tiny.stack()) as stack:
        stack.prepare(steps.append)
        for command in during:
            stack["one"].exec("sh", "-c", command)
    return steps


def new_one(tiny: Tiny, why: str) -> bool:
    """Run, and tell whether the service that mounts the files was recreated, and only that."""
    before = tiny.containers()
    differences = tiny.stack().differences()
    steps = run(tiny)
    after = tiny.containers()
    assert after["other"] == before["other"]
    if after["one"] == before["one"]:
        assert (steps, differences) == ([], {})
        return False
    assert differences == {"one": f"a mounted file changed: {why}"}
    return True


def test_a_container_should_be_kept_when_its_service_wrote_to_files_that_it_mounts(
    writer: Tiny,
) -> None:
    make = f"python3 -c {quote(CREATES)}"
    run(writer)
    before = writer.containers()
    run(writer, make, "echo 1 > /srv/count.txt", "echo asked >> /srv/log.txt")
    assert not new_one(writer, "")
    # Also between the runs: a database, and what it has been writing to since it started.
    for command in ("echo later >> /srv/log.txt", make.replace("table t(", "table u(")):
        with closing(writer.stack()) as stack:
            stack["one"].exec("sh", "-c", command)
    assert not new_one(writer, "")
    assert writer.containers() == before
    # It is said which text files are taken for its own.
    writer.tests("def test_it(stack): pass")
    writer.run().stdout.fnmatch_lines(["nomock:   one *, writes log.txt, count.txt"])


def test_a_service_should_be_recreated_when_its_user_changed_a_file_that_it_could_write_to(
    writer: Tiny,
) -> None:
    run(writer)
    conf: Path = writer.path / "nginx.conf"
    conf.write_text("in its place\n")
    assert new_one(writer, "nginx.conf")
    other = writer.write("new.conf", "by another file, as editors do\n")
    other.rename(conf)
    assert new_one(writer, "nginx.conf")
    writer.write("new.conf", conf.read_text()).rename(conf)  # as `git stash` leaves it
    assert not new_one(writer, "")
    # Another database, or log, under the name of the old one: the service has the old one still.
    with closing(sqlite3.connect(writer.path / "seed.sqlite3")) as seed:
        seed.execute("create table seeded(a)")
    (writer.path / "seed.sqlite3").rename(writer.path / "till.sqlite3")
    assert new_one(writer, "till.sqlite3")
    writer.write("empty.txt", "").rename(writer.path / "log.txt")
    assert new_one(writer, "log.txt")
    assert not new_one(writer, "")


def test_a_change_should_not_be_missed_when_the_start_up_after_it_failed(writer: Tiny) -> None:
    run(writer)
    (writer.path / "nginx.conf").write_text("wrong\n")
    stack = writer.stack(timeout_s=0.001)
    with pytest.raises(Exception, match="not ready"), closing(stack):
        stack.prepare()
    assert set(writer.stack().differences()) == {"one"}
    run(writer)
    assert not new_one(writer, "")
