"""The API of the Kubernetes cluster that this process runs in, as the pod's own account.

https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
"""

import http.client
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

Object = Mapping[str, Any]

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
REQUEST_S = 5.0
# Who applies an object owns its fields: applied again by the same, it is the same.
MANAGER = "worker"
_APPLY = "application/apply-patch+yaml"
# It may answer at the next try: too many requests, its own trouble, a token that has just changed.
_PASSING = frozenset({401, 408, 429})


class ClusterError(Exception):
    """The cluster did not do what it was asked."""


class UnavailableError(ClusterError):
    """It did not answer, or not for now: the same request may be granted later."""


class RefusedError(ClusterError):
    """It said no, in its own words, and would say so again."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True)
class Cluster:
    """Asks the cluster; each request has a connection of its own. Raises ClusterError."""

    host: str
    port: int
    namespace: str
    """The one of this pod."""

    @classmethod
    def own(cls) -> "Cluster":
        """Return the cluster that this process runs in."""
        return cls(
            os.environ["KUBERNETES_SERVICE_HOST"],
            int(os.environ["KUBERNETES_SERVICE_PORT_HTTPS"]),
            (ACCOUNT / "namespace").read_text(),
        )

    def get(self, path: str) -> Object | None:
        """Return an object; None where there is none."""
        return self._ask("GET", path)

    def create(self, path: str, manifest: Object) -> bool:
        """Make an object; False where there is one of its name.

        Raises RefusedError with 404 where there is no namespace for it.
        """
        try:
            self._ask("POST", path, manifest)
        except RefusedError as refusal:
            if refusal.status != http.client.CONFLICT:
                raise
            return False
        return True

    def apply(self, path: str, manifest: Object) -> None:
        """Make an object what its manifest says, whether it is there or not."""
        query = urlencode({"fieldManager": MANAGER, "force": "true"})
        self._ask("PATCH", f"{path}?{query}", manifest, _APPLY)

    def delete(self, path: str, grace_s: int | None = None) -> bool:
        """Delete an object, or all of a kind, with what was made for it; False: there was none."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        more = {} if grace_s is None else {"gracePeriodSeconds": grace_s}
        return self._ask("DELETE", path, options | more) is not None

    def _ask(
        self, method: str, path: str, body: Object | None = None, kind: str = "application/json"
    ) -> Object | None:
        try:
            # Read each time: the token is replaced while the process runs.
            token = (ACCOUNT / "token").read_text()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
            trust = ssl.create_default_context(cafile=ACCOUNT / "ca.crt")
            # Authorities of many clusters lack an extension that RFC 5280 asks for.
            trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
            connection = http.client.HTTPSConnection(
                self.host, self.port, timeout=REQUEST_S, context=trust
            )
            try:
                connection.request(method, path, json.dumps(body) if body else None, headers)
                reply = connection.getresponse()
                answer: dict[str, Any] = json.loads(reply.read())
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnavailableError(f"{method} {path}: {type(error).__name__}: {error}") from error
        if reply.status == http.client.NOT_FOUND and method != "POST":
            return None
        if reply.status >= http.client.BAD_REQUEST:
            message = str(answer.get("message") or f"{method} {path}: {reply.status}")
            if reply.status in _PASSING or reply.status >= http.client.INTERNAL_SERVER_ERROR:
                raise UnavailableError(message)
            raise RefusedError(reply.status, message)
        return answer
