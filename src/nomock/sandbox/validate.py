"""Check objects against the schema of a version of Kubernetes, without a cluster.

The schemas are those of kubernetes-validate. Its own check stops at the first mistake of an object,
and reads all schemas anew for each; here each is read once, and every mistake is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from kubernetes_validate import utils
from referencing import Registry, Resource

from nomock.errors import ManifestError

# Kinds that a cluster has by an extension: only itself can say whether an object is right.
_EXTENSIONS = {"gateway.networking.k8s.io/v1"}
VERSION = "1.36"
"""The version that is meant where nobody says another: that of the local node."""


def validate(objects: Iterable[Mapping[str, Any]], version: str = VERSION) -> None:
    """Check objects; raise ManifestError with the object, the path and what is allowed of each.

    Of a version that is newer than the newest known, that one is taken.
    """
    mistakes = [mistake for found in objects for mistake in mistakes_of(found, version)]
    if mistakes:
        raise ManifestError(version, mistakes)


def mistakes_of(found: Mapping[str, Any], version: str = VERSION) -> Iterator[str]:
    """Yield what is wrong with one object: its kind and name, the path, and what is allowed."""
    kind, api_version = str(found.get("kind")), str(found.get("apiVersion"))
    name = f"{kind} {(found.get('metadata') or {}).get('name')}"
    if api_version in _EXTENSIONS:
        return
    validator = _validator(_known(version), kind, api_version)
    if validator is None:
        yield f"{name}: there is no {kind} in {api_version}"
        return
    for error in sorted(validator.iter_errors(found), key=lambda error: list(map(str, error.path))):
        path = ".".join(map(str, error.absolute_path)) or "(the object)"
        yield f"{name}: {path}: {_allowed(error)}"


def _allowed(error: ValidationError) -> str:
    known = error.schema.get("properties") if isinstance(error.schema, Mapping) else None
    if error.validator != "additionalProperties" or not known:
        return str(error.message)
    unknown = sorted(error.instance.keys() - known.keys())
    return f"no {', '.join(unknown)} here; there are: {', '.join(sorted(known))}"


@cache
def _known(version: str) -> str:
    """Return the newest version with schemas that is not newer: ``1.36.0``."""
    numbers = _numbers(version)[:2]
    known: list[str] = utils.all_versions()
    return [found for found in known if _numbers(found)[:2] <= numbers][-1]


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


@cache
def _validator(version: str, kind: str, api_version: str) -> Draft202012Validator | None:
    """Return what checks a kind of object; None where this version of Kubernetes has none such."""
    # apps/v1 is in deployment-apps-v1.json, rbac.authorization.k8s.io/v1 in role-rbac-v1.json.
    api = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    try:
        schema = _schema(version, f"{kind.lower()}-{api}")
    except FileNotFoundError:
        return None
    return Draft202012Validator(schema, registry=_definitions(version))


@cache
def _definitions(version: str) -> Registry[Any]:
    found: Registry[Any] = Resource.from_contents(_schema(version, "_definitions")) @ Registry()
    return found


def _schema(version: str, name: str) -> Any:
    # Strict: a key that there is not is a mistake, as `readinesProbe`.
    return utils.schema_contents(
        f"kubernetes-json-schema/v{version}-local-strict/{name}.json", version
    )
