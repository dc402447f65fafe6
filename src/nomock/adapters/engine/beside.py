"""A program beside a service's container: in its network, and among its processes."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from nomock.adapters.engine.conversation import Conversation
from nomock.adapters.engine.images import Images
from nomock.target import has_ended

OWNER = "nomock.watchdog"
"""The label of what stands beside a service: the process that talks to it."""
_STOPS_WITHIN_S = 60


class Beside(Images):
    """Begins what stands beside services, in containers of its own."""

    def begin_beside(
        self, container_id: str, command: Sequence[str], *, image: str, owner: str
    ) -> Conversation:
        """Begin a program in the network of a running container, with the right to change that.

        It ends with that container; its image is pulled where it is not here. Raises EngineError
        where it does not begin.
        """
        self.obtain(image)
        self._remove_unstarted()
        options = {
            "User": "0",
            "WorkingDir": "/",
            "Labels": {OWNER: owner},
            "StopTimeout": _STOPS_WITHIN_S,
            "HostConfig": {
                "NetworkMode": f"container:{container_id}",
                # With the first process of the service's container the kernel ends this one too.
                "PidMode": f"container:{container_id}",
                "ReadonlyRootfs": True,
                "CapDrop": ["ALL"],
                "CapAdd": ["NET_ADMIN"],
                "SecurityOpt": ["no-new-privileges"],
            },
        }
        name = f"nomock-watchdog-{uuid4().hex[:12]}"
        return self.converse(image, command, options, name=name)

    def owners_beside(self, container_id: str) -> list[str]:
        """Return the owner of each program that runs beside a container."""
        return list(self.beside(container_id, OWNER).values())

    def _remove_unstarted(self) -> None:
        """Remove what was made by processes that were killed before they could start it."""
        for id_, owner in self.unstarted(OWNER).items():
            if has_ended(owner):
                self.remove(id_)
