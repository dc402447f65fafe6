"""A Flask application that renders a page."""

from __future__ import annotations

from flask import Flask, render_template

app = Flask(__name__)


@app.get("/<name>")
def page(name: str) -> str:
    """Answer a request."""
    rows = []
    for number in range(20):
        rows.append({"name": name, "number": number, "even": number % 2 == 0})
    return render_template("page.html", title=name, rows=rows)
