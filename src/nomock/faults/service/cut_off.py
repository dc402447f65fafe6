"""A service has no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nomock.errors import NotPossibleError
from nomock.faults.fault import State
from nomock.faults.service.common import OnService, existing, until_listed

if TYPE_CHECKING:
    from nomock.adapters.engine import Container
    from nomock.faults.ground import Ground

_NOT_ITS_OWN = {"host", "none"}


@dataclass(frozen=True)
class CutOff(OnService):
    """It is taken off all its networks, with its published ports: the part of ``isolate``."""

    kind = "isolate"

    def check(self, ground: Ground) -> None:
        """Refuse a service without networks of its own."""
        for container in existing(ground, self.service):
            networks = ground.engine.networks(container.id).keys()
            if not networks or networks & _NOT_ITS_OWN:
                raise self._not_possible(
                    "it has no network of its own that it could be taken off",
                    f"networks: {', '.join(networks) or 'those of another container'}",
                )
        config = ground.service(self.service).config.config
        if any(c and c.get("mac_address") for c in (config, *config.get("networks", {}).values())):
            raise self._not_possible("the engine does not give its fixed mac_address back")

    def prepare(self, ground: Ground) -> State:
        """Note its networks, with its names and fixed addresses there."""
        found = existing(ground, self.service)
        return {"networks": {c.id: ground.engine.networks(c.id) for c in found}}

    def begin(self, ground: Ground, state: State) -> None:
        """Take it off them."""
        for id_, networks in state["networks"].items():
            for network in networks:
                ground.engine.disconnect(id_, network)

    def seen(self, ground: Ground, state: State) -> str:
        """Say which networks it is still off."""
        off = set()
        for id_, networks in state["networks"].items():
            if ground.engine.life(id_) is not None:
                off |= networks.keys() - ground.engine.networks(id_).keys()
        return f"it was off {', '.join(sorted(off))}" if off else ""

    def heal(self, ground: Ground, state: State) -> None:
        """Put it back on those that it is not on; a container that was made since has its own."""
        for id_, networks in state["networks"].items():
            if ground.engine.life(id_) is None:
                continue
            now = ground.engine.networks(id_)
            for network, endpoint in networks.items():
                if network not in now:
                    ground.engine.connect(id_, network, endpoint)
        if service := ground.project.services.get(self.service):  # it may have left the stack
            wanted = set(service.published_ports)

            def is_back(container: Container) -> bool:
                ports = container.ports
                return container.state != "running" or (
                    wanted <= {b.target for b in ports.bindings}
                    and all(n.addresses for n in ports.networks)
                )

            until_listed(ground, self.service, is_back)

    def _not_possible(self, what: str, seen: str = "") -> NotPossibleError:
        return NotPossibleError(
            what,
            where=f"fault {self.name}",
            seen=seen,
            todo="isolate it from one other service, or break the edges",
        )
