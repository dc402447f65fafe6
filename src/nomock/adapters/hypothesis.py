"""Hypothesis, an optional extra: all that is used of it is imported here."""

from __future__ import annotations

from nomock.errors import ConfigError

try:
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis import strategies as st
    from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase
    from hypothesis.stateful import (
        INVARIANT_MARKER,
        RuleBasedStateMachine,
        run_state_machine_as_test,
    )
except ModuleNotFoundError as error:
    raise ConfigError(
        "Hypothesis is not installed",
        where="examples that it is to generate",
        todo="pip install 'nomock[hypothesis]'",
    ) from error

__all__ = [
    "INVARIANT_MARKER",
    "DirectoryBasedExampleDatabase",
    "ExampleDatabase",
    "HealthCheck",
    "Phase",
    "RuleBasedStateMachine",
    "run_state_machine_as_test",
    "settings",
    "st",
]
