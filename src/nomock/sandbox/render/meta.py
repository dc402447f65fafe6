"""The metadata of objects."""

from __future__ import annotations

from collections.abc import Mapping

from lightkube.models.meta_v1 import ObjectMeta

from nomock.sandbox.render.naming import is_annotation, waves
from nomock.sandbox.render.place import Place
from nomock.sandbox.render.plan import ServicePlan, labels


def of_sandbox(place: Place, name: str, annotations: Mapping[str, str] | None = None) -> ObjectMeta:
    """Return the metadata of what belongs to no service."""
    return ObjectMeta(
        name=name,
        namespace=place.namespace,
        labels=labels(place),
        annotations={**waves(0), **(annotations or {})},
    )


def of_service(
    service: ServicePlan, name: str, annotations: Mapping[str, str] | None = None
) -> ObjectMeta:
    """Return the metadata of what belongs to a service."""
    said = {key: str(value) for key, value in (annotations or {}).items() if is_annotation(key)}
    return ObjectMeta(
        name=name,
        namespace=service.place.namespace,
        labels=service.labels,
        annotations={**service.annotations, **said},
    )
