"""Jobs: the services that run to their end, which others wait for."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lightkube.models.batch_v1 import JobSpec
from lightkube.resources.batch_v1 import Job

from nomock.project.intention import replicas
from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.meta import of_service
from nomock.sandbox.render.naming import LONGEST, digest
from nomock.sandbox.render.plan import ServicePlan
from nomock.sandbox.render.pod import pod_template
from nomock.sandbox.render.restart import job_restarts

_DIGEST = len("-12345678")
# At each sync of Argo CD, as at each promotion from here and each `docker compose up`.
_RUNS_AGAIN = {"argocd.argoproj.io/sync-options": "Force=true,Replace=true"}


class Jobs(Kind):
    """One for each service that runs to its end."""

    def of_service(self, service: ServicePlan) -> Iterator[Job]:
        """Return it; since no Job can be changed, its name tells what it runs."""
        if not service.is_job:
            return
        count = replicas(service.config)
        policy, tries = job_restarts(service.config)
        template = pod_template(service, policy)
        told = digest(json.dumps(template.to_dict(), sort_keys=True).encode())
        yield Job(
            metadata=of_service(
                service, f"{service.label[: LONGEST - _DIGEST]}-{told}", _RUNS_AGAIN
            ),
            spec=JobSpec(
                template=template,
                backoffLimit=tries,
                completions=count if count > 1 else None,
                parallelism=count if count > 1 else None,
            ),
        )
