"""Each image that the compose file takes from a variable: here, pulled, or built from packages."""

from nomock.images.settle import Settled, project_name, settle

__all__ = ["Settled", "project_name", "settle"]
