"""The ways to bring a sandbox to what its objects say: by the cluster's API, or by Argo CD."""

from nomock.sandbox.ways.argo import ByArgo
from nomock.sandbox.ways.direct import Direct
from nomock.sandbox.ways.way import Way

__all__ = ["ByArgo", "Direct", "Way"]
