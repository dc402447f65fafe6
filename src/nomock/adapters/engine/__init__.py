"""The container engine's own HTTP API, spoken over its socket with the standard library.

python-on-whales starts a process for every question (50 to 100 ms, and 0.2 s to import); the
socket answers in one. All that is asked often goes this way: which containers a project has,
how they are, and what they logged. The API: https://docs.docker.com/reference/api/engine/
"""

from nomock.adapters.engine.client import Engine
from nomock.adapters.engine.configuration import Image, ImageConfig
from nomock.adapters.engine.connection import endpoint
from nomock.adapters.engine.conversation import Conversation
from nomock.adapters.engine.resources import Limits, Machine, Pressure

__all__ = [
    "Conversation",
    "Engine",
    "Image",
    "ImageConfig",
    "Limits",
    "Machine",
    "Pressure",
    "endpoint",
]
