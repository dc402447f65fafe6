"""What the processes of a container listen on, and so why a port of it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from nomock.errors import TargetError
from nomock.target import Container, Target

# The kernel's tables of a network namespace; proc(5) names their columns.
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTENS = "0A"
_RESOLVER = IPv4Address("127.0.0.11")  # the engine's own, in each container with a network
_MOST_NAMED = 5


def listens(target: Target, container: Container, port: int) -> bool | None:
    """Tell whether something in a container listens on a port for others than its own processes.

    It is looked up by the container's own ``cat``: None where it has none, as where its network is
    its machine's, whose tables say nothing of it.
    """
    tables = _tables(target, container)
    return any(not a.is_loopback for a in _on(tables, port)) if tables else None


def why_closed(target: Target, container: Container, port: int) -> str:
    """Return what a container listens on if that is why a port of it is closed, else ""."""
    tables = _tables(target, container)
    return explained(tables, port) if tables else ""


def explained(tables: str, port: int) -> str:
    """Say in words what the kernel's tables of sockets tell of a port that is closed."""
    listeners = sorted(set(_listeners(tables)), key=str)
    here = _on(tables, port)
    if any(not address.is_loopback for address in here):
        return ""  # it has come to listen meanwhile
    if here:
        return (
            f"it listens on {_joined(here[0], port)} only, which nobody outside its container "
            "reaches: let it listen on 0.0.0.0"
        )
    if not listeners:
        return "nothing in it listens on a port yet"
    named = ", ".join(_joined(*listener) for listener in listeners[:_MOST_NAMED])
    return f"it does not listen on {port}, but on {named}"


def _tables(target: Target, container: Container) -> str:
    """Return the kernel's tables of a container's network, "" where they are not known."""
    if container.ports.is_on_host:
        return ""
    try:
        tables = target.run_inside(container.id, ["cat", *_TABLES]).output
    except TargetError:
        return ""
    return tables if "local_address" in tables else ""


def _on(tables: str, port: int) -> list[IPv4Address | IPv6Address]:
    """Return the addresses on which something listens on a port."""
    return sorted((a for a, listening in set(_listeners(tables)) if listening == port), key=str)


def _listeners(tables: str) -> Iterator[tuple[IPv4Address | IPv6Address, int]]:
    for line in tables.splitlines():
        columns = line.split()
        if len(columns) > 3 and columns[3] == _LISTENS:
            address, _, port = columns[1].partition(":")
            found = _address(bytes.fromhex(address))
            if found != _RESOLVER:
                yield found, int(port, 16)


def _address(words: bytes) -> IPv4Address | IPv6Address:
    """Return the address of words of four bytes, each little-endian, as these machines are."""
    turned = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    return IPv4Address(turned) if len(turned) == 4 else IPv6Address(turned)


def _joined(address: IPv4Address | IPv6Address, port: int) -> str:
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
