"""Which stack a run of pytest is about: where its user stands, its options and its arguments."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from nomock.config import Settings
from nomock.errors import NomockError
from nomock.loading import check_one_stack, load
from nomock.paths import standing
from nomock.plugin.items import needs_stack_of_run
from nomock.plugin.options import given

_OPTIONS = {
    "target": "target",
    "sandbox": "sandbox",
    "context": "context",
    "stack": "stack",
    "lanes": "lanes",
    "reset": "reset",
    "evidence": "evidence",
    "evidence_database": "evidence-database",
    "files": "stack-file",
    "project": "stack-project",
    "timeout_s": "stack-timeout",
}


def settings_of(config: pytest.Config) -> Settings:
    """Return the settings of a run; raise NomockError for one that cannot be."""
    return load(*_chosen_by(config), arguments=_arguments(config))


def refusal_of(config: pytest.Config, items: Iterable[pytest.Item]) -> str:
    """Return why the run's own stack cannot be that of all tests that use it; "" where it can."""
    tests = [item.path for item in items if needs_stack_of_run(item)]
    try:
        check_one_stack(*_chosen_by(config), arguments=_arguments(config), tests=tests)
    except NomockError as error:
        return str(error)
    return ""


def _chosen_by(config: pytest.Config) -> tuple[Path, dict[str, Any]]:
    """Return where the user stands, and the settings that are options."""
    options = {name: given(config, option) for name, option in _OPTIONS.items()}
    return standing(config.invocation_params.dir), options


def _arguments(config: pytest.Config) -> list[str]:
    return [*config.args, str(config.rootpath)]
