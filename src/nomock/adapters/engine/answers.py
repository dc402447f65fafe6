"""What the engine answered: read, or made an error that says what is wrong with it."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nomock.errors import EngineError, NotPossibleError

API = "1.44"
"""What is asked needs this version of the engine's API: Docker Engine 25, Docker Desktop 4.27."""
_MOST_SHOWN = 400
# Of runc, beneath a rootless engine on a machine with cgroup v1, whether to pause or to limit.
_WITHOUT_CGROUPS = re.compile(
    r"cgroups not configured for container|could not join or create cgroup"
)


class Answers:
    """Reads the answers of the engine at an address."""

    address: str

    @contextmanager
    def _reading(self, asked: str, found: object) -> Iterator[None]:
        """Read an answer in this block: a field that is missing, or of another kind, is named."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise self._nonsense(asked, found, f"{type(error).__name__}: {error}") from error

    def _answer(self, response: http.client.HTTPResponse, body: bytes, asked: str) -> Any:
        if response.status >= 400:
            seen = said(body)
            if newest := re.search(r"Maximum supported API version is ([\d.]+)", seen):
                raise EngineError(
                    f"the engine is too old: it speaks API {newest[1]}, and {API} is needed",
                    where=f"engine at {self.address}",
                    seen=seen,
                    todo="update it: Docker Engine 25, Docker Desktop 4.27, or newer",
                )
            if _WITHOUT_CGROUPS.search(seen):
                raise NotPossibleError(
                    "this engine cannot halt or limit a container: it has no cgroups",
                    where=f"engine at {self.address}",
                    seen=seen,
                    todo="a rootless engine has them where the machine boots with cgroup v2",
                )
            raise EngineError(
                f"the engine refused {asked} ({response.status})",
                where=f"engine at {self.address}",
                seen=seen,
            )
        if not body:
            return None
        try:
            return json.loads(body)
        except ValueError as error:
            raise self._nonsense(asked, body.decode(errors="replace")) from error

    def _nonsense(self, asked: str, found: object, why: str = "") -> EngineError:
        text = found if isinstance(found, str) else json.dumps(found)
        return EngineError(
            f"the answer to {asked} is none of a container engine",
            where=f"engine at {self.address}",
            seen="\n".join(filter(None, (why, shown(text)))),
            todo="look who answers there: docker version; "
            "DOCKER_HOST or DOCKER_CONTEXT says which engine is asked",
        )


def said(body: bytes) -> str:
    """Return the engine's own words for a refusal, or the beginning of whatever there is."""
    text = body.decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, LookupError, TypeError):
        return shown(text)


def oldest_api(body: bytes) -> str | None:
    """Return the oldest version of the API that a newer engine still speaks, if it says so."""
    found = re.search(r"Minimum supported API version is ([\d.]+)", said(body))
    return found[1].rstrip(".") if found else None


def shown(text: str) -> str:
    """Return a text, or its beginning where it is long."""
    text = text.strip()
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
