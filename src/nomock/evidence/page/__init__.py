"""The page of a run: one HTML file that holds all it needs, and asks no network for anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nomock.evidence.folder import FILE, test_folder_name

_HERE = Path(__file__).parent
_MOST_BYTES = 16_000_000
_MOST_OF_TEST = 400_000
# What a trimmed test keeps, in this order, until it fits: lines of others, of it, of each body.
_MOST_OF_STATEMENT = 200
_TRIMS = ((1000, 4000), (300, 2000), (100, 1000), (40, 300), (10, 100))

Record = Mapping[str, Any]

_HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'unsafe-inline'; img-src data:; connect-src 'self'">
<title>nomock evidence</title>
<style>
{css}</style>
</head>
<body>
<nav aria-label="tests">
<header>
<h1></h1>
<p id="command"></p>
<input type="search" placeholder="filter (press /), j and k choose" aria-label="filter tests">
<p><span id="count"></span> <span id="state"></span></p>
</header>
<ol role="listbox" tabindex="0" aria-label="tests"></ol>
</nav>
<main tabindex="-1"></main>
<script type="application/json" id="run">{run}</script>
{tests}
<script>
{js}</script>
</body>
</html>
"""


def page_of(
    run: Mapping[str, Any],
    records: Sequence[Record],
    causes: Sequence[Sequence[Mapping[str, Any]]] = (),
    *,
    is_live: bool = False,
) -> str:
    """Return the page; ``causes`` are those of each record, the likeliest first."""
    budget = min(_MOST_OF_TEST, _MOST_BYTES // max(1, len(records)))
    summaries, scripts = [], []
    for number, record in enumerate(records):
        text = _trimmed(record, budget)
        own = list(causes[number]) if number < len(causes) else []
        summaries.append({**summary(record, own), "is_trimmed": text is not None})
        text = text or _script(record)
        scripts.append(f'<script type="application/json" id="t{number}">{text}</script>')
    return _HTML.format(
        css=(_HERE / "page.css").read_text(encoding="utf-8"),
        js=(_HERE / "page.js").read_text(encoding="utf-8"),
        run=_script({**run, "tests": summaries, "is_live": is_live}),
        tests="\n".join(scripts),
    )


def summary(record: Record, causes: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return what the list of tests shows of one."""
    test, failures = record["test"], record["failures"]
    return {
        "id": test["id"],
        "outcome": test.get("outcome", ""),
        "took_s": test["took_s"],
        "worker": test.get("worker", ""),
        "message": failures[0]["message"][:300] if failures else "",
        "cause": causes[0]["text"] if causes else "",
        "causes": list(causes),
        "file": f"{test_folder_name(test['id'])}/{FILE}",
    }


def _trimmed(record: Record, budget: int) -> str | None:
    """Return less of a record, where all of it is too much; None where it is not."""
    text = _script(record)
    if len(text) <= budget:
        return None
    for most_lines, most_of_body in _TRIMS:
        own = [line for line in record["logs"] if line["whose"] == "own"][-most_lines:]
        rest = [line for line in record["logs"] if line["whose"] != "own"][-most_lines:]
        less = {
            **record,
            "logs": sorted([*own, *rest], key=lambda line: float(line["at_s"])),
            "failures": [
                {name: text[: 10 * most_of_body] for name, text in failure.items()}
                for failure in record["failures"]
            ],
            "exchanges": [_less(x, most_of_body) for x in record["exchanges"][-most_lines:]],
            "trace": [
                {**x, "statement": x.get("statement", "")[:_MOST_OF_STATEMENT]}
                for x in record["trace"]
            ],
        }
        if database := record.get("database"):
            kept = sorted(database["statements"], key=lambda found: -float(found["longest_s"]))
            less["database"] = {**database, "statements": kept[:most_lines]}
        text = _script(less)
        if len(text) <= budget:
            break
    return text


def _less(exchange: Mapping[str, Any], most: int) -> dict[str, Any]:
    less = {**exchange, "curl": exchange["curl"][:most]}
    for name in ("body", "answer"):
        body = exchange[name]
        if body and body["text"] and len(body["text"]) > most:
            less[name] = {**body, "text": body["text"][:most], "is_cut": True}
    return less


def _script(value: object) -> str:
    """Return JSON that may stand in a script: nothing in it ends that, or begins a comment."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
