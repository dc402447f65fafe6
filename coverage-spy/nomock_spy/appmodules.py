"""The app's modules that are installed like other people's: ``pip install .`` in the image.

nomock sees in the build context which these are, and says so in the folder of the data.
"""

from __future__ import annotations

from nomock_spy.files import content
from nomock_spy.guard import lose
from nomock_spy.hints import Any

FILE = "app-modules.json"
"""``{"shop": ["till", "company.goods"]}``: modules and packages, by service."""


def modules_of(out: str, service: str) -> tuple[str, ...]:
    """Return the installed modules that are a service's own; none where nothing is said of it."""
    text = content(f"{out}/{FILE}")
    if text is None:
        return ()
    try:
        return tuple(map(str, _parsed(text.decode()).get(service, ())))
    except (ValueError, AttributeError, TypeError) as error:
        lose(f"not reading which modules are the app's: {FILE}: {error}")
        return ()


class _AsUsual:
    """What json's decoder has the scanner do, with nothing of its own."""

    strict = True
    object_hook = object_pairs_hook = array_hook = None
    parse_float, parse_int = float, int
    parse_constant: dict[str, float] = {}  # noqa: RUF012 - never written to
    memo: dict[str, str] = {}  # noqa: RUF012


def _parsed(text: str) -> Any:
    """Return what a text in JSON says; raises ValueError."""
    try:  # json takes milliseconds to load; this is its part in C
        from _json import make_scanner
    except ImportError:
        import json

        return json.loads(text)
    make: Any = make_scanner
    try:
        return make(_AsUsual)(text, 0)[0]
    except (StopIteration, SystemError) as error:  # Python 3.11 has the latter for what is broken
        raise ValueError("it is no JSON") from error
