"""The namespace: it is the sandbox, and says whose it is and until when."""

from __future__ import annotations

from collections.abc import Iterator

from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Namespace

from nomock.adapters.kubernetes import TOOLS
from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.naming import EXPIRES, waves
from nomock.sandbox.render.plan import Plan, labels


class Namespaces(Kind):
    """One for the whole sandbox."""

    def of_sandbox(self, plan: Plan) -> Iterator[Namespace]:
        """Return the namespace."""
        place = plan.place
        said = {EXPIRES: place.expires.isoformat()} if place.expires else {}
        if place.tools_image:
            said[TOOLS] = place.tools_image
        yield Namespace(
            metadata=ObjectMeta(
                name=place.namespace, labels=labels(place), annotations={**waves(0), **said}
            )
        )
