"""Each image that the compose file takes from a variable: here, pulled, or built from packages."""

from nomock.images.settle import Settled, project_name, settle, settle_one
from nomock.images.wanted import Wanted

__all__ = ["Settled", "Wanted", "project_name", "settle", "settle_one"]
