"""Asked inside a container: which Pythons are its service's own? Prints one JSON list.

Run by a Python of the container, however old, as ``python3 -I -S -c TEXT``. Those that a
healthcheck or ``docker exec`` started are none, and neither are those that another Python started:
what that does is its own affair.
"""

import json
import os
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")


def read(pid: str, name: str) -> str:
    """Return what a file of a process says, empty where it is gone or somebody else's."""
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def parent_and_start(pid: str) -> "tuple[str, float]":
    """Return a process's parent, and when it started, in seconds since the machine did."""
    # Behind the name, which may hold anything.
    fields = read(pid, "stat").rpartition(")")[2].split()
    return (fields[1], int(fields[19]) / TICKS) if len(fields) > 19 else ("", 0.0)


def is_python(pid: str, words: "list[str]") -> bool:
    """Tell whether a process is a Python: by its program, or what it was called by."""
    try:
        names = [os.readlink(f"/proc/{pid}/exe"), *words[:1]]
    except OSError:
        names = words[:1]
    return any(os.path.basename(name).startswith("python") for name in names)


def first_pythons() -> "list[Any]":
    """Return the Pythons below the first process that have no Python above them."""
    here, now = read("self", "cgroup"), float(read("self", "../uptime").split()[0] or 0)
    # Another container's, where the two share their processes, have another cgroup.
    pids = [p for p in os.listdir("/proc") if p.isdigit() and read(p, "cgroup") == here]
    parents = {pid: parent_and_start(pid) for pid in pids}
    words = {pid: read(pid, "cmdline").rstrip("\0").split("\0") for pid in pids}
    pythons = {pid for pid in pids if is_python(pid, words[pid])}
    found = []
    for pid in pythons:
        above, ancestors = parents[pid][0], []
        while above in parents and above not in ancestors:
            ancestors.append(above)
            above = parents[above][0]
        if [pid, *ancestors][-1] == "1" and not pythons.intersection(ancestors):
            variables = read(pid, "environ").split("\0")
            environ = dict(v.split("=", 1) for v in variables if "=" in v)
            found.append(
                {
                    "pid": int(pid),
                    "words": words[pid],
                    "age_s": now - parents[pid][1],
                    "path": environ.get("PYTHONPATH", ""),
                    "out": environ.get("NOMOCK_SPY_OUT", ""),
                    "readable": bool(environ),
                }
            )
    return found


# Where it has a parent, all processes of the machine are to be seen: no first one is the service's.
print("nomock-look " + json.dumps(first_pythons() if os.getppid() == 0 else []))
