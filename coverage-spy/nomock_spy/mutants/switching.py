"""Gives the functions of a module, as they are in this process, the code that has the mutants."""

from __future__ import annotations

import gc
from binascii import crc32
from collections.abc import Iterator
from types import CodeType, FunctionType

from nomock_spy.files import content
from nomock_spy.mutants.choosing import Key, codes
from nomock_spy.mutants.told import Told


def switch(told: Told, module: str) -> None:
    """Switch all functions of a module, and tell the run which could not be.

    Functions are found wherever they are: decorated ones, those in classes, and those that have
    been made by others already; what these make from now on has the mutants, too.
    """
    about = told.functions(module)
    files: dict[str, bool] = {}
    functions: dict[tuple[str, Key], list[FunctionType]] = {}
    for function in _functions(about["name"]):
        code = function.__code__
        name = code.co_filename
        if name not in files:
            files[name] = sum_of(content(name)) == module
        if files[name]:
            key = (code.co_name, code.co_firstlineno)
            functions.setdefault((name, key), []).append(function)
    switched, failed = 0, {}
    for name in (name for name, is_it in files.items() if is_it):
        for one in about["functions"]:
            try:
                for key, code in codes(name, one).items():
                    for function in functions.get((name, key), ()):
                        _give(function, code)
                        switched += 1
            except (SyntaxError, ValueError) as error:
                failed.update({mutant["number"]: str(error) for mutant in one["mutants"]})
    told.say(module=module, switched=switched, failed=failed)


def sum_of(source: bytes | None) -> str:
    """Return what a source is known by; "" without one."""
    return "" if source is None else f"{crc32(source):08x}-{len(source)}"


def _functions(name: str) -> Iterator[FunctionType]:
    """Yield all functions of this process that stand in a file of some name."""
    end = "/" + name
    for found in gc.get_objects():
        # By its type alone: who asks an object for its class may run code of the service's.
        if type(found) is FunctionType and ("/" + found.__code__.co_filename).endswith(end):
            yield found


def _give(function: FunctionType, code: CodeType) -> None:
    before = function.__code__
    if before.co_freevars != code.co_freevars:
        raise ValueError(
            f"{before.co_name} has the free variables {before.co_freevars}, "
            f"with its mutants {code.co_freevars}"
        )
    function.__code__ = code
