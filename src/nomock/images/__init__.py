"""Each image that the compose file takes from a variable: here, pulled, or built from packages."""

from nomock.images.manifest import ImageSpec
from nomock.images.resolving import (
    ResolvedImage,
    project_name,
    provide_images_of,
    resolve_image,
    resolve_images,
)

__all__ = [
    "ImageSpec",
    "ResolvedImage",
    "project_name",
    "provide_images_of",
    "resolve_image",
    "resolve_images",
]
