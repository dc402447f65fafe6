"""pip or uv, whichever is here: it gets packages from where this machine gets them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

_LONGEST_S = 120
REACH = "let pip (or uv) reach the packages that it installs, and try again"


class NotInstalledError(Exception):
    """Packages that could not be had: ``seen`` is why, ``todo`` what helps. Who asked says what."""

    def __init__(self, seen: str, todo: str = REACH) -> None:
        """Keep both for the words of who asked."""
        super().__init__(seen)
        self.seen = seen
        self.todo = todo


def install(
    requirements: Path,
    target: Path,
    *,
    python: str,
    pip: Sequence[str] = (),
    uv: Sequence[str] = (),
) -> None:
    """Put what a file of requirements names, by hashes and as wheels, into a folder.

    ``python`` is the version that it is for, 3.11; ``pip`` and ``uv`` are more options of each.
    Where neither is here, it is the pip that Python carries with it to make environments. Raises
    NotInstalledError.
    """
    options = ["--target", str(target), "--no-deps", "--only-binary", ":all:"]
    options += ["--require-hashes", "-r", str(requirements), "--python-version", python]
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    uvs = shutil.which("uv", path=beside)
    if uvs and find_spec("pip") is None:
        command = [uvs, "pip", "install", "--quiet", "--python", sys.executable, *options, *uv]
    elif pips := _pip(beside):
        command = [*pips, "install", "--quiet", "--no-compile", *options, *pip]
    else:
        todo = "install pip in this environment: uv pip install pip, or python -m ensurepip"
        raise NotInstalledError("there is neither pip nor uv here", todo)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S)
    except subprocess.TimeoutExpired as error:
        seen = f"{Path(command[0]).name} has not ended after {_LONGEST_S} s"
        raise NotInstalledError(seen) from error
    if done.returncode != 0:
        last = "\n".join([line for line in done.stderr.splitlines() if line.strip()][-3:])
        raise NotInstalledError(last)


def _pip(path: str) -> list[str]:
    """Return how to call a pip; [] where there is none. It installs for any Python.

    This environment's; or the one that ensurepip would install, called as it stands in its wheel
    (uv makes environments without pip); or another one.
    """
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    # https://docs.python.org/3/using/configure.html#cmdoption-with-wheel-pkg-dir
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR")]
    found = find_spec("ensurepip")
    folders += [Path(found.origin).parent / "_bundled"] if found and found.origin else []
    for folder in filter(None, folders):
        for wheel in Path(folder).glob("pip-*.whl"):
            return [sys.executable, str(wheel / "pip")]
    other = shutil.which("pip3", path=path) or shutil.which("pip", path=path)
    return [other] if other else []
