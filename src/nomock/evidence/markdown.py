"""A run's failures as Markdown, for a summary in GitHub Actions or a comment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nomock.evidence.causes import Cause

# GitHub takes no more than 1 MiB a step.
_MOST_TESTS = 100
_MOST_OF_FAILURE = 2000


def markdown_of(
    run: Mapping[str, Any], records: Sequence[Mapping[str, Any]], causes: Sequence[Sequence[Cause]]
) -> str:
    """Return the text; tests that passed are left out."""
    failed = [
        (record, own) for record, own in zip(records, causes, strict=True) if record["failures"]
    ]
    lines = [f"### {len(failed)} failed", "", f"`{_one_line(str(run['command']))}`", ""]
    if failed:
        lines += ["| test | likeliest cause |", "|---|---|"]
    for record, own in failed[:_MOST_TESTS]:
        lines.append(f"| {_cell(record['test']['id'])} | {_cell(own[0].text) if own else ''} |")
    if len(failed) > _MOST_TESTS:
        lines.append(f"| and {len(failed) - _MOST_TESTS} more | |")
    for record, own in failed[:_MOST_TESTS]:
        lines += ["", *_details(record, own)]
    return "\n".join([*lines, ""])


def _details(record: Mapping[str, Any], own: Sequence[Cause]) -> Iterator[str]:
    yield f"<details><summary>{_escaped(record['test']['id'])}</summary>"
    yield ""
    for cause in own:
        yield f"- {_escaped(_one_line(cause.text))}"
        yield from (f"  - {_escaped(_one_line(proof))}" for proof in cause.proof)
    text = record["failures"][0]["text"][-_MOST_OF_FAILURE:]
    fence = "`" * max(3, _longest_ticks(text) + 1)
    yield ""
    yield from (fence, text, fence)
    yield ""
    yield "</details>"


def _longest_ticks(text: str) -> int:
    return max(map(len, "".join(c if c == "`" else " " for c in text).split()), default=0)


def _cell(text: str) -> str:
    return _escaped(_one_line(text)).replace("|", "\\|")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    """Return a text that is no HTML and no Markdown."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_[]":
        text = text.replace(mark, f"\\{mark}")
    return text
