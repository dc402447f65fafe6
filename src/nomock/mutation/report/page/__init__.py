"""The page of mutants: one HTML file that holds all it needs, without any script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from nomock.mutation.mutant import diff
from nomock.mutation.operators import ALL
from nomock.mutation.report.figures import Figures, figures_of, percent
from nomock.mutation.report.results import Results
from nomock.mutation.verdict import Status, Verdict

_CSS = Path(__file__).with_name("page.css")
# In this order; of those that were noticed there is nothing to say.
_SHOWN = (
    *(Status.SURVIVED, Status.ERROR, Status.NOT_COMPILED),
    *(Status.NO_COVERAGE, Status.SET_ASIDE),
)
_MOST_TESTS = 20
_ABOUT = {operator.name: operator.about for operator in ALL}

_HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>nomock mutants</title>
<style>
{css}</style>
</head>
<body>
<header>
<h1>Mutants</h1>
<p class="score"><strong class="{grade}">{score}</strong> of the mutants that tests run are \
noticed</p>
<p class="facts">{facts}</p>
</header>
<main>
<div class="wide">
<table>
<thead><tr><th scope="col">file</th><th scope="col">score</th><td class="bar"></td>\
<th scope="col">killed</th><th scope="col">survived</th><th scope="col">no test</th>\
<th scope="col">set aside</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
{sections}
</main>
</body>
</html>
"""


def page_of(results: Results, *, coverage: str = "") -> str:
    """Return the page; ``coverage`` is the address of the coverage report, "" if there is none."""
    total = figures_of(results.verdicts)
    files = list(results.by_file())
    sections = [_section(path, verdicts, results) for path, verdicts in files]
    return _HTML.format(
        css=_CSS.read_text(encoding="utf-8"),
        grade=_grade(total.score),
        score=percent(total.score),
        facts=" ".join(f"<span>{fact}</span>" for fact in _facts(total, results, coverage)),
        rows="\n".join(_row(path, figures_of(verdicts)) for path, verdicts in files),
        sections="\n".join(sections),
    )


def _facts(total: Figures, results: Results, coverage: str) -> Iterator[str]:
    hung = f", {total.timed_out} of them hung" if total.timed_out else ""
    yield f"{total.killed} killed{hung}"
    yield f"{total.survived} survived"
    yield f"{total.no_coverage} that no test runs ({percent(total.score_of_all)} with them)"
    yield f"{total.aside} set aside"
    if total.error:
        yield f"{total.error} without a verdict"
    if results.left:
        yield f"{len(results.left)} not tried: the time was over"
    yield f"<time>{escape(results.when)}</time>"
    if coverage:
        yield f'<a href="{escape(coverage)}">coverage</a>'


def _row(path: str, of: Figures) -> str:
    width = round(100 * (of.score or 0))
    name = escape(path).replace("/", "/<wbr>")  # where a narrow screen may break it
    if of.survived or of.error or of.no_coverage or of.aside:
        name = f'<a href="#{escape(path)}">{name}</a>'
    counts = "".join(f"<td>{n}</td>" for n in (of.killed, of.survived, of.no_coverage, of.aside))
    return (
        f'<tr><th scope="row">{name}</th>'
        f'<td class="{_grade(of.score)}">{percent(of.score)}</td>'
        f'<td class="bar"><i style="width: {width}%"></i></td>{counts}</tr>'
    )


def _section(path: str, verdicts: Sequence[Verdict], results: Results) -> str:
    shown = (v for status in _SHOWN for v in verdicts if v.status is status)
    cards = [_card(verdict, results) for verdict in shown]
    if not cards:
        return ""
    return (
        f'<section id="{escape(path)}">\n<h2>{escape(path)}</h2>\n'
        + "\n".join(cards)
        + "</section>"
    )


def _card(verdict: Verdict, results: Results) -> str:
    mutant = verdict.mutant
    inside = f" in <code>{escape(mutant.qualname)}</code>" if mutant.qualname else ""
    head = (
        f'<span class="status">{verdict.status}</span> line {mutant.line}{inside}: '
        f'<span title="{escape(_ABOUT.get(mutant.operator, ""))}">{escape(mutant.operator)}</span> '
        f'<code class="id">{mutant.id}</code>'
    )
    changed = diff(results.sources[mutant.path], mutant).split("\n")[3:]
    lines = "".join(_line(line) for line in changed)
    note = f'<p class="note">{escape(verdict.note)}</p>' if verdict.note else ""
    body = f"{note}<pre>{lines}</pre>{_tests(verdict.covered_by)}"
    kind = verdict.status.replace(" ", "-")
    if verdict.status is Status.SURVIVED:
        return f'<article class="{kind}"><h3>{head}</h3>{body}</article>'
    return f'<details class="{kind}"><summary>{head}</summary>{body}</details>'


def _line(line: str) -> str:
    kind = {"-": "old", "+": "new"}.get(line[:1], "same")
    return f'<span class="{kind}">{escape(line) or " "}</span>\n'


def _tests(tests: Sequence[str]) -> str:
    if not tests:
        return ""
    items = "".join(f"<li>{escape(test)}</li>" for test in tests[:_MOST_TESTS])
    if len(tests) > _MOST_TESTS:
        items += f"<li>and {len(tests) - _MOST_TESTS} more: <code>nomock mutants --json</code></li>"
    opened = " open" if len(tests) <= 3 else ""
    word = "test ran it" if len(tests) == 1 else "tests ran it"
    return f"<details{opened}><summary>{len(tests)} {word}</summary><ul>{items}</ul></details>"


def _grade(score: float | None) -> str:
    if score is None:
        return "faint"
    return "good" if score >= 0.9 else "fair" if score >= 0.7 else "bad"
