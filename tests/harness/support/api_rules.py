"""Rules of the API server that no schema has: names, labels, and that nothing dangles.

https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/validation/validation.go
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nomock.sandbox.render.values import number_of

Object = Mapping[str, Any]
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_PART = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"(?=.{{1,253}}$){_PART}(\.{_PART})*")
_NAME_OF_KEY = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(rf"({_NAME_OF_KEY.pattern})?")
_KEY_OF_MAP = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_MOST_BYTES = 2**20


def offences(objects: Sequence[Object]) -> list[str]:
    """Return what the API server would refuse, or would start a pod in vain of."""
    by_name = {(found["kind"], found["metadata"]["name"]): found for found in objects}
    found = [f"twice: {name}" for name in by_name if _count(objects, name) > 1]
    for one in objects:
        name = f"{one['kind']} {one['metadata']['name']}"
        found += [f"{name}: {what}" for what in (*_names(one), *_contents(one))]
        if one["kind"] == "Service":
            found += [f"{name}: {what}" for what in _service(one["spec"])]
        template = one.get("spec", {}).get("template")
        if template:
            found += [f"{name}: {what}" for what in _metadata(template["metadata"])]
            found += [f"{name}: {what}" for what in _pod(template["spec"], by_name)]
    return found


def _count(objects: Sequence[Object], name: tuple[str, str]) -> int:
    return sum((found["kind"], found["metadata"]["name"]) == name for found in objects)


def _names(one: Object) -> Iterator[str]:
    rules = {"Service": _SERVICE_NAME, "Namespace": _LABEL, "Job": _LABEL}
    if not rules.get(one["kind"], _SUBDOMAIN).fullmatch(one["metadata"]["name"]):
        yield "its name"
    yield from _metadata(one["metadata"])


def _metadata(metadata: Object) -> Iterator[str]:
    for kind in ("labels", "annotations"):
        for key, value in (metadata.get(kind) or {}).items():
            prefix, _, name = key.rpartition("/")
            if not _NAME_OF_KEY.fullmatch(name) or (prefix and not _SUBDOMAIN.fullmatch(prefix)):
                yield f"{kind}: key {key}"
            if kind == "labels" and not _VALUE.fullmatch(value):
                yield f"label {key}: {value}"


def _contents(one: Object) -> Iterator[str]:
    if one["kind"] not in {"ConfigMap", "Secret"}:
        return
    coded = (one.get("binaryData") or {}) if one["kind"] == "ConfigMap" else one["data"]
    plain = (one.get("data") or {}) if one["kind"] == "ConfigMap" else {}
    yield from (f"key {key}" for key in {**coded, **plain} if not _KEY_OF_MAP.fullmatch(key))
    size = sum(len(key) for key in {**coded, **plain})
    size += sum(len(b64decode(value)) for value in coded.values())
    size += sum(len(value.encode()) for value in plain.values())
    if size > _MOST_BYTES:
        yield f"{size} bytes"


def _service(spec: Object) -> Iterator[str]:
    ports = spec.get("ports") or []
    names = [port["name"] for port in ports]
    yield from (f"port name {name}" for name in names if not _LABEL.fullmatch(name))
    if len(set(names)) < len(names):
        yield f"port names: {names}"
    numbers = [(port["port"], port["protocol"]) for port in ports]
    if len(set(numbers)) < len(numbers) or not all(0 < number < 2**16 for number, _ in numbers):
        yield f"ports: {numbers}"
    if not ports and spec.get("clusterIP") != "None":
        yield "no ports"


def _pod(spec: Object, by_name: Mapping[tuple[str, str], Object]) -> Iterator[str]:
    volumes = [volume["name"] for volume in spec.get("volumes") or []]
    if len(set(volumes)) < len(volumes):
        yield f"volumes: {volumes}"
    yield from (f"volume {name}" for name in volumes if not _LABEL.fullmatch(name))
    for volume in spec.get("volumes") or []:
        yield from _volume(volume, by_name)
    account = spec.get("serviceAccountName")
    if account and ("ServiceAccount", account) not in by_name:
        yield f"no account {account}"
    for container in (*spec["containers"], *(spec.get("initContainers") or [])):
        paths = [mount["mountPath"] for mount in container.get("volumeMounts") or []]
        if len(set(paths)) < len(paths):
            yield f"mounted twice: {paths}"
        for mount in container.get("volumeMounts") or []:
            if mount["name"] not in volumes:
                yield f"no volume {mount['name']}"
        for variable in container.get("env") or []:
            given = (variable.get("valueFrom") or {}).get("secretKeyRef")
            if given and given["key"] not in _data(by_name, "Secret", given["name"]):
                yield f"no secret for {variable['name']}"
        resources = container.get("resources") or {}
        for what, limit in (resources.get("limits") or {}).items():
            request = (resources.get("requests") or {}).get(what, "0")
            if number_of(request) > number_of(limit):
                yield f"{what}: {request} of {limit}"


def _volume(volume: Object, by_name: Mapping[tuple[str, str], Object]) -> Iterator[str]:
    parts = [part["configMap"] for part in (volume.get("projected") or {}).get("sources") or []]
    parts += [volume["configMap"]] if "configMap" in volume else []
    named = [("ConfigMap", part["name"], part["items"]) for part in parts]
    if "secret" in volume:
        named.append(("Secret", volume["secret"]["secretName"], volume["secret"]["items"]))
    for kind, name, items in named:
        missing = {item["key"] for item in items} - _data(by_name, kind, name).keys()
        yield from (f"no {key} in {kind} {name}" for key in sorted(missing))
    paths = [item["path"] for _, _, items in named for item in items]
    if len(set(paths)) < len(paths):
        yield f"{volume['name']}: paths twice"
    claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
    if claim and ("PersistentVolumeClaim", claim) not in by_name:
        yield f"no claim {claim}"


def _data(by_name: Mapping[tuple[str, str], Object], kind: str, name: str) -> dict[str, str]:
    found = by_name.get((kind, name)) or {}
    return {**(found.get("data") or {}), **(found.get("binaryData") or {})}
