"""Which source files are the app's own, as against Python's and its packages'."""

from __future__ import annotations

import os
import sys

# No pathlib in the spy: it is slow to load, and each process of the service would pay.
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
_PACKAGES = ("/site-packages/", "/dist-packages/")


class AppFiles:
    """The rule, with its answers remembered: it is asked for every piece of code that is loaded.

    Without roots a file is the app's unless it belongs to the standard library, to an installed
    package, to the programs beside the interpreter (``/opt/venv/bin/uvicorn``) or to the spy. Not
    "unless it is under sys.prefix": that is ``/usr`` on Debian, and many images keep their app in
    ``/usr/src/app``. With roots it has to lie under one of them, and not in packages below it.
    """

    def __init__(self, roots: tuple[str, ...] = ()) -> None:
        self._roots = roots
        # Not from sysconfig, which takes milliseconds to load.
        standard_library = os.path.dirname(os.__file__)  # noqa: PTH120
        prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
        self._others = (
            _HERE + "/",
            standard_library + "/",
            *(prefix.rstrip("/") + "/bin/" for prefix in prefixes),
        )
        self._answers: dict[str, bool] = {}

    def __contains__(self, filename: str) -> bool:
        """Tell whether the file name of a code object is one of the app's."""
        answer = self._answers.get(filename)
        if answer is None:
            answer = self._answers[filename] = self._decide(filename)
        return answer

    def _decide(self, filename: str) -> bool:
        if filename.startswith("<"):  # <string>, <frozen importlib>: made at run time, no file
            return False
        path = absolute(filename)
        if self._roots:
            below = [path[len(root) - 1 :] for root in self._roots if path.startswith(root)]
            return any(not _in_packages(rest) for rest in below)
        return not path.startswith(self._others) and not _in_packages(path)


def absolute(filename: str) -> str:
    """Return the file name with the folder it is relative to; by calls into C alone.

    Python code that runs inside a callback can be interrupted by a signal handler of the service
    (see guard), so that the less of it there is, the better.
    """
    return filename if filename.startswith("/") else os.getcwd() + "/" + filename  # noqa: PTH109


def _in_packages(path: str) -> bool:
    return any(part in path for part in _PACKAGES)
