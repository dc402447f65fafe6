"""Where in the files of a project something stands, for messages."""

from __future__ import annotations

import re

from nomock.project.model import Project


def place(project: Project, service: str, what: str) -> str:
    """Return ``FILE:LINE: `` of the first line that has it, in the service's part if it has one.

    "" where none has it as it stands: it may be in a variable, or in a file that is included.
    """
    own = [f for f in project.files if f in project.read] if project.read else project.files
    for path in dict.fromkeys([*own, *project.read]):  # nomock's own overlay is the last of files
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for number in _part(lines, service):
            if re.search(rf"(?<![\w.-]){re.escape(what)}(?![\w.-])", lines[number]):
                return f"{path.name}:{number + 1}: "
    return ""


def _part(lines: list[str], service: str) -> range:
    """Return the numbers of the lines that a service has in a file; all of them without a name."""
    if not service:
        return range(len(lines))
    head = re.compile(rf"(\s+)[\"']?{re.escape(service)}[\"']?:")
    for begin, line in enumerate(lines):
        if found := head.match(line):
            rest = enumerate(lines[begin + 1 :], begin + 1)
            ends = (n for n, line in rest if re.match(rf"\s{{0,{len(found[1])}}}[^\s#]", line))
            return range(begin, next(ends, len(lines)))
    return range(0)
