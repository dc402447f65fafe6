"""What a collected test says of itself."""

from __future__ import annotations

import sys
from inspect import unwrap
from pathlib import Path
from typing import Any

import pytest

# The fixtures that say which stack it is: these are overridden for another one.
INPUTS = frozenset({"compose_files", "compose_project", "readiness_probes"})
USUAL_LANE = pytest.StashKey[str]()
"""The kind of lane by the settings, in the stash of a config whose run uses a stack."""
USUAL_RESET = pytest.StashKey[bool]()
"""Whether by the settings each test finds the database as it was, likewise."""
LEFT = pytest.StashKey[list[dict[str, str]]]()
"""What tests of this process have left, in a run with --leaks, likewise: ``test`` and ``text``."""
WAS_SKIPPED = pytest.StashKey[bool]()
"""Of a test that was skipped while it ran, since a fault of its is not possible here."""


def uses_stack(item: pytest.Item) -> bool:
    """Tell whether a test asks for the stack, itself or through a fixture."""
    # A fixture of the user's may have the same name; ours has this input.
    return {"stack", "compose_files"} <= set(getattr(item, "fixturenames", ()))


def needs_stack_of_run(item: pytest.Item) -> bool:
    """Whether the run's own stack is to be ready for a test, so far as its signature tells.

    A test with overridden inputs has another one, which is made ready when its fixture is.
    """
    info: Any = getattr(item, "_fixtureinfo", None)
    if info is None or not uses_stack(item):
        return False
    return all(len(info.name2fixturedefs.get(name, ())) <= 1 for name in INPUTS)


def lane_of(item: pytest.Item) -> str | None:
    """Return the kind of lane that a test needs: what a mark says, else the usual.

    None where a mark says no single word. A test that takes a fault has a stack of its own where
    lanes are on.
    """
    if (mark := item.get_closest_marker("lane")) is not None:
        words = [*mark.args, *mark.kwargs]
        return words[0] if len(words) == 1 and isinstance(words[0], str) else None
    usual = item.config.stash.get(USUAL_LANE, "shared")
    return "stack" if usual != "shared" and takes_faults(item) else usual


def wants_reset(item: pytest.Item) -> bool:
    """Tell whether a test is to find the database as it was: what a mark says, else the usual."""
    mark = item.get_closest_marker("reset")
    if mark is None:
        return item.config.stash.get(USUAL_RESET, False)
    return mark.args != (False,)


def inputs_of(item: pytest.Item) -> list[object]:
    """Return what the stack of a test depends on: the definitions of the inputs, and its lane.

    [] where it has no fixtures.
    """
    info: Any = getattr(item, "_fixtureinfo", None)
    if info is None:
        return []
    # The second is what pytest asks where a test asks for a fixture by its name, while it runs.
    manager: Any = item.session._fixturemanager
    found = [
        info.name2fixturedefs.get(name) or manager.getfixturedefs(name, item)
        for name in sorted(INPUTS)
    ]
    return [*(definitions[-1] for definitions in found), lane_of(item)]


def is_serial(item: pytest.Item) -> bool:
    """Tell whether a test is never to run beside another one, of all or of those on its stack."""
    return item.get_closest_marker("serial") is not None


def is_serial_on_stack(item: pytest.Item) -> bool:
    """Tell whether a serial test may run beside those that use another stack."""
    mark = item.get_closest_marker("serial")
    return mark is not None and mark.args == ("stack",) and not mark.kwargs


def takes_faults(item: pytest.Item) -> bool:
    """Tell whether a test can break something, so far as its signature tells."""
    return "faults" in getattr(item, "fixturenames", ())


def files_of(request: pytest.FixtureRequest) -> set[Path]:
    """Return the files in which a test's function may stand: its module, and what that ran."""
    code = getattr(unwrap(request.function), "__code__", None)
    return {request.path} | ({Path(code.co_filename)} if code else set())


def faults_of(item: pytest.Item) -> Any:
    """Return what a test breaks; a fixture of the user's may have the same name."""
    found = getattr(item, "funcargs", {}).get("faults")
    module = sys.modules.get("nomock.faults.faults")  # where it is not loaded nothing is broken
    return found if module is not None and isinstance(found, module.Faults) else None
