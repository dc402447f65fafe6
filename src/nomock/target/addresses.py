"""Where a container listens, and how this process reaches it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple, Protocol

ANY_IPV4, ANY_IPV6 = "0.0.0.0", "::"


class Address(NamedTuple):
    """A host and a port, as ``socket.create_connection`` takes them."""

    host: str
    port: int

    @property
    def url_host(self) -> str:
        """The host as in a URL, where one of IPv6 stands in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    def __str__(self) -> str:
        """Return the address as a URL has it: ``127.0.0.1:80``, ``[::1]:80``."""
        return f"{self.url_host}:{self.port}"


@dataclass(frozen=True)
class Binding:
    """Where a machine listens for a port of a container."""

    target: int
    """The port in the container."""
    protocol: str
    address: str
    """One of the machine's own, or 0.0.0.0 or :: for all of a family."""
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        """That of its address."""
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    @property
    def is_any(self) -> bool:
        """Whether it is on all addresses of its family."""
        return self.address in {ANY_IPV4, ANY_IPV6}

    @property
    def is_loopback(self) -> bool:
        """Whether only the machine itself reaches it."""
        return ip_address(self.address).is_loopback

    def __str__(self) -> str:
        return str(Address(self.address, self.port))


@dataclass(frozen=True)
class Network:
    """A network that a container is in."""

    id: str
    addresses: tuple[str, ...]
    """The container's own there, IPv4 first."""


class Ports(NamedTuple):
    """What a container has of addresses."""

    bindings: Sequence[Binding]
    exposed: Sequence[int]
    """Its TCP ports that the image or the compose file names, published or not."""
    networks: Sequence[Network]
    is_on_host: bool
    """Whether it has the network of its machine: each port of it is one of that."""


class Locator(Protocol):
    """Chooses the addresses under which this process reaches containers."""

    @property
    def elsewhere(self) -> str | None:
        """The host that ports are reached on, where that is not simply this machine."""

    def published(self, service: str, ports: Ports, target: int, protocol: str) -> Address:
        """Return where a published port is reached.

        Raises UnpublishedError where it is not, UnreachableError where it cannot be reached.
        """
        ...

    def reached(self, service: str, ports: Ports, target: int, protocol: str) -> Address:
        """Return where a port is reached, published or not; raises as ``published`` does."""
        ...

    def shown(self, service: str, ports: Ports) -> list[str]:
        """Return each published port with where it is reached: ``8000->127.0.0.1:32768``."""
        ...

    def line(self, target: int | str, protocol: str = "tcp") -> str:
        """Return what would make a port reachable, as the one who writes the files says it."""
        ...
