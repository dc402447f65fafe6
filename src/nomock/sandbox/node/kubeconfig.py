"""The kubeconfig of the local node: how its API is reached from here, and as whom."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from nomock.adapters.engine import Engine
from nomock.errors import EngineError
from nomock.sandbox.node.project import NAME
from nomock.statefolder import writing
from nomock.target import Address

_SHOW = (
    "cd /var/lib/node && for file in ca.crt admin.crt admin.key; do base64 -w 0 $file; echo; done"
)


def write_kubeconfig(path: Path, engine: Engine, node_id: str, address: Address) -> None:
    """Write it, for this user's eyes only, in one step; it is right for as long as the node runs.

    As JSON, which is YAML, too. Raises EngineError where the node does not give its certificates.
    """
    given = engine.run_inside(node_id, ["sh", "-c", _SHOW])
    lines = given.output.splitlines()
    if given.exit_code or len(lines) != 3:
        raise EngineError(
            "the local node does not give the certificates of its API",
            where=f"container {node_id[:12]}",
            seen=given.output,
            todo="take it down and start it anew: nomock sandbox local --down",
        )
    authority, certificate, key = lines
    server = {"server": f"https://{address}", "certificate-authority-data": authority}
    user = {"client-certificate-data": certificate, "client-key-data": key}
    text = json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": NAME, "cluster": server}],
            "users": [{"name": NAME, "user": user}],
            "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
            "current-context": NAME,
        },
        indent=1,
    )
    with writing(path.parent):
        fd, temporary = tempfile.mkstemp(dir=path.parent)  # which only this user may read
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as written:
                written.write(text)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
