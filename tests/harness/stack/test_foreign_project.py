"""What any project of somebody else may expect of `pip install nomock`."""

from __future__ import annotations

from collections.abc import Callable

from foreign import Foreign


def test_a_first_run_should_be_green_when_there_is_nothing_but_a_compose_file_and_a_test(
    foreign: Callable[..., Foreign],
) -> None:
    project = foreign("build-dot")
    done = project.pytest("-q")
    assert done.code == 0, done.text
