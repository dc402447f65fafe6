"""A Python that is killed as it starts, as a healthcheck's may be, is no blind spy."""

from __future__ import annotations

from dataclasses import replace
from time import time
from typing import Any

from nomock.adapters.engine import Engine
from nomock.adapters.engine.container import container_of
from nomock.coverage.harvest.canary import _Own
from nomock.coverage.harvest.records import BACKGROUND, Process, SourceFile

KILLED = Process(
    service="till",
    run="r1",
    python="3.13.5",
    host="4f2a",
    pid=7,
    core="sys.monitoring",
    unsupported="",
    branches=False,
    goes_on=False,
    started=1.0,
)
# Its canary was in the file before this one.
PROVED = replace(KILLED, pid=1, goes_on=True)


def failure(*processes: Process) -> str:
    found: dict[str, Any] = {"Id": "id", "Labels": {}, "Image": "i", "ImageID": "i", "Ports": []}
    found |= {"Created": 0, "State": "running", "Status": "Up 2 seconds"}
    failed = _Own(container_of(found, Engine().locator), processes).failure()
    return failed.cause[0] if failed and failed.cause else ""


def test_a_process_should_not_count_when_it_only_began_and_another_one_proved_itself() -> None:
    assert failure(PROVED, KILLED) == ""
    said = "its process 7: it reported no canary"
    assert failure(KILLED) == said
    # It may come to its canary yet.
    assert failure(PROVED, replace(KILLED, started=time())) == said
    # It ran something, so that its canary should be there.
    ran = {BACKGROUND: {SourceFile("/srv/till.py", 0, 0): 1}}
    assert failure(PROVED, replace(KILLED, lines=ran)) == said
