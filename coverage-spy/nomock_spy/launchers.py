"""Launchers: scripts that start something installed, written by what installed it.

``gunicorn`` and ``celery`` are files without a suffix that import a function and call it. They are
no files of the app, wherever they lie: in ``/usr/local/bin`` for Debian's pip, in ``~/.local/bin``
for ``pip install --user``, a link for pipx and uv.
"""

from __future__ import annotations

import os
import sys

from nomock_spy.files import content

# The programs of a distribution, which come with it and not with the app.
_DISTRIBUTIONS = ("/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/")
_FOLDERS = ("bin", "Scripts")
# They are shorter than this; what is longer is read to here.
_MOST_BYTES = 4096
# What a launcher's lines begin with; pip, uv and others correct the name that Windows knows it by.
_CORRECTS = (b"sys.argv[0] =", b"if sys.argv[0]", b"elif sys.argv[0]")
_REST = (b"import ", b"from ", b"if __name__ ==", b"sys.exit(", b"'")
# What setuptools writes.
_SETUPTOOLS = (b"# EASY-INSTALL-", b"__requires__")


def is_launcher(path: str) -> bool:
    """Tell whether a file is a launcher, or a program of the distribution.

    A script of the app's own may be short, too, and may lie in a folder that is called ``bin``.
    """
    if path.startswith(_DISTRIBUTIONS):
        return True
    folder, name = path.rsplit("/", 1)
    in_bin = folder.rsplit("/", 1)[-1] in _FOLDERS
    if not in_bin and "." in name:  # as nearly all files are: nothing is read for them
        return False
    lines = _lines(path)
    statements = [line for line in lines if line[:1] != b"#"]
    if any(line.startswith(_CORRECTS) for line in statements):
        if all(line.startswith(_REST + _CORRECTS) for line in statements):
            return True
    elif any(line.startswith(_SETUPTOOLS) for line in lines):
        return True
    # Poetry's have no mark, and a package may install any script.
    return in_bin and _is_of_a_python(folder) and _is_installed(name)


def _lines(path: str) -> list[bytes]:
    """Return a file's lines that are not empty; [] where it cannot be read."""
    text = content(path, _MOST_BYTES) or b""
    return [line for line in map(bytes.strip, text.split(b"\n")) if line]


def _is_of_a_python(folder: str) -> bool:
    """Tell whether scripts of installed packages lie in a folder, as ``lib`` beside it shows."""
    real = os.path.realpath(folder)
    prefixes = {folder.rsplit("/", 1)[0], real.rsplit("/", 1)[0]}
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"  # without its threads: 3.13t
    return any(
        name.startswith(version) for prefix in prefixes for name in _names_in(f"{prefix}/lib")
    )


def _is_installed(name: str) -> bool:
    """Tell whether an installed package lists a script; looked up where there is one to doubt."""
    entry = f"/bin/{name},".encode()
    for folder in sys.path:
        if folder.endswith(("-packages", "-packages/")):
            for about in _names_in(folder):
                if about.endswith((".dist-info", ".egg-info")) and _lists(folder, about, entry):
                    return True
    return False


def _lists(folder: str, about: str, entry: bytes) -> bool:
    record = content(f"{folder}/{about}/RECORD")
    return record is not None and entry in record


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - pathlib is slow to load
    except OSError:
        return []
