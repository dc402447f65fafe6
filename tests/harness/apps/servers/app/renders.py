"""Renders templates, which become code that has their name: prints what each is."""

from flask import Flask, render_template

app = Flask(__name__)
with app.app_context():
    print(*render_template("page.html", names=["Jinja"]).split())
# As Mako does for a template that it has no file for.
exec(compile("text = 'Mako'\nprint(text)", "page_html", "exec"))
