"""Whether a sandbox is live: what answers is what was promoted.

A pod that is ready may still be of an earlier promotion: so each service is asked for the digest
of the image that its pods run, and one that is reached by HTTP has to answer, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from http.client import BadStatusLine, HTTPConnection, HTTPException, HTTPSConnection
from threading import Event
from time import monotonic

from nomock.adapters.kubernetes import Pods
from nomock.errors import PromotionError, TargetError
from nomock.target import Container

_PAUSE_S = 0.1
_ANSWER_TIMEOUT_S = 5.0


def check_live(
    pods: Pods,
    namespace: str,
    digests: Mapping[str, str],
    endpoints: Mapping[str, tuple[int, str]],
    hosts: Mapping[str, str],
    *,
    within_s: float,
    show: Callable[[str], None],
) -> dict[str, int]:
    """Return service -> status of what its endpoint answered, once all of it is what was promoted.

    What answers, but not in HTTP, is left out: a database has a published port, too.

    ``digests``: service -> ``sha256:…`` of its image; ``endpoints``: service -> port and path that
    are asked; ``hosts``: service -> public host, which is asked instead, by HTTPS.
    Raises PromotionError where that is not so in time.
    """
    deadline = monotonic() + within_s
    while True:
        is_late = monotonic() > deadline
        containers = pods.containers(namespace)
        stale = _stale(containers, digests)
        answers: dict[str, int] = {}
        silent: dict[str, str] = {}
        for service, (port, path) in {} if stale else endpoints.items():
            show(f"asking {service}")
            try:
                if host := hosts.get(service):
                    answers[service] = _public_status(host, path)
                else:
                    answers[service] = _status(containers, service, port, path)
            except BadStatusLine:
                continue
            except (OSError, HTTPException, TargetError, StopIteration) as error:
                asked = f"https://{hosts[service]}{path}: " if service in hosts else ""
                silent[service] = f"{asked}{str(error) or type(error).__name__}"
        wrong = silent | {s: f"GET {endpoints[s][1]}: {n}" for s, n in answers.items() if n >= 500}
        if not stale and not wrong:
            return answers
        if is_late:
            seen = stale | wrong
            raise PromotionError(
                "what answers is not what was promoted",
                where=f"service {next(iter(seen))}, namespace {namespace}",
                seen="\n".join(f"{name}: {why}" for name, why in seen.items()),
                todo="how its pods are: nomock sandbox status",
            )
        Event().wait(_PAUSE_S)


def _stale(containers: list[Container], digests: Mapping[str, str]) -> dict[str, str]:
    """Return the services that have a running pod of another image than that of their digest."""
    found = {}
    for container in containers:
        wanted = digests.get(container.service)
        if wanted and container.state == "running" and wanted not in container.image:
            found[container.service] = f"it runs {container.image}, not {wanted}"
    return found


def _public_status(host: str, path: str) -> int:
    with closing(HTTPSConnection(host, timeout=_ANSWER_TIMEOUT_S)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def _status(containers: list[Container], service: str, port: int, path: str) -> int:
    own = next(c for c in containers if c.service == service and c.state == "running")
    address = own.published(port)
    with closing(HTTPConnection(*address, timeout=_ANSWER_TIMEOUT_S)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status
