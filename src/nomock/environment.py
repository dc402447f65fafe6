"""The environment variables that a text names: those on which compose's reading of it may hang."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_WORD = re.compile(rb"\w+")
_IS_WORD = re.compile(r"\w+", re.ASCII)


def named_in(text: bytes, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables whose names stand in a text as whole words, sorted by name.

    A name that is no word, such as ``my.key``, is found wherever it stands. Not looked for inside
    words, where ``_``, which each shell sets anew, stands in nearly every file.

    >>> named_in(b"image: app:${TAG:-1_0}", {"_": "/bin/sh", "TAG": "2", "TA": "3"})
    {'TAG': '2'}
    """
    words = set(_WORD.findall(text))

    def stands(name: str) -> bool:
        written = os.fsencode(name)
        return written in (words if _IS_WORD.fullmatch(name) else text)

    return {name: environ[name] for name in sorted(environ) if stands(name)}
