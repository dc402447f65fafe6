"""Manifests pushed to a registry as an artifact, as Argo CD takes them.

https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import urllib.request
from collections.abc import Sequence
from typing import Any

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_EMPTY = "application/vnd.oci.empty.v1+json"


def push_manifests(registry: str, name: str, objects: Sequence[dict[str, Any]]) -> str:
    """Push objects; return the digest of the artifact."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}).encode()
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        member = tarfile.TarInfo("manifests.json")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    layer, config = gzip.compress(raw.getvalue(), mtime=0), b"{}"
    base = f"http://{registry}/v2/{name}"
    for blob in (layer, config):
        begun = _ask("POST", f"{base}/blobs/uploads/", b"")
        location = begun.headers["Location"]
        joined = "&" if "?" in location else "?"
        _ask("PUT", f"{location}{joined}digest={_digest(blob)}", blob, "application/octet-stream")
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "artifactType": "application/vnd.nomock.manifests",
            "config": {"mediaType": _EMPTY, "digest": _digest(config), "size": len(config)},
            "layers": [{"mediaType": _LAYER, "digest": _digest(layer), "size": len(layer)}],
        }
    ).encode()
    _ask("PUT", f"{base}/manifests/{_digest(manifest)}", manifest, _MANIFEST)
    return _digest(manifest)


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _ask(method: str, url: str, body: bytes, kind: str = "") -> Any:
    headers = {"Content-Type": kind} if kind else {}
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    return urllib.request.urlopen(request)
