"""A connection to one cluster, as a context of a kubeconfig describes it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import monotonic
from typing import Any

import httpx2
import yaml
from lightkube.config.client_adapter import ConnectionParams
from lightkube.config.kubeconfig import KubeConfig
from lightkube.core.exceptions import ConfigError as KubeConfigError

from nomock.errors import (
    ClusterError,
    ClusterForbiddenError,
    ClusterMissingError,
    ConfigError,
    did_you_mean,
)

_TIMEOUT_S = 10.0
_UNKNOWN, _FORBIDDEN, _NOT_FOUND = 401, 403, 404
# What lightkube raises for YAML that is no kubeconfig: an empty file, a list.
_MALFORMED = (KubeConfigError, KeyError, TypeError, AttributeError)

Query = Mapping[str, str | Sequence[str]]


@dataclass
class Connection:
    """Asks a cluster; any thread may use it. Each method raises a ClusterError."""

    context: str
    address: str
    http: httpx2.Client = field(repr=False)
    """For requests."""
    alone: httpx2.Client = field(repr=False)
    """For requests that have a connection of their own, which nobody uses again."""
    answered_s: float | None = None
    """When it answered the last time, by the monotonic clock; None where it never did."""

    def get(self, path: str, query: Query | None = None) -> Any:
        """Return what a path of the API answers, as JSON; None where there is nothing."""
        reply = self.ask("GET", path, query)
        return None if reply.status_code == _NOT_FOUND else reply.json()

    def text(self, path: str, query: Query | None = None) -> str:
        """Return what a path of the API answers, as text; "" where there is nothing."""
        reply = self.ask("GET", path, query)
        return "" if reply.status_code == _NOT_FOUND else reply.content.decode(errors="replace")

    def try_text(self, path: str, query: Query | None = None) -> str:
        """Return what a path of the API answers, as text; "" also where the cluster refuses."""
        try:
            return self.text(path, query)
        except ClusterMissingError:
            raise
        except ClusterError:
            return ""

    def delete(self, path: str, options: Mapping[str, Any]) -> bool:
        """Delete an object; False where there was none."""
        return self.ask("DELETE", path, json=options).status_code != _NOT_FOUND

    def patch(self, path: str, change: Mapping[str, Any]) -> Any:
        """Change an object by a merge patch (RFC 7386); return it, None where there is none."""
        headers = {"Content-Type": "application/merge-patch+json"}
        reply = self.ask("PATCH", path, json=change, headers=headers)
        return None if reply.status_code == _NOT_FOUND else reply.json()

    def ask(
        self, method: str, path: str, query: Query | None = None, **more: Any
    ) -> httpx2.Response:
        """Send a request and return its answer: one of success, or that there is nothing."""
        with self.translated():
            reply = self.http.request(method, path, params=query, **more)
        self.answered_s = monotonic()
        if reply.status_code >= 400 and reply.status_code != _NOT_FOUND:
            raise self.refused(reply, f"{method} {path}")
        return reply

    def lines(self, path: str, query: Query) -> Iterator[str]:
        """Yield the lines that a path of the API answers, as they come; none where it is not."""
        endless = httpx2.Timeout(_TIMEOUT_S, read=None)
        with (
            self.translated(),
            self.http.stream("GET", path, params=query, timeout=endless) as reply,
        ):
            if reply.status_code < 400:
                yield from reply.iter_lines()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise ClusterMissingError where the cluster does not answer."""
        try:
            yield
        except (httpx2.TransportError, OSError) as error:
            raise ClusterMissingError(
                "the cluster does not answer",
                where=f"cluster {self.context}",
                seen=f"{self.address}: {error or type(error).__name__}",
                todo="start it: nomock sandbox local; or name another one: --context",
            ) from error

    def refused(self, reply: httpx2.Response, asked: str) -> ClusterError:
        """Return the error of an answer that is a refusal, in the cluster's own words."""
        try:
            seen = str(reply.json()["message"])
        except (ValueError, KeyError, TypeError):
            seen = reply.text.strip()
        where = f"cluster {self.context}"
        if reply.status_code == _UNKNOWN:
            return ClusterForbiddenError(
                "the cluster does not take these credentials",
                where=where,
                seen=seen,
                todo=f"they may have expired: log in again for the context {self.context}",
            )
        if reply.status_code == _FORBIDDEN:
            return ClusterForbiddenError(
                "the cluster does not allow it",
                where=where,
                seen=seen,
                todo="let an administrator give this user the right that is named",
            )
        return ClusterError(
            f"the cluster refused {asked} ({reply.status_code})", where=where, seen=seen
        )

    def clock_s(self) -> float | None:
        """Return the time on the cluster's clock, to the second; None where it does not say."""
        said = self.ask("GET", "/version").headers.get("date")
        return parsedate_to_datetime(said).timestamp() if said else None


def connect(context: str, kubeconfig: Path | None = None) -> Connection:
    """Return a connection to the cluster of a context; nothing is asked of it yet.

    ``kubeconfig``: None for ``$KUBECONFIG``, else ``~/.kube/config``. Raises ConfigError where it
    cannot be read, or has no such context.
    """
    path, config = _kubeconfig(kubeconfig)
    if context not in config.contexts:
        raise ConfigError(
            f"there is no context {context!r}",
            where=str(path),
            seen=f"the contexts are: {', '.join(sorted(config.contexts)) or 'none'}",
            todo=did_you_mean(context, config.contexts),
        )
    try:
        single = config.get(context)
        assert single is not None  # it is among the contexts
        given = ConnectionParams(timeout=httpx2.Timeout(_TIMEOUT_S), trust_env=False)
        options = given.httpx_params(single)
    except (KubeConfigError, KeyError, OSError) as error:
        raise ConfigError(
            f"the context {context!r} cannot be used", where=str(path), seen=str(error)
        ) from error
    unshared = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    return Connection(
        context,
        single.cluster.server,
        http=httpx2.Client(**options),
        alone=httpx2.Client(**options, limits=unshared),
    )


def contexts(kubeconfig: Path | None = None) -> list[str]:
    """Return the contexts of a kubeconfig; none where there is no such file."""
    path = _path(kubeconfig)
    return sorted(_kubeconfig(kubeconfig)[1].contexts) if path.exists() else []


def _path(kubeconfig: Path | None) -> Path:
    return kubeconfig or Path(os.environ.get("KUBECONFIG") or "~/.kube/config").expanduser()


def _kubeconfig(kubeconfig: Path | None) -> tuple[Path, KubeConfig]:
    path = _path(kubeconfig)
    try:
        return path, KubeConfig.from_file(path)
    except (OSError, yaml.YAMLError, *_MALFORMED) as error:
        raise ConfigError(
            "this kubeconfig cannot be read",
            where=str(path),
            seen=str(error),
            todo="name another one by $KUBECONFIG, or start a node here: nomock sandbox local",
        ) from error
