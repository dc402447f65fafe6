"""What is wrong with the value of one variable."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Fault:
    """What of a value is wrong, as the end of a sentence that begins with the variable."""

    what: str
    cure: str
    is_certain: bool = True
    quoted: tuple[str, ...] = ()
    """The parts of the value that these sentences have: a value of a Secret is told without."""

    def without(self, secrets: Iterable[str]) -> Fault:
        """Return it without the parts of the value that are parts of a secret.

        >>> Fault("names the host db2", "db?", quoted=("db2",)).without(["pg://db2"]).what
        'names the host …'
        """
        texts = [secret.casefold() for secret in secrets]
        what, cure = self.what, self.cure
        for part in self.quoted:
            if any(part.casefold() in text for text in texts):
                pattern = rf"(?<![\w.-]){re.escape(part)}(?![\w-])"
                what, cure = re.sub(pattern, "…", what), re.sub(pattern, "…", cure)
        return replace(self, what=what, cure=cure)
