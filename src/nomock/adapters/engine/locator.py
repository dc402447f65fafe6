"""Under which address this process reaches a port of a container: the one place that chooses.

The engine often lists one port twice: ``0.0.0.0:32795`` and ``[::]:32794`` are the same port of the
container, and on 127.0.0.1 the second number is nobody's, or another container's. So an address
keeps the family of its binding, and the engine's machine is where the engine is asked, unless the
setting ``host`` says otherwise.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from nomock.adapters.engine.machine import EngineMachine
from nomock.errors import UnpublishedError, UnreachableError
from nomock.target import ANY_IPV4, ANY_IPV6, Address, Binding, Network, Ports

_CONNECT_TIMEOUT_S = 2.0


class Locator:
    """Chooses addresses for the containers of one engine; any thread may use it.

    ``host`` is the setting: where the engine's machine is reached, None where that is known.
    """

    def __init__(self, endpoint: str, host: str | None = None) -> None:
        self._machine = EngineMachine(endpoint, host)
        self._chosen: dict[tuple[Binding, ...], Address] = {}

    @property
    def elsewhere(self) -> str | None:
        """The host that published ports are on, where that is not simply this machine."""
        return self._machine.name if self._machine.is_elsewhere else None

    def published(self, service: str, ports: Ports, target: int, protocol: str) -> Address:
        """Return where a published port is reached.

        Of several bindings the first that can be connected to, which is remembered. Raises
        UnpublishedError where there is none, UnreachableError where none can be.
        """
        bindings = _bindings(ports, target, protocol)
        if not bindings:
            published = dict.fromkeys(_name(b.target, b.protocol) for b in ports.bindings)
            raise UnpublishedError(
                service, f"port {_name(target, protocol)}", published, self.line(target, protocol)
            )
        if bindings not in self._chosen:
            self._chosen[bindings] = self._choose(service, ports, bindings)
        return self._chosen[bindings]

    def reached(self, service: str, ports: Ports, target: int, protocol: str) -> Address:
        """Return where a port is published, else the container's own address if that is reached.

        Raises as ``published`` does.
        """
        try:
            return self.published(service, ports, target, protocol)
        except UnpublishedError:
            for network in ports.networks:
                if network.addresses and _is_here(network):
                    return Address(network.addresses[0], target)
            raise

    def shown(self, service: str, ports: Ports) -> list[str]:
        """Return each published port with where it is reached, or else where it would be."""
        shown = []
        for target, protocol in sorted({(b.target, b.protocol) for b in ports.bindings}):
            try:
                where = str(self.published(service, ports, target, protocol))
            except UnreachableError:
                bindings = map(str, _bindings(ports, target, protocol))
                where = f"{' or '.join(bindings)}, not reached"
            shown.append(f"{_name(target, protocol)}->{where}")
        return shown

    def line(self, target: int | str, protocol: str = "tcp") -> str:
        """Return the entry of a compose file's ``ports`` that would make a port reachable."""
        name = _name(target, protocol)
        return f'"{name}"' if self._machine.is_elsewhere else f'"127.0.0.1::{name}"'

    def _choose(self, service: str, ports: Ports, bindings: tuple[Binding, ...]) -> Address:
        first = bindings[0]
        refused: dict[str, str] = {}
        for address in self._addresses(bindings, refused):
            if first.protocol != "tcp" or self._is_sure(first, ports):
                return address  # nobody can be asked there, or nobody has to be
            if (refusal := _refusal(address)) is None:
                return address
            refused[str(address)] = refusal
        name = _name(first.target, first.protocol)
        hosts = "say which host reaches it from here: host in [tool.nomock], or NOMOCK_HOST"
        publish = f'publish it on all addresses of the engine\'s machine, ports: ["{name}"]; or '
        raise UnreachableError(
            service,
            name,
            bindings=[str(b) for b in bindings],
            refused=refused,
            todo=hosts if any(b.is_any for b in bindings) else publish + hosts,
        )

    def _addresses(self, bindings: Iterable[Binding], refused: dict[str, str]) -> Iterator[Address]:
        """Yield what the bindings are from here; note of the others why they are nothing."""
        for binding in bindings:
            if binding.is_any:
                try:
                    for host in self._machine.hosts(binding.family):
                        yield Address(host, binding.port)
                except OSError as error:
                    refused[str(binding)] = f"{self._machine.name}: {error.strerror or error}"
            elif binding.is_loopback and self._machine.is_remote:
                refused[str(binding)] = f"is on the loopback of {self._machine.name}"
            else:
                yield Address(binding.address, binding.port)

    def _is_sure(self, first: Binding, ports: Ports) -> bool:
        """Tell whether the first address is right unseen: no connection shows up in a service."""
        if ports.is_on_host or self._machine.is_elsewhere or first.family != socket.AF_INET:
            return False
        if first.is_loopback:  # wherever the engine is, it can be nowhere else
            return True
        is_here = self._machine.is_surely_here or any(map(_is_here, ports.networks))
        return first.is_any and is_here


def _bindings(ports: Ports, target: int, protocol: str) -> tuple[Binding, ...]:
    """Return the bindings of a port, those first that are likelier to be reached."""
    found = [b for b in ports.bindings if (b.target, b.protocol) == (target, protocol)]
    if not found and ports.is_on_host:
        found = [Binding(target, protocol, a, target) for a in (ANY_IPV4, ANY_IPV6)]
    return tuple(sorted(found, key=_preference))


def _preference(binding: Binding) -> tuple[bool, bool, int]:
    is_near = binding.is_any or binding.is_loopback
    return not is_near, binding.family == socket.AF_INET6, binding.port


def _name(target: int | str, protocol: str) -> str:
    """Return a port as a compose file writes it."""
    return str(target) if protocol == "tcp" else f"{target}/{protocol}"


def _refusal(address: Address) -> str | None:
    """Return why a connection is refused; None where it is accepted."""
    try:
        socket.create_connection(address, _CONNECT_TIMEOUT_S).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _is_here(network: Network) -> bool:
    """Tell whether this machine is in a network, too: its bridge, named after it, is here.

    The id is random, so that this is no network of another engine with the same addresses.
    """
    return bool(network.id) and Path(f"/sys/class/net/br-{network.id[:12]}").exists()
