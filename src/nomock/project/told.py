"""Say what changed since an image was built, by name."""

from __future__ import annotations

from collections.abc import Mapping

from nomock.project.left_out import are_written_by_runs

_SETTINGS = ""
"""The name of the part that is the ``build`` section itself."""
_OF_GIT = "/.git"
"""The end of the name of the part that is a commit, where a Dockerfile makes something of it."""


def what_changed(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Say which parts are not what an image was built of: files by name, one and how many more.

    ``before`` is empty where it is not known.
    """
    said = "build context changed"
    if not before:
        return said
    changed = sorted(n for n in before.keys() | now.keys() if before.get(n) != now.get(n))
    if changed == [_SETTINGS]:
        return "build settings changed"
    # A new folder is told by what is in it.
    names = [n for n in changed if n and not any(other.startswith(f"{n}/") for other in changed)]
    if not names:
        return said
    by_runs = are_written_by_runs(names)
    first = next((name for name in names if by_runs or not are_written_by_runs([name])), names[0])
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    cure = "; if runs write it, name it in .dockerignore" if by_runs else ""
    return f"{said}: {_how(first, before, now)}{more}{cure}"


def _how(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> str:
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    if f"/{name}".endswith(_OF_GIT):
        return "another commit"
    if name not in before:
        return f"new {shown}"
    return shown if name in now else f"{shown} is gone"
