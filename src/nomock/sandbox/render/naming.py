"""The names, labels and annotations of objects.

A service's name becomes a DNS label: names of Services have to be one, and begin with a letter.
https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable

from nomock.errors import NotPromotableError

LONGEST = 63
SANDBOX = "nomock/sandbox"
"""The label of all that belongs to a sandbox: its id."""
WAVE = "nomock/wave"
"""The annotation that says when an object is applied: waves go one after the other."""
MADE_IN = "nomock/made-in"
"""The label of a namespace that a service of a sandbox made: the namespace of that sandbox."""
EXPIRES = "nomock/expires"
"""The annotation of a namespace: when the reaper may remove it."""
BY = "nomock/promoted-by"
"""The annotation of a namespace: ``direct``, or the Application of Argo CD that brings it up."""
FROM = "nomock/from"
"""The annotation of a ConfigMap: the path that its files are of."""
INSIDE = "nomock/inside"
"""The label of pods that reach nothing outside: all networks of their service are internal."""
NETWORK = "network.nomock/"
"""The prefix of the labels of pods, one for each network that a service is in."""
_ARGO_WAVE = "argocd.argoproj.io/sync-wave"
_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_VALUE = re.compile(r"[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?", re.ASCII)
_ANNOTATION = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?", re.ASCII
)


def is_label(name: str) -> bool:
    """Tell whether a name can stand as it is as the name of a Service."""
    return _LABEL.fullmatch(name) is not None


def label_of(name: str) -> str:
    """Return a name as a DNS label.

    >>> label_of("web_app"), label_of("2048")
    ('web-app', 's-2048')
    """
    found = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not found[:1].isalpha():
        found = f"s-{found}"
    return found[:LONGEST].strip("-")


def label_value(name: str) -> str:
    """Return a service's own name as the value of a label, where labels can have it.

    >>> label_value("web_app"), label_value("_web")
    ('web_app', 'web')
    """
    return name if _VALUE.fullmatch(name) else label_of(name)


def labels_of(names: Iterable[str]) -> dict[str, str]:
    """Return the DNS label of each service.

    Raises NotPromotableError where two services would get the same.
    """
    by_label = defaultdict(list)
    for name in names:
        by_label[label_of(name)].append(name)
    for label, same in by_label.items():
        if len(same) > 1:
            raise NotPromotableError(
                f"these services would have one name in a sandbox, {label}",
                where="compose file",
                seen=", ".join(sorted(same)),
                todo="rename one: names differ there by small letters, digits and hyphens alone",
            )
    return {name: label for label, (name,) in by_label.items()}


def is_annotation(key: str) -> bool:
    """Tell whether a key can be that of an annotation.

    >>> is_annotation("traefik.http.routers.x.rule"), is_annotation("my label")
    (True, False)
    """
    return _ANNOTATION.fullmatch(key) is not None


def waves(wave: int) -> dict[str, str]:
    """Return the annotations that say in which wave an object is applied, Argo CD's among them."""
    return {WAVE: str(wave), _ARGO_WAVE: str(wave)}


def digest(*parts: bytes) -> str:
    """Return eight hexadecimal digits for a content: an object whose content is new has a new name.

    So pods are replaced where a file or a secret of theirs changed, and only there.
    """
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()[:8]
