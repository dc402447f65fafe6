"""Makes the site of these pages: ``just docs``. Nothing of it is loaded from elsewhere."""

from __future__ import annotations

import re
from typing import Any

project = "nomock"
copyright = "the nomock authors"
extensions = ["myst_parser"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "nomock"
html_copy_source = False
html_show_sphinx = False
html_use_index = False


def add_contents(app: Any, page: str, source: list[str]) -> None:
    """Make the navigation of the index's own lists, so that they stand in one place."""
    if page == "index":
        for title, body in re.findall(r"^## (.*)\n\n((?:- .*\n)+)", source[0], re.MULTILINE):
            pages = "\n".join(re.findall(r"\]\((\S+)\.md\)", body))
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{pages}\n```\n"


def setup(app: Any) -> None:
    """Register with Sphinx."""
    app.connect("source-read", add_contents)
