"""Artifacts pushed to a registry by its HTTP API, as whom the docker client is logged in there.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from nomock.errors import PromotionError

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
# One of the two kinds of layers that Argo CD unpacks unless its settings say otherwise.
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_EMPTY = "application/vnd.oci.empty.v1+json"
_TIMEOUT_S = 30.0
_UNAUTHORIZED, _NOT_FOUND = 401, 404
_FIELD = re.compile(r'(\w+)="([^"]*)"')


def push_artifact(name: str, tag: str, files: Mapping[str, bytes], kind: str) -> str:
    """Push files as an artifact; return its digest, which is the same for the same files.

    ``name``: registry and repository, ``localhost:32770/shop/sandbox``; ``kind``: the artifact's
    own media type. Raises PromotionError where the registry refuses.
    """
    host, _, repository = name.partition("/")
    layer, config = _packed(files), b"{}"
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "artifactType": kind,
            "config": _described(config, _EMPTY),
            "layers": [_described(layer, _LAYER)],
        }
    ).encode()
    registry = _Registry(host, repository)
    for blob in (config, layer):
        registry.upload(blob)
    registry.ask("PUT", f"manifests/{tag}", manifest, _MANIFEST)
    return _digest(manifest)


@dataclass
class _Registry:
    """Asks one registry about one repository."""

    host: str
    repository: str
    opener: OpenerDirector = field(init=False)
    authorization: str = ""

    def __post_init__(self) -> None:
        # As the engine does: a registry of this machine speaks plain HTTP, without a proxy between.
        is_here = re.fullmatch(r"(localhost|127\.[\d.]+|\[::1\])(:\d+)?", self.host) is not None
        self.base = f"{'http' if is_here else 'https'}://{self.host}/v2/{self.repository}/"
        self.opener = build_opener(*([ProxyHandler({})] if is_here else []))

    def upload(self, blob: bytes) -> None:
        """Send a blob, unless the registry has it."""
        digest = _digest(blob)
        if self.ask("HEAD", f"blobs/{digest}") is not None:
            return
        begun = self.ask("POST", "blobs/uploads/", b"") or {}
        place = str(begun.get("location"))
        asked = f"{place}{'&' if '?' in place else '?'}{urlencode({'digest': digest})}"
        self.ask("PUT", asked, blob, "application/octet-stream")

    def ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = ""
    ) -> Mapping[str, str] | None:
        """Return the headers of an answer, by small letters; None where there is nothing."""
        request = Request(urljoin(self.base, path), data=body, method=method)
        if kind:
            request.add_header("Content-Type", kind)
        try:
            return self._sent(request)
        except HTTPError as error:
            with error:
                if error.code == _NOT_FOUND and method == "HEAD":
                    return None
                told = error.read().decode(errors="replace")
                raise self._refused(f"{method} {path}: {error.code} {told}".strip()) from error
        except (URLError, OSError, ValueError) as error:
            raise self._refused(str(getattr(error, "reason", error))) from error

    def _sent(self, request: Request) -> Mapping[str, str]:
        for is_first in (True, False):
            if self.authorization and self._is_own(request):
                request.add_unredirected_header("Authorization", self.authorization)
            try:
                with self.opener.open(request, timeout=_TIMEOUT_S) as reply:
                    return {name.lower(): value for name, value in reply.headers.items()}
            except HTTPError as error:
                if error.code != _UNAUTHORIZED or not is_first:
                    raise
                with error:
                    self._log_in(error.headers.get("WWW-Authenticate") or "")
        raise AssertionError("the second answer is the last one")

    def _is_own(self, request: Request) -> bool:
        """Tell whether a request goes to the registry itself, and not to where it keeps blobs."""
        return urlsplit(request.full_url).netloc == self.host

    def _log_in(self, asked: str) -> None:
        """Become who the docker client is: https://distribution.github.io/distribution/spec/auth/token/."""
        login = credentials(self.host)
        basic = f"Basic {base64.b64encode(':'.join(login).encode()).decode()}" if login else ""
        scheme, _, rest = asked.partition(" ")
        if scheme.lower() != "bearer":
            self.authorization = basic
            return
        said = dict(_FIELD.findall(rest))
        query = {"service": said.get("service", ""), "scope": said.get("scope", "")}
        request = Request(f"{said.get('realm')}?{urlencode(query)}")
        if basic:
            request.add_unredirected_header("Authorization", basic)
        with self.opener.open(request, timeout=_TIMEOUT_S) as reply:
            token = json.load(reply)
        self.authorization = f"Bearer {token.get('token') or token.get('access_token')}"

    def _refused(self, seen: str) -> PromotionError:
        return PromotionError(
            "the registry refused the push",
            where=f"artifact {self.host}/{self.repository}",
            seen=seen,
            todo="see that the registry is there and that you are logged in: docker login "
            f"{self.host}",
        )


def credentials(host: str) -> tuple[str, str] | None:
    """Return user and password by which the docker client is logged in at a registry.

    https://docs.docker.com/reference/cli/docker/login/#credential-stores
    """
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    helper = (config.get("credHelpers") or {}).get(host) or config.get("credsStore")
    if helper and (found := _helped(str(helper), host)):
        return found
    given = ((config.get("auths") or {}).get(host) or {}).get("auth")
    if not given:
        return None
    user, _, password = base64.b64decode(given).decode().partition(":")
    return user, password


def _helped(helper: str, host: str) -> tuple[str, str] | None:
    try:
        told = subprocess.run(
            [f"docker-credential-{helper}", "get"],
            input=host,
            capture_output=True,
            text=True,
            check=True,
            timeout=_TIMEOUT_S,
        )
        found = json.loads(told.stdout)
        return str(found["Username"]), str(found["Secret"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return None


def _packed(files: Mapping[str, bytes]) -> bytes:
    """Return files as a layer of which each byte is that of the files alone."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            tar.addfile(member, io.BytesIO(files[name]))
    return gzip.compress(raw.getvalue(), mtime=0)


def _described(blob: bytes, kind: str) -> dict[str, Any]:
    return {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"
