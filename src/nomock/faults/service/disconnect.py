"""A service has no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

from nomock.errors import NotPossibleError
from nomock.faults.service_fault import ServiceFault, existing, wait_until_listed
from nomock.faults.stack_control import StackControl
from nomock.target import Container

_NOT_ITS_OWN = {"host", "none"}


class NetworksState(TypedDict):
    """The networks that the containers of a service were on."""

    networks: dict[str, dict[str, Any]]
    """Container id -> network -> the endpoint there, as the engine takes it."""


@dataclass(frozen=True)
class Disconnect(ServiceFault):
    """It is taken off all its networks, with its published ports: the part of ``isolate``."""

    kind = "isolate"

    def validate_kind(self, control: StackControl) -> None:
        """Refuse a service without networks of its own."""
        for container in existing(control, self.service):
            networks = control.engine.networks(container.id).keys()
            if not networks or networks & _NOT_ITS_OWN:
                raise self._not_possible(
                    "it has no network of its own that it could be taken off",
                    f"networks: {', '.join(networks) or 'those of another container'}",
                )
        config = control.service(self.service).config.config
        if any(c and c.get("mac_address") for c in (config, *config.get("networks", {}).values())):
            raise self._not_possible("the engine does not give its fixed mac_address back")

    def prepare(self, control: StackControl) -> NetworksState:
        """Note its networks, with its names and fixed addresses there."""
        found = existing(control, self.service)
        return {"networks": {c.id: control.engine.networks(c.id) for c in found}}

    def begin(self, control: StackControl, state: NetworksState) -> None:
        """Take it off them."""
        for id_, networks in state["networks"].items():
            for network in networks:
                control.engine.disconnect(id_, network)

    def observe_effect(self, control: StackControl, state: NetworksState, begun: object) -> str:
        """Say which networks it is still off."""
        off = set()
        for id_, networks in state["networks"].items():
            if control.engine.container_state(id_) is not None:
                off |= networks.keys() - control.engine.networks(id_).keys()
        return f"it was off {', '.join(sorted(off))}" if off else ""

    def heal(self, control: StackControl, state: NetworksState) -> None:
        """Put it back on those that it is not on; a container that was made since has its own."""
        for id_, networks in state["networks"].items():
            if control.engine.container_state(id_) is None:
                continue
            now = control.engine.networks(id_)
            for network, endpoint in networks.items():
                if network not in now:
                    control.engine.connect(id_, network, endpoint)
        if service := control.project.services.get(self.service):  # it may have left the stack
            wanted = set(service.published_ports)

            def is_back(container: Container) -> bool:
                ports = container.ports
                return container.state != "running" or (
                    wanted <= {b.target for b in ports.bindings}
                    and all(n.addresses for n in ports.networks)
                )

            wait_until_listed(control, self.service, is_back)

    def _not_possible(self, what: str, seen: str = "") -> NotPossibleError:
        return NotPossibleError(
            what,
            where=f"fault {self.name}",
            seen=seen,
            todo="isolate it from one other service, or break the edges",
        )
