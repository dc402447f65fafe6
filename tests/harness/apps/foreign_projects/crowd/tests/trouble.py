import threading
from itertools import count

import pytest

attempts = count(1)


@pytest.mark.flaky(reruns=1)
def test_repeated(stack, faults):
    with faults.latency("web->api", latency_ms=1):
        stack["web"].http.get("/")
    assert next(attempts) == 2


@pytest.mark.timeout(4)
def test_hangs(stack, faults):
    with faults.latency("web->api", latency_ms=60_000, expect_traffic=False):
        threading.Event().wait(60)


def test_after_it(stack):
    assert stack["web"].http.get("/").elapsed.total_seconds() < 30
