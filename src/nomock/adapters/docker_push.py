"""Images pushed to registries by the docker client, which knows how its user logs in there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

from nomock.adapters.compose_call import how_ended, last_lines, require_client
from nomock.errors import PromotionError

# https://github.com/distribution/distribution/blob/main/docs/content/spec/api.md
_DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64})")


def push(
    name: str, on_line: Callable[[str], None], *, environ: dict[str, str] | None = None
) -> str:
    """Push a local image under a name that names its registry; return the digest it has there.

    What the registry has already is not sent again. Raises PromotionError in the client's words.
    """
    require_client()
    said = []
    with subprocess.Popen(
        ["docker", "push", name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            on_line(line.strip())
    found = _DIGEST.search("".join(said))
    if process.returncode != 0 or found is None:
        raise PromotionError(
            "the registry refused the push",
            where=f"image {name}",
            seen=last_lines("".join(said)) or f"docker push {how_ended(process.returncode)}",
            todo="see that the registry is there and that you are logged in: docker login "
            f"{name.partition('/')[0]}",
        )
    return found[1]
