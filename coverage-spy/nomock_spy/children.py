"""What this process starts, and what it becomes: it gets the spy, too.

Tracing launchers (``opentelemetry-instrument``, ``elasticapm-run``) put a sitecustomize of their
own in front of ours and run the service, and others set PYTHONPATH anew. As long as a child is
handed the rest of the spy's settings, its PYTHONPATH is completed.
"""

from __future__ import annotations

import os

from nomock_spy import audit
from nomock_spy.cores import Core
from nomock_spy.files import content
from nomock_spy.guard import HOME, swallow
from nomock_spy.hints import Any, Callable, Mapping
from nomock_spy.standins import replace

_CUSTOMIZE = "/sitecustomize.py"
_MOST_SAID = 200


def listen(core: Core) -> None:
    """Complete the environment of each program that this process starts or becomes."""

    def on_exec(arguments: tuple[Any, ...]) -> None:
        path, words, environ = arguments
        if environ is None:
            _complete_own()
        if not isinstance(path, int) and _is_python(os.fsdecode(path)):
            core.became(" ".join(map(os.fsdecode, words))[:_MOST_SAID])

    audit.listen("os.exec", on_exec)
    audit.listen("os.system", lambda arguments: _complete_own())
    audit.listen("subprocess.Popen", lambda arguments: _complete(arguments[3]))
    # These have read the environment that they are given before they tell of it.
    for name in ("execve", "posix_spawn", "posix_spawnp"):
        if hasattr(os, name):
            replace(os, name, _with_completed)


def install(module: Any) -> None:
    """Let multiprocessing.util complete the environment before it starts a process afresh."""

    def make(spawn: Any) -> Callable[..., Any]:
        def spawnv_passfds(*arguments: Any, **named: Any) -> Any:
            try:
                _complete_own()
            except BaseException as error:
                swallow(error)
            return spawn(*arguments, **named)

        return spawnv_passfds

    replace(module, "spawnv_passfds", make)


def path_with_spy(environ: Mapping[str, str]) -> str | None:
    """Return the PYTHONPATH with which a child finds the spy, None where it does or shall not.

    It shall where it is handed the folder to write to. What is in front of the spy and does not
    hide it stays there.
    """
    if not environ.get("NOMOCK_SPY_OUT"):
        return None
    folders = [folder for folder in environ.get("PYTHONPATH", "").split(":") if folder]
    ours = [at for at, folder in enumerate(folders) if folder.rstrip("/") == HOME]
    if ours and not any(map(_has_sitecustomize, folders[: ours[0]])):
        return None
    return ":".join([HOME, *(f for at, f in enumerate(folders) if at not in ours)])


def _has_sitecustomize(folder: str) -> bool:
    return os.path.exists(folder + _CUSTOMIZE)  # noqa: PTH110 - pathlib is slow to load


def _complete_own() -> None:
    path = path_with_spy(os.environ)
    if path is not None:
        os.environ["PYTHONPATH"] = path


def _complete(environ: Any) -> None:
    """Complete the environment that a child is given; None is that of this process."""
    if environ is None:
        _complete_own()
    elif isinstance(environ, (dict, type(os.environ))):
        path = path_with_spy(environ)
        if path is not None:
            environ["PYTHONPATH"] = path


def _with_completed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of ``os`` with a completed copy of its third argument, the environment."""

    def run(*arguments: Any, **named: Any) -> Any:
        try:
            environ = named["env"] if "env" in named else arguments[2]
            path = None
            if environ is None:  # from 3.13 on that of this process
                _complete_own()
            else:
                path = path_with_spy(environ)
            if path is not None:
                completed = {**environ, "PYTHONPATH": path}
                if "env" in named:
                    named["env"] = completed
                else:
                    arguments = (*arguments[:2], completed, *arguments[3:])
        except (IndexError, TypeError):  # the call is wrong, which it will say
            pass
        except BaseException as error:
            swallow(error)
        return function(*arguments, **named)

    return run


def _is_python(path: str) -> bool:
    """Tell whether a program is there and a Python, or a script for one."""
    if not os.access(path, os.X_OK):
        return False
    if path.rpartition("/")[2].startswith("python"):
        return True
    start = content(path, 256) or b""
    return start.startswith(b"#!") and b"python" in start.partition(b"\n")[0]
