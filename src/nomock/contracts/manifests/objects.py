"""The objects that containers refer to: which there are, and what they hold."""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from nomock.contracts.finding import Finding
from nomock.contracts.host import UNKNOWN
from nomock.contracts.manifests.documents import Document, mapping

# Objects of operators that make a Secret: where its name stands.
_MAKERS = {
    "SealedSecret": ("spec", "template", "metadata", "name"),
    "ExternalSecret": ("spec", "target", "name"),
    "Certificate": ("spec", "secretName"),
    "VaultStaticSecret": ("spec", "destination", "name"),
}


class Objects:
    """All objects of some manifests."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.all = list(documents)
        self._by_name: dict[tuple[str, str], list[Document]] = defaultdict(list)
        for document in self.all:
            self._by_name[document.kind, document.name].append(document)

    def of_kind(self, kind: str) -> list[Document]:
        """Return the objects of a kind."""
        return [document for document in self.all if document.kind == kind]

    def find(self, kind: str, name: str, beside: Document) -> Document | None:
        """Return the object that another one means by a name; None where there is none.

        Several manifests may have objects of one name; that of the same file comes first.
        """
        named = [
            found
            for found in self._by_name[kind, name]
            if is_same_namespace(found.namespace, beside.namespace)
        ]
        own = [found for found in named if found.file == beside.file]
        return next(iter([*own, *named]), None)

    def is_made(self, kind: str, name: str) -> bool:
        """Tell whether an object of an operator makes it in the cluster."""
        return kind == "Secret" and name in self._made

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that are among the objects themselves: nobody else has made them."""
        return frozenset(document.name for document in self.of_kind("Namespace"))

    @cached_property
    def _made(self) -> frozenset[str]:
        found = set()
        for kind, (*path, last) in _MAKERS.items():
            for document in self.of_kind(kind):
                name = mapping(document.content, *path).get(last)
                found.add(str(name or document.name))
        return frozenset(found)


def is_same_namespace(one: str, other: str) -> bool:
    """Tell whether two may be the same; "" is the one of whoever applies the objects."""
    return one == other or not one or not other


def service_documents(objects: Objects) -> list[Document]:
    """Return the Services of Kubernetes itself: others have that kind, too."""
    services = objects.of_kind("Service")
    return [document for document in services if document.content.get("apiVersion") == "v1"]


def values_of(document: Document) -> dict[str, str]:
    """Return what a ConfigMap or a Secret holds: key -> value."""
    found = {}
    for key, value in mapping(document.content, "data").items():
        text = text_of(value)
        found[str(key)] = _decoded(text) if document.kind == "Secret" else text
    for key, value in mapping(document.content, "stringData").items():
        found[str(key)] = text_of(value)
    return found


def place_of_key(document: Document, key: str) -> str:
    """Return file and line of a key; ``stringData`` goes before ``data``."""
    section = "stringData" if key in mapping(document.content, "stringData") else "data"
    return document.place(section, key)


def text_of(value: object) -> str:
    """Return a value as text; "" where it is nothing, or several."""
    return "" if value is None or isinstance(value, dict | list) else str(value)


def what_it_is(value: object) -> str:
    """Return what a value is that has to be a text; "" where it is one.

    >>> what_it_is(5), what_it_is("5")
    ('a number', '')
    """
    kinds = {bool: "true or false", int: "a number", float: "a number", dict: "a mapping"}
    return {**kinds, list: "a list"}.get(type(value), "")


def faults_in(document: Document) -> Iterator[Finding]:
    """Yield what Kubernetes refuses of a ConfigMap or a Secret; no value is shown."""
    shown = f"{document.kind}/{document.name}"
    for section in ("data", "stringData"):
        for key, value in mapping(document.content, section).items():
            what, cure = "", "write it in quotes"
            if kind := what_it_is(value):
                what = f"{key} is {kind}, and Kubernetes takes texts alone"
            elif _is_broken(document, section, value):
                what, cure = f"{key} is no base64", "encode it, or write it under stringData"
            if what:
                yield Finding(shown, str(key), what, document.place(section, key), "", cure)


def _is_broken(document: Document, section: str, value: object) -> bool:
    if document.kind != "Secret" or section != "data":
        return False
    try:
        base64.b64decode("".join(text_of(value).split()), validate=True)
    except (binascii.Error, ValueError):
        return True
    return False


def _decoded(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split())).decode()
    except ValueError:  # no base64, which is told by itself, or no text
        return UNKNOWN
