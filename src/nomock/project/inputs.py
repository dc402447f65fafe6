"""What a resolved compose configuration depends on: files and environment variables.

A digest over too much costs a resolution that was not needed; one over too little would keep
an old stack. So this errs on the side of too much: every file that the text of a compose file
names and that is there, and every variable that it or a service's environment names.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
# Other files are read only where one of these keys stands.
_READS_FILES = re.compile(r"""\b(include|extends|env_file|label_file)["']?\s*:""")
_FILE_NAME = re.compile(r"[\w./~-]+")
# These steer compose and the client themselves, named or not.
_STEERING = re.compile(r"^(COMPOSE|DOCKER)_")


class Inputs:
    """The inputs of a resolution of some compose files under a project name."""

    def __init__(self, files: Sequence[Path], project: str | None) -> None:
        self._project = project
        self._files = _all_files(files)
        named = "\0".join([*(str(f) for f in files), project or ""])
        self.key = hashlib.sha256(named.encode()).hexdigest()[:16]
        """Names the set of compose files, whatever is in them."""

    @property
    def paths(self) -> list[Path]:
        """The compose files, .env, and the files that these name."""
        return list(self._files)

    def variables(self, config: Mapping[str, Any]) -> list[str]:
        """Return the environment variables that may have gone into a resolved configuration."""
        named = {
            name
            for text in self._files.values()
            for name in _VARIABLE.findall(text.decode(errors="replace"))
        }
        # `environment: [NAME]` passes a variable on without a dollar sign.
        for service in (config.get("services") or {}).values():
            named.update(service.get("environment") or {})
        return sorted(named)

    def digest(self, variables: Iterable[str]) -> str:
        """Return a digest of all files and of the given variables as they are now."""
        steering = [name for name in os.environ if _STEERING.match(name)]
        digest = hashlib.sha256((self._project or "").encode())
        for path, text in self._files.items():
            digest.update(f"\0{path}\0{len(text)}\0".encode())
            digest.update(text)
        for name in sorted({*variables, *steering}):
            digest.update(f"\0{name}={os.environ.get(name)!r}".encode())
        return digest.hexdigest()


def _all_files(files: Sequence[Path]) -> dict[Path, bytes]:
    """Read the compose files, .env, and every file that these name."""
    found: dict[Path, bytes] = {}
    waiting = [*files, files[0].parent / ".env"]
    waiting += [Path(p) for p in os.environ.get("COMPOSE_ENV_FILES", "").split(",") if p]
    while waiting:
        path = waiting.pop()
        if path in found or not path.is_file():
            continue
        found[path] = path.read_bytes()
        text = found[path].decode(errors="replace")
        if path.suffix in {".yml", ".yaml"} and _READS_FILES.search(text):
            waiting += [path.parent / name for name in set(_FILE_NAME.findall(text))]
    return dict(sorted(found.items()))
