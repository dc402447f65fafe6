"""Names for annotations, and types that Python has already, without what it takes to load them.

typing, collections and types took half of the time that the spy adds to the start of a process,
and a healthcheck's Python is started each few seconds. What frameworks are patched with may use
them: these are loaded by then.
"""

from __future__ import annotations

__all__ = [
    "TYPE_CHECKING",
    "Any",
    "Callable",
    "CodeType",
    "Collection",
    "FrameType",
    "FunctionType",
    "Iterable",
    "Iterator",
    "Mapping",
    "ModuleType",
    "Protocol",
    "Sequence",
    "TypeVar",
    "defaultdict",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import defaultdict
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from types import CodeType, FrameType, FunctionType, ModuleType
    from typing import Any, Protocol, TypeVar
else:
    import sys
    from _collections import defaultdict

    def _nothing(*_, **__):
        pass

    Any = Callable = Collection = FrameType = Iterable = Iterator = Mapping = Sequence = None
    Protocol, TypeVar = object, _nothing
    CodeType, FunctionType, ModuleType = type(_nothing.__code__), type(_nothing), type(sys)
