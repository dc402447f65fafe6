"""What commands are called in a cure: those of compose, or of the sandbox that a process is about.

Most errors know a service and what to look at, and not where it runs. So each says it in the words
of compose, and these are put into those of a sandbox where the error is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_spoken: Sequence[tuple[re.Pattern[str], str]] = ()


def speak_of_compose() -> None:
    """Leave cures as they are."""
    _say(())


def speak_of_sandbox(namespace: str, id: str | None) -> None:
    """Name the commands of a sandbox from now on; ``id``: None where they find it without."""
    of_id = f" --id {id}" if id else ""
    _say(
        (
            (
                r"\bnomock down, then nomock up\b.*",
                f"nomock sandbox down{of_id}, then nomock up",
            ),
            (r"\bnomock (logs|status|heal|down)\b", rf"nomock sandbox \1{of_id}"),
            (r"\bdocker compose unpause \S+, then ", ""),
            (r"\bnomock up\b", f"nomock promote{of_id}"),
            (
                r"\bdocker compose restart ([\w.-]+)",
                rf"kubectl -n {namespace} rollout restart deployment/\1",
            ),
        )
    )


def in_words(cure: str) -> str:
    """Return a cure with the commands that there are for where the services run."""
    for pattern, words in _spoken:
        cure = pattern.sub(words, cure)
    return cure


def _say(words: Sequence[tuple[str, str]]) -> None:
    global _spoken
    _spoken = [(re.compile(pattern), said) for pattern, said in words]
