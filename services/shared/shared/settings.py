"""Settings come from the environment, and a missing one stops the start with its name."""

import os


class MissingSettingError(Exception):
    """A variable without a default is not set."""


def text(name: str, default: str | None = None) -> str:
    """Return the variable `name`, or `default`; raise when there is neither."""
    value = os.environ.get(name, default)
    if value is None:
        raise MissingSettingError(f"the environment variable {name} is not set")
    return value


def number(name: str, default: float) -> float:
    """Return the variable `name` as a number, or `default`."""
    return float(os.environ.get(name, default))
