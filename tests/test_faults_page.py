"""The examples of docs/faults.md, run as they stand there."""

import re
from pathlib import Path

from nomock import recovers_within, steady  # noqa: F401 - for the examples

PAGE = Path(__file__).parents[1] / "docs" / "faults.md"
_TEXT = PAGE.read_text(encoding="utf-8")

for _block in re.finditer(r"```python\n(.*?)```", _TEXT, re.DOTALL):
    # On the lines where they stand, so that a failure points into the page.
    _lines = "\n" * _TEXT.count("\n", 0, _block.start(1))
    exec(compile(_lines + _block[1], str(PAGE), "exec"))
