"""Which source files are the app's own, as against Python's and its packages'."""

from __future__ import annotations

import os

from nomock_spy.guard import HOME, STANDARD_LIBRARY
from nomock_spy.launchers import is_launcher

_PACKAGES = ("/site-packages/", "/dist-packages/")


class AppFiles:
    """The rule, with its answers remembered: it is asked for every piece of code that is loaded.

    Without roots a file is the app's unless it belongs to the standard library, to an installed
    package, to the spy, or is a launcher (``/opt/venv/bin/uvicorn``). Not "unless it is under
    sys.prefix": that is ``/usr`` on Debian, and many images keep their app in ``/usr/src/app``.
    With roots it has to lie under one of them, and not in packages below it. ``modules`` are
    installed, and the app's all the same: a package ``shop`` or ``company.shop``, a ``till.py``.
    What is no Python file is nobody's: a template has its own name as its code's, or any name.
    """

    def __init__(self, roots: tuple[str, ...] = (), modules: tuple[str, ...] = ()) -> None:
        self._roots = roots
        places = [module.replace(".", "/") for module in modules]
        self._folders = tuple(place + "/" for place in places)
        self._files = {place + ".py" for place in places}
        self._others = (HOME + "/", STANDARD_LIBRARY)
        self._answers: dict[str, bool] = {}

    def __contains__(self, filename: str) -> bool:
        """Tell whether the file name of a code object is one of the app's."""
        answer = self._answers.get(filename)
        if answer is None:
            answer = self._answers[filename] = self._decide(filename)
        return answer

    def _decide(self, filename: str) -> bool:
        # Made at run time: <string>, <frozen importlib>, or no name at all.
        if not filename or filename[0] == "<":
            return False
        path = absolute(filename)
        if not _is_python(path):
            return False
        module = _in_packages(path)
        if module and (module in self._files or module.startswith(self._folders)):
            return True
        if self._roots:
            below = [path[len(root) - 1 :] for root in self._roots if path.startswith(root)]
            return any(not _in_packages(rest) for rest in below)
        return not module and not path.startswith(self._others) and not is_launcher(path)


def absolute(filename: str) -> str:
    """Return the file name with the folder it is relative to; by calls into C alone.

    Python code that runs inside a callback can be interrupted by a signal handler of the service
    (see guard), so that the less of it there is, the better.
    """
    return filename if filename.startswith("/") else os.getcwd() + "/" + filename  # noqa: PTH109


def _is_python(path: str) -> bool:
    """Tell whether a file may be Python's: a ``.py``, or a script without a suffix.

    Modules may be there only as what was compiled of them, and a script has to be there itself.
    """
    suffix = os.path.splitext(path)[1]  # noqa: PTH122 - pathlib is slow to load
    return suffix == ".py" or (not suffix and os.path.isfile(path))  # noqa: PTH113 - likewise


def _in_packages(path: str) -> str:
    """Return where a file is in a folder of installed packages, empty where it is in none."""
    for folder in _PACKAGES:
        if folder in path:
            return path.rpartition(folder)[2]
    return ""
