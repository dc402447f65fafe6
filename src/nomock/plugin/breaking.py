"""A fault around each test of a run, for who wants to see what a test stands: `nomock mcp`.

Loaded by ``-p nomock.plugin.breaking`` alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from nomock.faults.faults import Faults


@pytest.fixture(autouse=True)
def breaking(faults: Faults) -> Iterator[None]:
    """Put the fault of the environment on while the test runs."""
    fault = json.loads(os.environ["NOMOCK_BREAKING"])
    with getattr(faults, fault["kind"])(fault["where"], **fault["arguments"]):
        yield
