"""The pods of a service, whatever starts them: a Deployment or a Job."""

from nomock.sandbox.render.pod.template import pod_template

__all__ = ["pod_template"]
