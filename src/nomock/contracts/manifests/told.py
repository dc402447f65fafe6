"""What a container is told: its variables, as Kubernetes puts them together.

https://kubernetes.io/docs/tasks/inject-data-application/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nomock.contracts.finding import Finding
from nomock.contracts.host import UNKNOWN
from nomock.contracts.manifests.containers import Container
from nomock.contracts.manifests.documents import Document, items, mapping
from nomock.contracts.manifests.expanding import expand, is_variable
from nomock.contracts.manifests.objects import (
    Objects,
    place_of_key,
    text_of,
    values_of,
    what_it_is,
)
from nomock.contracts.near import near

_OBJECTS = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
_WHOLE = {"configMapRef": "ConfigMap", "secretRef": "Secret"}


@dataclass
class Told:
    """The variables of a container."""

    values: dict[str, str] = field(default_factory=dict)
    """Variable -> value; UNKNOWN in it stands for what is not among the objects."""
    places: dict[str, str] = field(default_factory=dict)
    """Variable -> file and line."""
    is_whole: bool = True
    """Whether all that it is told is known."""
    secrets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Variable -> the values of Secrets that are in its value."""
    used: set[str] = field(default_factory=set)
    """The variables that others, or the command, are made of."""
    findings: list[Finding] = field(default_factory=list)
    """What is wrong with how it is told."""


class Telling:
    """Puts together what one container is told, in the order that Kubernetes does."""

    def __init__(self, container: Container, objects: Objects, links: Mapping[str, str]) -> None:
        self._container = container
        self._objects = objects
        self._links = links
        self._missing: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._told = Told()

    def told(self) -> Told:
        """Return the variables, and what is wrong with how they are told."""
        for number, source in items(self._container.spec, "envFrom"):
            self._take_all(source, self._container.place("envFrom", number))
        entries = [(n, e) for n, e in items(self._container.spec, "env") if e.get("name")]
        later = [str(entry["name"]) for _, entry in entries]
        for number, entry in entries:
            later.pop(0)
            self._take(str(entry["name"]), entry, self._container.place("env", number), later)
        self._told.findings += [*self._of_missing(), *self._of_command()]
        return self._told

    def _take_all(self, source: Mapping[str, Any], place: str) -> None:
        """Take all that a ConfigMap or a Secret has."""
        for key, kind in _WHOLE.items():
            reference = mapping(source, key)
            name = text_of(reference.get("name"))
            if not name:
                continue
            found = self._objects.find(kind, name, self._container.document)
            if found is None:
                self._told.is_whole = False
                self._miss(kind, reference, "", place)
                continue
            prefix = text_of(source.get("prefix"))
            for variable, value in values_of(found).items():
                self._told.values[prefix + variable] = value
                self._told.places[prefix + variable] = place_of_key(found, variable)
                self._note_secrets(prefix + variable, [value] if kind == "Secret" else [])

    def _take(self, name: str, entry: Mapping[str, Any], place: str, later: list[str]) -> None:
        source = entry.get("valueFrom")
        self._told.places[name] = place
        if isinstance(source, dict):
            value = self._of_reference(name, source, place)
            if value is None:
                self._told.places.pop(name)
                self._told.values.pop(name, None)
                return
            self._told.values[name] = value
            self._note_secrets(name, [value] if "secretKeyRef" in source else [])
            return
        if kind := what_it_is(entry.get("value")):
            what = f"{name} is {kind}, and Kubernetes takes texts alone"
            self._find(name, what, place, "write it in quotes")
        known = {**self._links, **self._told.values}
        expanded = expand(text_of(entry.get("value")), known)
        self._told.used.update(expanded.used)
        of_used = [s for used in expanded.used for s in self._told.secrets.get(used, ())]
        self._note_secrets(name, of_used)
        for unset in expanded.unset:
            self._find_unset(name, unset, place, later)
        self._told.values[name] = UNKNOWN if expanded.has_references else expanded.text

    def _note_secrets(self, name: str, secrets: Sequence[str]) -> None:
        self._told.secrets.pop(name, None)
        if secrets:
            self._told.secrets[name] = tuple(secrets)

    def _of_reference(self, name: str, source: Mapping[str, Any], place: str) -> str | None:
        """Return the value that an entry takes from elsewhere; None where it takes none."""
        for key, kind in _OBJECTS.items():
            if not (reference := mapping(source, key)):
                continue
            wanted = text_of(reference.get("key"))
            found = self._objects.find(
                kind, text_of(reference.get("name")), self._container.document
            )
            if found is None:
                self._miss(kind, reference, name, place)
                return UNKNOWN
            values = values_of(found)
            if wanted in values:
                return values[wanted]
            if reference.get("optional") is not True:
                self._find_keyless(name, wanted, found, values, place)
                return UNKNOWN
            return None
        return UNKNOWN  # of the pod itself, or of its resources

    def _miss(self, kind: str, reference: Mapping[str, Any], variable: str, place: str) -> None:
        name = text_of(reference.get("name"))
        if reference.get("optional") is not True and not self._objects.is_made(kind, name):
            self._missing.setdefault((kind, name), []).append((variable, place))

    def _of_missing(self) -> Iterator[Finding]:
        """Yield the objects that are not there, each once: another one may have made them."""
        for (kind, name), wanted in self._missing.items():
            names = [variable for variable, _ in wanted if variable]
            whole = "" if len(names) == len(wanted) else "all that it has"
            what = f"{', '.join(filter(None, [*names, whole]))} of {kind} {name}, which is not here"
            meant = near(name, (d.name for d in self._objects.of_kind(kind)))
            cure = f"{meant}?" if meant else "see that it is in the cluster before, or add it"
            first = names[0] if names else ""
            yield self._finding(first, f"it takes {what}", wanted[0][1], cure, False)

    def _of_command(self) -> Iterator[Finding]:
        """Yield the variables that its command names and nothing sets; a shell's are others."""
        known = {**self._links, **self._told.values}
        for section in ("command", "args"):
            words = self._container.spec.get(section)
            for number, word in enumerate(words if isinstance(words, list) else []):
                expanded = expand(text_of(word), known)
                self._told.used.update(expanded.used)
                for name in filter(is_variable, expanded.unset if self._told.is_whole else ()):
                    place = self._container.place(section, number)
                    yield self._unset(name, f"its {section} names", place, False)

    def _find_unset(self, name: str, unset: str, place: str, later: list[str]) -> None:
        what = f"{name} names $({unset})"
        if unset in later:
            cure = f"set {unset} before {name}"
            self._find(name, f"{what}, which is set behind it, so it stays as it is", place, cure)
        elif self._told.is_whole:
            finding = self._unset(unset, f"{name} names", place, is_variable(unset))
            self._told.findings.append(finding)

    def _unset(self, unset: str, who: str, place: str, is_certain: bool) -> Finding:
        meant = near(unset, self._told.values)
        self._told.used.add(meant)
        cure = f"$({meant})?" if meant else f"set {unset} before, or write $$({unset}) for the text"
        what = f"{who} $({unset}), which nothing sets, so it stays as it is"
        return self._finding(unset, what, place, cure, is_certain)

    def _find_keyless(
        self, name: str, wanted: str, found: Document, values: Mapping[str, str], place: str
    ) -> None:
        meant = near(wanted, values)
        keys = ", ".join(sorted(values)) or "nothing"
        what = f"{name} takes {wanted} of {found.kind} {found.name}, which has no such key"
        self._find(name, what, place, f"{meant}?" if meant else f"it has {keys}")

    def _find(self, variable: str, what: str, place: str, cure: str) -> None:
        self._told.findings.append(self._finding(variable, what, place, cure, True))

    def _finding(
        self, variable: str, what: str, place: str, cure: str, is_certain: bool
    ) -> Finding:
        return Finding(self._container.shown, variable, what, place, "", cure, is_certain)
