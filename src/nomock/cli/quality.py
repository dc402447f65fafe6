"""``nomock quality``: one page of all that is known of the tests."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from nomock.cli.show import print_table
from nomock.config import Settings
from nomock.project import write_privately
from nomock.quality.page import Section, page_of
from nomock.quality.sections import sections_of
from nomock.stack import Stack
from nomock.statefolder import make_state_dir

_NAME = "index.html"


def quality(settings: Settings, chosen: argparse.Namespace) -> int:
    """Write the page, and print where it is and what each metric says."""
    sections = sections_of(settings)
    make_state_dir(settings.state_dir)
    path = Path(chosen.output) if chosen.output else settings.state_dir / "quality" / _NAME
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    write_privately(path, page_of(Stack.of(settings).name, when, sections))
    rows = [(s.name, s.value or "not measured", _more(s)) for s in sections]
    print_table(("metric", "measured", ""), rows)
    print(os.path.relpath(path))
    return 0


def _more(section: Section) -> str:
    """Return what a value is about; where there is none, how one comes about, or why not."""
    return section.meaning or section.command or next(iter(section.notes), "")
