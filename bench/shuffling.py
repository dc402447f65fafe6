"""A pytest plugin: the tests in an order by chance, the same in each worker; ORDER is the seed."""

from __future__ import annotations

import os
import random

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    random.Random(int(os.environ["ORDER"])).shuffle(items)
