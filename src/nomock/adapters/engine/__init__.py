"""The container engine's own HTTP API, spoken over its socket with the standard library.

python-on-whales starts a process for every question (50 to 100 ms, and 0.2 s to import); the
socket answers in one. All that is asked often goes this way: which containers a project has,
how they are, and what they logged. The API: https://docs.docker.com/reference/api/engine/
"""

from nomock.adapters.engine.addresses import Address
from nomock.adapters.engine.client import Engine
from nomock.adapters.engine.commands import ExecResult, Executed
from nomock.adapters.engine.configuration import ContainerConfig, Image, ImageConfig, Mount
from nomock.adapters.engine.connection import endpoint
from nomock.adapters.engine.container import Container, names_of
from nomock.adapters.engine.conversation import Conversation
from nomock.adapters.engine.past import Act, Course, Happening, Probed
from nomock.adapters.engine.resources import Limits, Machine, Pressure, Work
from nomock.adapters.engine.state import ContainerState, ExitState

__all__ = [
    "Act",
    "Address",
    "Container",
    "ContainerConfig",
    "ContainerState",
    "Conversation",
    "Course",
    "Engine",
    "ExecResult",
    "Executed",
    "ExitState",
    "Happening",
    "Image",
    "ImageConfig",
    "Limits",
    "Machine",
    "Mount",
    "Pressure",
    "Probed",
    "Work",
    "endpoint",
    "names_of",
]
