"""Asked inside a container: which Python does this command run? Prints one JSON object.

Run by whatever Python 3 is at hand there, however old: ``python3 -I -c TEXT TEXT REQUEST``, where
TEXT is that of this file and REQUEST is ``{"words": […]}``, the command line. Where that runs
another Python, or may run one of several, each is asked the same way. It needs no /proc and no
other program: an image may have neither.
"""

import glob
import json
import os
import subprocess
import sys
from typing import Any

MARK = "nomock-probe "
PYTHONS = ("python", "pypy")
SHELLS = ("sh", "bash", "dash", "ash", "ksh", "zsh")
# What starts a Python that its words need not name.
RUNNERS = (
    *("uv", "uvx", "poetry", "pipenv", "pdm", "hatch", "rye", "pixi", "tox", "nox", "pipx"),
    *("conda", "mamba", "micromamba"),
    *("honcho", "foreman", "forego", "goreman", "overmind", "hivemind", "procodile"),
    *("supervisord", "circusd", "s6-svscan", "runsvdir", "runit", "init", "systemd", "monit"),
    *("make", "just", "task", "doppler", "infisical", "chamber", "op", "dotenv", "envconsul"),
    *("watchexec", "entr", "reflex", "nodemon", "pm2", "uwsgi", "unitd"),
)
# What is in a program that is linked with Python, or sets its environment.
EMBEDS = (b"libpython", b"PYTHONPATH")
MOST_MEGABYTES = 128
MOST_ASKED = 8


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


def is_runner(program: str) -> bool:
    """Tell whether a program starts others: one that is known for it, or that knows Pythons.

    What is compiled and never says PYTHONPATH or libpython has no Python in it, and starts none.
    """
    if os.path.basename(program) in RUNNERS:
        return True
    try:
        with open(program, "rb") as file:
            if file.read(4) != b"\x7fELF":
                return False
            before = b""
            for _ in range(MOST_MEGABYTES):
                part = file.read(1 << 20)
                if not part:
                    return False
                if any(mark in before + part for mark in EMBEDS):
                    return True
                before = part[-16:]
    except OSError:
        pass
    return False


def environments() -> "list[str]":
    """Return the Pythons that a runner, or a script, may choose, the likeliest first."""
    said, home = os.environ.get, os.path.expanduser("~")
    folders = [said(name) for name in ("UV_PROJECT_ENVIRONMENT", "VIRTUAL_ENV", "CONDA_PREFIX")]
    here = os.getcwd()
    while True:
        folders += [os.path.join(here, name) for name in (".venv", "venv")]
        if here == os.path.dirname(here):
            break
        here = os.path.dirname(here)
    folders += ["/opt/venv"]
    parents = [
        said("POETRY_VIRTUALENVS_PATH"),
        os.path.join(said("POETRY_CACHE_DIR") or home + "/.cache/pypoetry", "virtualenvs"),
        said("WORKON_HOME") or home + "/.local/share/virtualenvs",
        home + "/.local/share/pdm/venvs",
        home + "/.local/share/hatch/env/virtual/*/*",
        said("UV_PYTHON_INSTALL_DIR") or home + "/.local/share/uv/python",
        (said("PYENV_ROOT") or home + "/.pyenv") + "/versions",
        "/opt/conda/envs",
    ]
    for parent in parents:
        folders += sorted(glob.glob(os.path.join(parent, "*"))) if parent else []
    found = [os.path.join(folder, "bin", "python") for folder in folders if folder]
    found += [which("python3"), which("python")]
    for folder in os.environ.get("PATH", os.defpath).split(":"):
        found += sorted(glob.glob(os.path.join(folder, "python3.*[0-9]")))
    return [python for python in found if python and os.access(python, os.X_OK)]


def find(words: "list[str]") -> Any:
    """Return the words that are a Python or a script for one, and what runs each.

    ``program`` is a shell or a runner among the words; ``others`` are the Pythons that one of
    these may start, whatever else is in its words.
    """
    starter, pythons = "", []
    for at, word in enumerate(words):
        program = which(word)
        if not program:
            continue
        if is_python(program):
            pythons.append(python_at(at, program, program, []))
            continue
        by = interpreter(program)
        if by and is_python(by[0]):
            pythons.append(python_at(at, program, by[0], by[1:]))
            if os.path.basename(program) in RUNNERS:
                starter = starter or program
        elif os.path.basename(by[0] if by else program) in SHELLS:
            starter = starter or program
        elif not starter and not pythons and is_runner(program):
            starter = program
    others = environments() if starter else []
    if not pythons:
        here = (others + [which("python3") or which("python") or sys.executable])[0]
        pythons = [python_at(None, starter, here, [])]
    return {"pythons": pythons, "starter": starter, "others": others}


def python_at(at: Any, program: str, by: str, options: "list[str]") -> Any:
    """Return a Python by its place among the words; None where no word names it."""
    return {"at": at, "program": program, "interpreter": by, "options": options}


def libc() -> str:
    """Return glibc or musl: compiled modules are for one of them."""
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        name = ""
    return "glibc" if name.startswith("glibc") else "musl"


def describe() -> Any:
    """Describe this Python."""
    return {
        "version": list(sys.version_info[:3]),
        "implementation": sys.implementation.name,
        "libc": libc(),
        "machine": os.uname()[4] if hasattr(os, "uname") else "",
    }


def ask(python: str, request: Any) -> Any:
    """Return what another Python answers, None where it does not run."""
    command = [python, "-I", "-c", sys.argv[1], sys.argv[1], json.dumps(request)]
    try:
        asked = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError as error:
        return {"failed": error.strerror}
    for line in asked.communicate()[0].decode("utf-8", "replace").splitlines():
        if line.startswith(MARK):
            return json.loads(line[len(MARK) :])
    return {"failed": "it ended with " + str(asked.returncode)}


def answer(request: Any) -> Any:
    """Describe this Python, or say which ones a command may run."""
    if "words" not in request:
        return describe()
    found = find(request["words"])
    known = {os.path.realpath(sys.executable): describe()}
    chosen = [python["interpreter"] for python in found["pythons"]] + found["others"]
    for python in chosen:
        # A virtual environment's is a link to one that is asked already.
        real = os.path.realpath(python)
        if real not in known and len(known) < MOST_ASKED:
            known[real] = ask(python, {})
    for python in found["pythons"]:
        python["is"] = known.get(os.path.realpath(python["interpreter"]))
    others = [known.get(os.path.realpath(python)) for python in found["others"]]
    found["others"] = [is_ for is_ in others if is_ and "failed" not in is_]
    return found


print(MARK + json.dumps(answer(json.loads(sys.argv[2]))))
