"""Finalizers that Python calls when it tells the spy of a line."""

from __future__ import annotations

import pytest
from pythons import VERSIONS
from test_pythons import Run, container, options, run  # noqa: F401 - fixtures
from test_spy import missing


@pytest.mark.parametrize("version", VERSIONS)
def test_every_line_should_be_recorded_when_its_finalizer_is_due_as_the_spy_is_told_of_another(
    run: Run,  # noqa: F811 - the fixture
) -> None:
    assert missing(run("python3", "finalizes.py"), "finalizes.py") == set()
