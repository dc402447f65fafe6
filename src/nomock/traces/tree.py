"""A trace as a tree to read: what hangs below what, with the parts that are wrong marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from nomock.traces.model import Span, Trace
from nomock.traces.selector import names_of

_MOST_LINES = 80
_MARK = "  <-- "


def tree(
    trace: Trace,
    top: str,
    *,
    marks: Mapping[str, str] | None = None,
    missing: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Return the lines of a trace.

    ``top``: what is said of the test's own span; ``marks``: span id -> what is wrong with it;
    ``missing``: span id -> what is not below it, "" for the test's own span.
    """
    drawn = _Drawn(trace, marks or {}, missing or {})
    lines = [top, *drawn.below(trace.tops, "", drawn.missing.get("", ()))]
    if len(lines) > _MOST_LINES:
        kept = {n for n, line in enumerate(lines) if _MARK in line or n < _MOST_LINES}
        left_out = len(lines) - len(kept)
        lines = [line for n, line in enumerate(lines) if n in kept]
        lines.append(f"… and {left_out} lines more: all of them are in the backend's pages")
    return "\n".join(lines)


def label(span: Span) -> str:
    """Return who did what, as a selector may say it.

    >>> label(Span("", "", "", "POST /instances", resource={"service.name": "instances"}))
    'instances POST /instances'
    """
    system = span.value("db.system.name", "db.system")
    if span.kind == "CLIENT" and system:
        return f"{system} {_longest(span)}"
    return f"{span.service} {_longest(span)}"


def _longest(span: Span) -> str:
    """Return the name that says most, of those that begin with the span's own."""
    return max((n for n in names_of(span) if n.startswith(span.name)), key=len, default=span.name)


class _Drawn:
    def __init__(
        self, trace: Trace, marks: Mapping[str, str], missing: Mapping[str, Sequence[str]]
    ) -> None:
        self._trace = trace
        self._marks = marks
        self.missing = missing

    def below(self, spans: Sequence[Span], indent: str, missing: Sequence[str]) -> Iterator[str]:
        """Yield the lines of some spans, and of what is missing beside them."""
        groups = [list(same) for _, same in groupby(spans, self._key)]
        count = len(groups) + len(missing)
        for number, group in enumerate(groups, start=1):
            corner, stem = ("└─ ", "   ") if number == count else ("├─ ", "│  ")
            times = f" (x{len(group)})" if len(group) > 1 else ""
            span = group[0]
            yield f"{indent}{corner}{self._line(span)}{times}{self._mark(span)}"
            children = self._trace.children(span.span_id)
            yield from self.below(children, indent + stem, self.missing.get(span.span_id, ()))
        for number, what in enumerate(missing, start=len(groups) + 1):
            yield f"{indent}{'└─ ' if number == count else '├─ '}{what}{_MARK}missing"

    def _key(self, span: Span) -> object:
        """Return what spans that follow one another share where one line stands for all."""
        is_alone = span.span_id in self._marks or self._trace.children(span.span_id)
        return span.span_id if is_alone else (label(span), span.status, span.parent_id)

    def _line(self, span: Span) -> str:
        status = span.value("http.response.status_code", "http.status_code")
        kind = span.kind.lower()
        parts = [label(span), status, f"{kind},", f"{span.duration_ms:.1f} ms"]
        if span.status == "ERROR":
            parts.append(f"ERROR {span.status_message}".rstrip())
        raised = {str(e.attributes.get("exception.type", "")) for e in span.exceptions}
        parts += [f"raised {name}" for name in sorted(raised)]
        if span.links:
            parts.append("linked")
        return " ".join(filter(None, parts))

    def _mark(self, span: Span) -> str:
        notes = [self._marks[span.span_id]] if span.span_id in self._marks else []
        parent = self._trace.by_id.get(span.parent_id)
        if parent is not None and span.start_ns < parent.start_ns:
            ahead_ms = (parent.start_ns - span.start_ns) / 1e6
            notes.append(f"begins {ahead_ms:.1f} ms before its parent: their clocks differ")
        return "".join(f"{_MARK}{note}" for note in notes)
