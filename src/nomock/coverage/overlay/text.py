"""The overlay as text: YAML as a person would write it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

from nomock.coverage.overlay.finding import Finding

SPY_FOLDER = "coverage-spy"
OWN_SPY_FOLDER = ".nomock/spy"
WHEELS_FOLDER = ".nomock/spy-wheels"
_SPY = "/nomock-spy"
_WHEELS = "/nomock-spy-wheels"

_HEAD = """\
# The spy beside each Python service: docker compose {files} up
# Nothing is built into an image; without this file the services know nothing of it.
#
# NOMOCK_SPY_RUN names the run. It changes with each covered run, so that compose recreates the
# services below (and only these): the lines they report are those of that run.
#
# Written by `nomock overlay`, which asked each service for its Python. It writes this file again
# only while nobody else changed it, which it sees by the sum of the lines below.
"""

_SUM = "# Sum: "
_ASKED = "# Asked: "

_COMMON = """\
x-spy: &spy
  PYTHONPATH: /nomock-spy
  NOMOCK_SPY_OUT: /nomock-spy-data
  NOMOCK_SPY_RUN: ${{NOMOCK_SPY_RUN:-}}

x-spy-mounts: &spy-mounts
  - &spy-folder
    type: bind
    source: ./{spy}
    target: /nomock-spy
    read_only: true
    bind: {{create_host_path: false}}
  - &spy-data
    type: bind
    source: ./.nomock/coverage
    target: /nomock-spy-data
    bind: {{create_host_path: false}}
"""

_WHEELS_MOUNTS = """
x-spy-mounts-{name}: &spy-mounts-{name}
  - *spy-folder
  - *spy-data
"""
# In a folder of its own kind, from which the spy takes that of the Python that runs.
_WHEELS_MOUNT = """\
  - type: bind
    source: ./{folder}/{kind}
    target: {wheels}/{kind}
    read_only: true
    bind: {{create_host_path: false}}
"""

_SERVICE = """\
  {name}:
    environment: {{{environment}}}
    volumes: *{mounts}
"""

# What YAML 1.1 or 1.2 would take for something else than text.
_WORDS = {"", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"}
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9/._-]*")


def overlay_text(
    findings: Iterable[Finding],
    files: Iterable[str],
    asked: Iterable[str] = (),
    spy: str = OWN_SPY_FOLDER,
) -> str:
    """Return the overlay of the services that can be covered; ``files``: theirs, and its own.

    ``asked`` are all services that there were to be asked, ``spy`` is the folder to mount.
    """
    covered = [finding for finding in findings if finding.core]
    mounts = [_mounts(kinds) for kinds in dict.fromkeys(map(_kinds, covered)) if kinds]
    services = "".join(map(_service, covered))
    head = _HEAD.format(files=" ".join(f"-f {name}" for name in files))
    known = f"{_ASKED}{', '.join(asked)}\n"
    body = f"{known}\n{_COMMON.format(spy=spy)}{''.join(mounts)}\nservices:\n{services}"
    return signed(head, body)


def signed(head: str, body: str) -> str:
    """Return the text of an overlay that tells whether it is still as it was written."""
    return f"{head}{_SUM}{_sum(body)}\n{body}"


def is_as_written(text: str) -> bool:
    """Tell whether an overlay is still as it was written."""
    _, found, rest = text.partition(_SUM)
    known, _, body = rest.partition("\n")
    return bool(found) and known == _sum(body)


def asked_in(text: str) -> set[str] | None:
    """Return the services that there were when an overlay was written, None if it does not say."""
    for line in text.splitlines():
        if line.startswith(_ASKED):
            return set(line.removeprefix(_ASKED).split(", "))
    return None


def _sum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _kinds(finding: Finding) -> tuple[str, ...]:
    return tuple(python.kind for python in finding.with_tracer)


def _mounts(kinds: tuple[str, ...]) -> str:
    return _WHEELS_MOUNTS.format(name=_name(kinds)) + "".join(
        _WHEELS_MOUNT.format(folder=WHEELS_FOLDER, kind=kind, wheels=_WHEELS) for kind in kinds
    )


def _name(kinds: tuple[str, ...]) -> str:
    return "-".join(kinds)


def _service(finding: Finding) -> str:
    environment = ["<<: *spy", f"NOMOCK_SPY_SERVICE: {scalar(finding.service)}"]
    mounts = "spy-mounts"
    if path := joined(finding.own_path):
        environment.append(f"PYTHONPATH: {scalar(path)}")
    if kinds := _kinds(finding):
        environment.append(f"NOMOCK_SPY_WHEELS: {_WHEELS}")
        mounts += f"-{_name(kinds)}"
    return _SERVICE.format(
        name=scalar(finding.service), environment=", ".join(environment), mounts=mounts
    )


def joined(own_path: str) -> str:
    """Return a PYTHONPATH with the spy's folder before its own; empty where it has none.

    >>> joined("/app:/lib")
    '/nomock-spy:/app:/lib'
    """
    others = [folder for folder in own_path.split(":") if folder != _SPY]
    return ":".join([_SPY, *others]) if any(others) else ""


def scalar(value: str) -> str:
    """Return a text as YAML that compose reads as that text, quoted only where it has to be.

    >>> scalar("web"), scalar("on"), scalar("/a b:$c")
    ('web', '"on"', '"/a b:$$c"')
    """
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    return value if plain else json.dumps(value.replace("$", "$$"))
