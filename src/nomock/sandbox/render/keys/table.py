"""The table: what becomes of each key that a resolved compose file may have.

A path goes from the top of the file; ``*`` is any name that the user gave. What is said of a key
goes for all below it that has no row of its own, and a key without any row is in the report: so
none can be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping

from nomock.sandbox.render.fate import Entry
from nomock.sandbox.render.keys.deploy import DEPLOY
from nomock.sandbox.render.keys.project import PROJECT
from nomock.sandbox.render.keys.service import SERVICE

_OF_SERVICE = "services.*."

TABLE: Mapping[str, Entry] = {
    **PROJECT,
    **{f"{_OF_SERVICE}{key}": entry for key, entry in {**SERVICE, **DEPLOY}.items()},
}
