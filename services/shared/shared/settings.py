"""Settings come from the environment, and one that will not do stops the start with its name."""

import math
import os


class SettingError(Exception):
    """A variable is missing, or its value will not do."""


class MissingSettingError(SettingError):
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


def seconds(name: str, *, above_s: float = 0.0, why: str = "") -> float:
    """Return the variable `name`, a time in seconds; raise unless it is longer than `above_s`.

    `why` says what that bound is. No time has a default: all of them stand in the compose file.
    """
    value = text(name)
    try:
        time_s = float(value)
    except ValueError:
        time_s = math.nan
    if not above_s < time_s < math.inf:
        bound = f"more than {above_s:g}{why and f', {why}'}"
        raise SettingError(f"the environment variable {name} is {value!r}; seconds: {bound}")
    return time_s
