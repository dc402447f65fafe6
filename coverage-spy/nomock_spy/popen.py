"""subprocess: a child gets the spy by a copy of the environment that the service gives it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from nomock_spy.children import path_with_spy
from nomock_spy.guard import swallow
from nomock_spy.standins import replace

_ENVIRONMENT = "env"


def install(module: Any) -> None:
    """Let subprocess.Popen start a child with a completed environment."""
    replace(module.Popen, "_execute_child", _with_completed)


def _with_completed(execute: Any) -> Callable[..., Any]:
    code = execute.__code__
    at = code.co_varnames[: code.co_argcount].index(_ENVIRONMENT)

    def execute_with_completed(*arguments: Any, **named: Any) -> Any:
        try:
            if _ENVIRONMENT in named:
                named[_ENVIRONMENT] = _completed(named[_ENVIRONMENT])
            elif len(arguments) > at:
                arguments = (*arguments[:at], _completed(arguments[at]), *arguments[at + 1 :])
        except BaseException as error:
            swallow(error)
        return execute(*arguments, **named)

    return execute_with_completed


def _completed(environ: Any) -> Any:
    known = os.environ if environ is None else environ
    path = path_with_spy(known)
    return environ if path is None else {**known, "PYTHONPATH": path}
