"""Where the services run, as all who ask it see it: an interface, and the values of its answers.

The container engine is such a target, and a sandbox in a cluster is another; neither knows the
other, and who asks knows neither.
"""

from nomock.target.addresses import (
    ANY_IPV4,
    ANY_IPV6,
    Address,
    Binding,
    Locator,
    Network,
    Ports,
)
from nomock.target.commands import ExecResult, Executed
from nomock.target.configuration import ContainerConfig, Mount
from nomock.target.container import Container, names_of
from nomock.target.conversation import Conversation
from nomock.target.interface import Target
from nomock.target.life import ContainerState, ExitState, Work
from nomock.target.owners import has_ended, this_process
from nomock.target.past import Act, Course, Happening, Probed

__all__ = [
    "ANY_IPV4",
    "ANY_IPV6",
    "Act",
    "Address",
    "Binding",
    "Container",
    "ContainerConfig",
    "ContainerState",
    "Conversation",
    "Course",
    "ExecResult",
    "Executed",
    "ExitState",
    "Happening",
    "Locator",
    "Mount",
    "Network",
    "Ports",
    "Probed",
    "Target",
    "Work",
    "has_ended",
    "names_of",
    "this_process",
]
