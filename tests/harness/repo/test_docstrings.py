"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest
from test_layers import SRC, modules

WITH_EXAMPLES = sorted(m for m, path in modules(SRC).items() if ">>> " in path.read_text("utf-8"))


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_docstring_should_show_what_happens_when_its_example_is_run(module: str) -> None:
    result = doctest.testmod(import_module(f"nomock.{module}"))
    assert result.attempted
    assert not result.failed
