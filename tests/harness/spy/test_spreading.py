"""What work for a test leads to belongs to it, too: threads, pools, tasks, greenlets and jobs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from calling import built, marks, mounted, program, spied, tests_of
from pythons import TracerOptions, image_of
from tiny import docker

from nomock.baggage import with_members

Job = dict[str, str | bool]


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    with built(image_of("3.13")) as tag:
        yield tag


def expected(file: str, without: Sequence[str] = ()) -> dict[int, set[str]]:
    """Return what the file itself says of its lines: the one test that each is to belong to."""
    return {line: {test} for line, test in marks(file, "for").items() if test not in without}


def recorded(data_dir: Path, file: str) -> dict[int, set[str]]:
    """Return the tests that ran those of the file's lines of which it says something."""
    tests = tests_of(data_dir, file)
    return {line: tests[line] for line in marks(file, "for") if line in tests}


@pytest.mark.parametrize("version", ["3.9", "3.11", "3.13", "3.14"])
def test_threads_pools_and_tasks_should_be_of_the_test_when_they_are_started_for_it(
    data_dir: Path, tracer_options: TracerOptions, version: str
) -> None:
    options = mounted(*tracer_options(version))
    ended = program(image_of(version), data_dir, "python3", "spreads.py", options=options)
    assert (ended.returncode, ended.stderr) == (0, "")
    # The service's own variables are where Python carries them, and nowhere else.
    seen = "a thread sees its own\nsubmitted work sees its own\nto_thread sees to_thread\n"
    assert ended.stdout == seen
    without = () if version == "3.14" else ("context",)  # threads can be given one
    assert recorded(data_dir, "spreads.py") == expected("spreads.py", without)


def test_a_pools_thread_should_not_keep_its_first_test_when_threads_inherit_contexts(
    data_dir: Path,
) -> None:
    command = ("python3", "-X", "thread_inherit_context=1", "spreads.py")
    options = mounted()
    ended = program(image_of("3.14"), data_dir, *command, options=options)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("a thread sees thread\n")
    assert recorded(data_dir, "spreads.py") == expected("spreads.py")


@pytest.mark.slow
@pytest.mark.parametrize("in_flight", [1, 8, 32])
@pytest.mark.parametrize(
    ("version", "method"),
    [
        ("3.9", "fork"),
        ("3.11", "spawn"),
        ("3.13", "fork"),
        ("3.13", "spawn"),
        ("3.14", "forkserver"),
    ],
)
def test_precision_and_recall_should_be_1_when_tests_give_work_to_pools_that_the_first_one_made(
    data_dir: Path, tracer_options: TracerOptions, version: str, method: str, in_flight: int
) -> None:
    command = ("python3", "pooled.py", method, str(in_flight))
    options = mounted(*tracer_options(version))
    ended = program(image_of(version), data_dir, *command, options=options)
    assert_exact(ended, data_dir)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "in_flight"),
    [("loky", 1), ("loky", 8), ("loky", 32), ("joblib.externals.loky", 8)],
)
def test_precision_and_recall_should_be_1_when_the_pool_is_one_of_loky(
    image: str, data_dir: Path, module: str, in_flight: int
) -> None:
    # Functions of a script are sent to its workers as code without a file.
    run = f"import pooled; pooled.main({module!r}, {in_flight})"
    assert_exact(program(image, data_dir, "python", "-c", run), data_dir)


def assert_exact(ended: subprocess.CompletedProcess[str], data_dir: Path) -> None:
    """Check that each step was recorded for the tests that took it, and for no others."""
    assert (ended.returncode, ended.stderr) == (0, "")
    taken: dict[str, list[int]] = json.loads(ended.stdout)
    known = {(test, step) for test, steps in taken.items() for step in steps}
    ran, steps = tests_of(data_dir, "pooled.py"), marks("pooled.py", "step")
    # The line of a step runs when its file is loaded, too.
    reported = {(test, int(step)) for line, step in steps.items() for test in ran[line]}
    at_start = {("no test", int(step)) for step in steps.values()}
    precision = len(known & reported) / len(reported - at_start | known & reported)
    recall = len(known & reported) / len(known)
    assert (precision, recall) == (1.0, 1.0)


@pytest.mark.parametrize("patches", ["", "monkey"], ids=["plain", "with monkey patches"])
def test_greenlets_should_be_of_the_test_when_they_are_spawned_for_it(
    image: str, data_dir: Path, patches: str
) -> None:
    ended = program(image, data_dir, "python", "greenlets.py", patches)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "a greenlet sees its own\n"
    assert recorded(data_dir, "greenlets.py") == expected("greenlets.py")


def job(kind: str, *, for_a_test: bool = True, as_bytes: bool = False) -> Job:
    """A job that a test named like the kind of the job ordered, or somebody else."""
    baggage = with_members("user=1", f"tests/test_jobs.py::{kind}" if for_a_test else None)
    return {"kind": kind, "baggage": baggage, "bytes": as_bytes}


@pytest.mark.parametrize("version", ["3.9", "3.13", "3.14"])
def test_a_job_should_be_of_the_test_that_ordered_it_when_its_consumer_says_so(
    data_dir: Path, tracer_options: TracerOptions, version: str
) -> None:
    jobs = [
        job("works"),
        job("no_test", for_a_test=False),
        job("works", as_bytes=True),
        job("raises"),
        job("begins_another"),
        job("has_threads", for_a_test=False),
        job("has_tasks", for_a_test=False),
        {"kind": "no_test", "baggage": "", "bytes": False},
    ]
    ended = program(
        image_of(version),
        data_dir,
        *("python3", "consumer.py"),
        options=mounted(*tracer_options(version)),
        stdin="".join(json.dumps(one) + "\n" for one in jobs),
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "done\n" * len(jobs)
    not_run = ("is_killed", "nobody")
    assert recorded(data_dir, "consumer.py") == expected("consumer.py", not_run)


def test_the_lines_of_a_job_should_be_there_when_its_consumer_is_killed_in_the_middle(
    data_dir: Path, tmp_path: Path
) -> None:
    name = f"nomock-test-{tmp_path.name}-{data_dir.stat().st_ino}"
    options = (*spied(data_dir), *mounted(), "--name", name)
    command = ("docker", "run", "--rm", "--interactive", *options, image_of("3.13"))
    with subprocess.Popen(
        [*command, "python3", "consumer.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as consumer:
        assert consumer.stdin is not None
        assert consumer.stdout is not None
        consumer.stdin.write(json.dumps(job("is_killed")) + "\n")
        consumer.stdin.flush()
        assert consumer.stdout.readline() == "in the middle\n"
        docker("kill", "--signal", "KILL", name)
        consumer.stdin.close()
    tests = recorded(data_dir, "consumer.py")
    assert {line: t for line, t in tests.items() if t != {"no test"}} == {
        line: {"is_killed"} for line, t in marks("consumer.py", "for").items() if t == "is_killed"
    }


def test_a_consumer_should_do_its_jobs_when_there_is_no_spy(image: str, data_dir: Path) -> None:
    ended = program(
        image,
        data_dir,
        *("python", "consumer.py"),
        options=["--env", "NOMOCK_SPY_OUT="],
        stdin=json.dumps(job("works")) + "\n",
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.9", "3.13"])
def test_memory_should_not_grow_when_ten_thousand_tests_follow_each_other(
    data_dir: Path, tracer_options: TracerOptions, version: str
) -> None:
    options = mounted(*tracer_options(version))
    ended = program(image_of(version), data_dir, "python3", "many.py", options=options)
    assert (ended.returncode, ended.stderr) == (0, "")
    contexts_of_1_000, contexts_of_10_000, more_blocks = map(int, ended.stdout.split())
    assert contexts_of_1_000 == contexts_of_10_000
    assert more_blocks < 1_000
