"""Where the engine says that its machine listens for a container, and where a container is."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

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
    """Where the engine's machine listens for a port of a container."""

    target: int
    """The port in the container."""
    protocol: str
    address: str
    """One of the machine's own, or 0.0.0.0 or :: for all of a family."""
    port: int

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Binding:
        """Read an entry of the engine's list; Podman leaves the address out where it is any."""
        address, protocol = found.get("IP") or ANY_IPV4, found.get("Type", "tcp")
        return cls(found["PrivatePort"], protocol, address, found["PublicPort"])

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
        """Whether only the engine's own machine reaches it."""
        return ip_address(self.address).is_loopback

    def __str__(self) -> str:
        return str(Address(self.address, self.port))


@dataclass(frozen=True)
class Network:
    """A network that a container is in."""

    id: str
    addresses: tuple[str, ...]
    """The container's own there, IPv4 first."""

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Network:
        """Read an entry of the engine's list."""
        addresses = (found.get(key) for key in ("IPAddress", "GlobalIPv6Address"))
        return cls(found.get("NetworkID") or "", tuple(a for a in addresses if a))

    @property
    def is_here(self) -> bool:
        """Whether this machine is in it, too: its bridge, which the engine named after it, is here.

        The id is random, so that this is no network of another engine with the same addresses.
        """
        return bool(self.id) and Path(f"/sys/class/net/br-{self.id[:12]}").exists()


class Ports(NamedTuple):
    """What a container has of addresses."""

    bindings: Sequence[Binding]
    exposed: Sequence[int]
    """Its TCP ports that the image or the compose file names, published or not."""
    networks: Sequence[Network]
    is_on_host: bool
    """Whether it has the network of the engine's machine: each port of it is one of that."""
