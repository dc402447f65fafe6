"""Where this user has a home, and where nomock keeps what it knows of a stack."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def home(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the user's folder; None for a uid without an entry, as in containers, without HOME."""
    try:
        return Path(environ.get("HOME") or Path.home())
    except RuntimeError:
        return None


def state_dir(root: Path) -> Path:
    """Return the folder for the state of the stack whose compose file is in ``root``.

    It is ``.nomock`` there, which a run, a person and a fault that outlived its run all find. In a
    checkout that this user may not write it is in the user's cache, else in the folder for
    temporary files: who uses the stack in this way shares its state with this user's runs only.
    """
    beside = root / ".nomock"
    if os.access(beside if beside.is_dir() else root, os.W_OK | os.X_OK):
        return beside
    named = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    return _cache() / f"{root.name}-{named}"


def own_coverage_overlay(root: Path) -> Path:
    """Return where nomock keeps the overlay that it made itself, for a stack that has none."""
    return state_dir(root) / "coverage-overlay.yml"


def node_kubeconfig() -> Path:
    """Return the kubeconfig of this machine's own node, whether there is one or not.

    One node is for all checkouts of this user: sandboxes are namespaces of it.
    """
    return _cache() / "node" / "kubeconfig"


def push_locks() -> Path:
    """Return the folder of the locks that pushes hold: the engine's names are for all checkouts."""
    return _cache() / "pushes"


def _cache() -> Path:
    """Return a folder of this user that may be written."""
    own = home()
    # https://specifications.freedesktop.org/basedir-spec/latest/
    named = os.environ.get("XDG_CACHE_HOME")
    caches = [*([Path(named)] if named else []), *([own / ".cache"] if own else [])]
    for cache in caches:
        existing = next(path for path in (cache, *cache.parents) if path.exists())
        if os.access(existing, os.W_OK | os.X_OK):
            return cache / "nomock"
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"nomock-{user}"
