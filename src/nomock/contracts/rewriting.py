"""Imports that pytest does not rewrite.

pytest rewrites the assertions of each module of a package that has a plugin for it, so that they
explain themselves. Schemathesis is such a package: more than a hundred modules are compiled anew,
which takes four times as long as loading them, and only its own tests would need it.
https://docs.pytest.org/en/stable/how-to/writing_plugins.html#assertion-rewriting
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_REWRITERS = "_pytest.assertion"


@contextmanager
def without_rewriting() -> Iterator[None]:
    """Load what is imported in this block as it is."""
    before = list(sys.meta_path)
    sys.meta_path[:] = [f for f in before if not type(f).__module__.startswith(_REWRITERS)]
    try:
        yield
    finally:
        found_since = [finder for finder in sys.meta_path if finder not in before]
        sys.meta_path[:] = [*before, *found_since]
