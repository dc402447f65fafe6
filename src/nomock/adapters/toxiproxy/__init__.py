"""Toxiproxy's edges and toxics (toxiproxy-python, which is imported when it is first asked)."""

from nomock.adapters.toxiproxy.client import Toxiproxy
from nomock.adapters.toxiproxy.edge import Edge, Toxic

__all__ = ["Edge", "Toxic", "Toxiproxy"]
