"""Secrets: compose's secrets, and the variables of services that hold some."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping

from lightkube.resources.core_v1 import Secret

from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.meta import of_sandbox, of_service
from nomock.sandbox.render.mounts import SecretFile
from nomock.sandbox.render.plan import Plan, ServicePlan
from nomock.sandbox.render.secrets import FILE_KEY, environment_name


class Secrets(Kind):
    """One for each secret of the compose file, and one for each service's environment."""

    def of_sandbox(self, plan: Plan) -> Iterator[Secret]:
        """Return those that services mount."""
        found = {
            mount.source.name: mount.source.content
            for service in plan.services.values()
            for mount in service.mounts
            if isinstance(mount.source, SecretFile)
        }
        for name in sorted(found):
            data = _encoded({FILE_KEY: found[name]})
            yield Secret(metadata=of_sandbox(plan.place, name), data=data, immutable=True)

    def of_service(self, service: ServicePlan) -> Iterator[Secret]:
        """Return that of the environment."""
        if service.secret:
            data = _encoded({name: value.encode() for name, value in service.secret.items()})
            yield Secret(
                metadata=of_service(service, environment_name(service)), data=data, immutable=True
            )


def _encoded(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {name: b64encode(contents[name]).decode() for name in sorted(contents)}
