"""Asked inside a container: which Python does this command run? Prints one JSON object.

Run by whatever Python 3 is at hand there, however old: ``python3 -I -c TEXT TEXT REQUEST``, where
TEXT is that of this file and REQUEST is ``{"words": […]}``, the command line. Where that runs
another Python, this one becomes that one and asks again. It needs no /proc and no other program:
an image may have neither.
"""

import json
import os
import sys
from typing import Any

PYTHONS = ("python", "pypy")
SHELLS = ("sh", "bash", "dash", "ash", "ksh", "zsh")


def which(word: str) -> str:
    """Return the program that a word of a command line names, empty where there is none."""
    folders = [""] if "/" in word else os.environ.get("PATH", os.defpath).split(":")
    for folder in folders:
        path = os.path.join(folder, word)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return ""


def is_python(program: str) -> bool:
    """Tell by its name whether a program is a Python: python3, python3.13t, pypy3."""
    return os.path.basename(program).rstrip("0123456789.t") in PYTHONS


def first_lines(program: str) -> "list[str]":
    """Return the first two lines of a script, none of a compiled program."""
    try:
        with open(program, "rb") as file:
            if file.read(2) != b"#!":
                return []
            return [file.readline(4096).decode("latin-1").strip() for _ in range(2)]
    except OSError:
        return []


def interpreter(program: str) -> "list[str]":
    """Return what runs a script, with its options; empty for a compiled program."""
    lines = first_lines(program)
    if not lines:
        return []
    if lines[1].startswith("'''exec'"):  # of pip and uv, where a path is too long for `#!`
        named = lines[1].split()[1].strip("\"'")
        beside = os.path.join(os.path.dirname(os.path.realpath(program)), "python")
        return [which(named) or which(beside + "3") or beside]
    words = lines[0].split()
    if words and os.path.basename(words[0]) == "env":
        rest = words[1:]
        while rest and (rest[0].startswith("-") or "=" in rest[0]):
            rest.pop(0)
        words = [which(rest[0]) or rest[0]] + rest[1:] if rest else []
    return words


def find(words: "list[str]") -> Any:
    """Return the first word that is a Python or a script for one, and what would run it.

    Where there is none, but a shell may start one: the Python on PATH.
    """
    shell = ""
    for at, word in enumerate(words):
        program = which(word)
        if not program:
            continue
        if is_python(program):
            return {"at": at, "program": program, "interpreter": program, "options": []}
        by = interpreter(program)
        if by and is_python(by[0]):
            return {"at": at, "program": program, "interpreter": by[0], "options": by[1:]}
        name = os.path.basename(by[0] if by else program)
        shell = shell or (program if name in SHELLS else "")
    here = which("python3") or which("python") or sys.executable
    return {"at": None, "program": shell, "interpreter": here, "options": []}


def libc() -> str:
    """Return glibc or musl: compiled modules are for one of them."""
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        name = ""
    return "glibc" if name.startswith("glibc") else "musl"


def answer(request: Any) -> Any:
    """Describe this Python, or go on in the one that the command runs."""
    found = request.get("found")
    if found is None:
        found = find(request["words"])
        other = found["interpreter"]
        if os.path.realpath(other) != os.path.realpath(sys.executable):
            text = sys.argv[1]
            try:
                os.execv(other, [other, "-I", "-c", text, text, json.dumps({"found": found})])
            except OSError as error:
                return dict(found, failed=error.strerror)
    machine = os.uname()[4] if hasattr(os, "uname") else ""
    return dict(
        found,
        version=list(sys.version_info[:3]),
        implementation=sys.implementation.name,
        libc=libc(),
        machine=machine,
    )


print("nomock-probe " + json.dumps(answer(json.loads(sys.argv[2]))))
