"""What compose found in ``.env``.

Compose alone reads that file: it is asked for what it found there, and only where one of the names
that matter to nomock stands in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from nomock.environment import named_in
from nomock.errors import NomockError
from nomock.loading.home import contents
from nomock.places import state_dir


@dataclass
class Dotenv:
    """What compose says of ``.env``: the values of the names that were asked for."""

    values: Mapping[str, str] = field(default_factory=dict)
    trouble: NomockError | None = None
    folder: Path | None = None
    """Where it was asked, where it had to be; None where an answer was at hand."""
    key: str = ""

    @classmethod
    def by(cls, folders: list[Path], names: Iterable[str], environ: Mapping[str, str]) -> Dotenv:
        """Ask compose in some folders; the first that has a value of a name wins."""
        folders = list(dict.fromkeys(folders))
        named = filter(None, environ.get("COMPOSE_ENV_FILES", "").split(","))
        files = [*(folder / ".env" for folder in folders), *(folders[0] / name for name in named)]
        text = b"\0".join(map(contents, files))
        asked = [name for name in names if name not in environ and name.encode() in text]
        if not asked:
            return cls()
        from nomock.project.store import Store

        key = _key(text, asked, environ)
        kept = Store(state_dir(folders[0]), "dotenv").read()
        if kept.get("key") == key:
            return cls(kept["values"])
        from nomock.adapters.compose_call import Call
        from nomock.adapters.compose_config import variables

        values: dict[str, str] = {}
        try:
            for folder in folders:
                values = {**variables(Call(folder), asked), **values}
        except NomockError as error:
            return cls(trouble=error)
        return cls(values, None, folders[0], key)

    def remember(self, known: Path) -> None:
        """Keep the answer for the next run, where a stack has been used before."""
        if self.folder is not None and known.is_dir():
            from nomock.project.store import Store

            with suppress(OSError):
                Store(state_dir(self.folder), "dotenv").write(
                    {"key": self.key, "values": dict(self.values)}
                )


def _key(text: bytes, asked: Iterable[str], environ: Mapping[str, str]) -> str:
    """Return a digest of all that may have gone into an answer."""
    import hashlib

    used = named_in(text, environ)
    used |= {name: value for name, value in environ.items() if name.startswith("COMPOSE_")}
    return hashlib.sha256(repr((text, sorted(asked), sorted(used.items()))).encode()).hexdigest()
