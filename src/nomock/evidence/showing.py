"""The log lines of a failing test's report: those that matter, laid out to be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nomock.evidence.timeline import NOBODYS, SEVERE, LogLine, Timeline, read_line

_MOST_OF_FIELD = 200
_INDENT = " " * 4


def shown_logs(found: Timeline, *, began_s: float, cap: int) -> str:
    """Return the text of a report's section; at most ``cap`` lines of logs, the newest.

    Where some lines name the test these come first, then errors that name no test; all others are
    counted. Where none does (no service logs baggage), all are shown.
    """
    own = found.own
    if own:
        errors = [li for li in found.lines if li.whose == NOBODYS and li.level in SEVERE]
        chosen = {"": own, "errors that name no test:": errors}
    else:
        chosen = {"": list(found.lines)}
    width = max((len(line.service) for line in found.lines), default=0)
    parts, left = [], cap
    for title, lines in chosen.items():
        kept = lines[len(lines) - left :] if left < len(lines) else lines
        cut = len(lines) - len(kept) + (0 if title else found.cut)
        if cut and cap:
            parts.append(f"({cut} older lines cut: log_lines)")
        if kept and title:
            parts.append(title)
        parts += [text for line in kept for text in _laid_out(line, began_s, width)]
        left -= len(kept)
    told = {id(line) for lines in chosen.values() for line in lines}
    folded = Counter(line.service for line in found.lines if id(line) not in told)
    if folded:
        each = ", ".join(f"{name} {number}" for name, number in folded.most_common())
        parts.append(f"({folded.total()} other lines: {each})")
    return "\n".join(parts)


def shown_line(text: str, service: str) -> str:
    """Return a line of a service's log as one to be read: level, message, fields."""
    level, message, fields = read_line(text, service)
    if message == text:
        return text
    told = [f"{name}={_short(value)}" for name, value in fields.items()]
    return " ".join(" ".join(filter(None, (level, message, *told))).split())


def _laid_out(line: LogLine, began_s: float, width: int) -> Iterator[str]:
    first, *rest = line.message.splitlines() or [""]
    told = [f"{name}={_short(value)}" for name, value in line.fields.items() if "\n" not in value]
    level = f"{line.level:<7} " if line.level and line.message != line.text else ""
    text = "  ".join(filter(None, (first, " ".join(told))))
    yield f"{line.at_s - began_s:8.3f} s  {line.service:<{width}} | {level}{text}".rstrip()
    yield from (f"{_INDENT}{part}" for part in rest)
    for value in line.fields.values():  # such as a traceback
        if "\n" in value:
            yield from (f"{_INDENT}{part}" for part in value.splitlines())


def _short(value: str) -> str:
    return value if len(value) <= _MOST_OF_FIELD else f"{value[:_MOST_OF_FIELD]}…"
