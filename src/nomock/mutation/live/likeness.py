"""Which tests speak of what a mutant changes: by the words of their sources.

All tests that log in run the same lines, and coverage does not tell which of them looks at the
token's type. Its words do: names and texts that the changed statement has in common with a test,
each worth the more the fewer tests have it (inverse document frequency, Spärck Jones 1972).
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from math import log
from pathlib import Path

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d{2,}")


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text: of ``token_type`` and ``TokenType`` the same two."""
    return frozenset(found.lower() for found in _WORD.findall(text))


class Likeness:
    """How much each of some tests speaks of something."""

    def __init__(self, root: Path, tests: Iterable[str]) -> None:
        """``root``: what the node ids of the tests are relative to."""
        sources: dict[str, Mapping[str, str]] = {}
        self._words: dict[str, frozenset[str]] = {}
        for test in tests:
            file, _, name = test.partition("::")
            if file not in sources:
                sources[file] = _functions(root / file)
            bare = name.partition("[")[0].rpartition("::")[2]
            self._words[test] = words_of(f"{name} {sources[file].get(bare, '')}")
        having = Counter(word for words in self._words.values() for word in words)
        self._worth = {word: log(len(self._words) / count) for word, count in having.items()}

    def of(self, test: str, words: frozenset[str]) -> float:
        """Return what the words are worth that a test has in common with some others."""
        return sum(self._worth[word] for word in words & self._words.get(test, frozenset()))


def _functions(file: Path) -> dict[str, str]:
    """Return the texts of the functions of a file; of none that Python cannot read."""
    try:
        source = file.read_text(encoding="utf-8")
        tree = ast.parse(source)
    except (OSError, ValueError, SyntaxError):
        return {}
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    lines = source.splitlines()
    return {
        node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno])
        for node in ast.walk(tree)
        if isinstance(node, kinds)
    }
