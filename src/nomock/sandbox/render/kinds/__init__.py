"""The kinds of objects that a sandbox is made of, in the order in which they are applied."""

from __future__ import annotations

from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.kinds.claim import Claims
from nomock.sandbox.render.kinds.configmap import ConfigMaps
from nomock.sandbox.render.kinds.deployment import Deployments
from nomock.sandbox.render.kinds.httproute import Routes
from nomock.sandbox.render.kinds.job import Jobs
from nomock.sandbox.render.kinds.limits import Limits
from nomock.sandbox.render.kinds.made import MadeNamespaces
from nomock.sandbox.render.kinds.namespace import Namespaces
from nomock.sandbox.render.kinds.networkpolicy import NetworkPolicies
from nomock.sandbox.render.kinds.quota import Quotas
from nomock.sandbox.render.kinds.role import Roles
from nomock.sandbox.render.kinds.secret import Secrets
from nomock.sandbox.render.kinds.service import Services

__all__ = ["KINDS"]

KINDS: tuple[Kind, ...] = (
    Namespaces(),
    Quotas(),
    Limits(),
    NetworkPolicies(),
    Claims(),
    ConfigMaps(),
    Secrets(),
    Roles(),
    MadeNamespaces(),
    Services(),
    Routes(),
    Jobs(),
    Deployments(),
)
