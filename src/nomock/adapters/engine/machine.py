"""Where the engine's machine is, as this process reaches it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

_SSH_TIMEOUT_S = 5.0
_LOCALHOST = "localhost"
_IPV4, _IPV6 = socket.AF_INET, socket.AF_INET6
_LOOPBACKS = {_IPV4: "127.0.0.1", _IPV6: "::1"}
# What Docker and Podman put into each container.
_IN_CONTAINER = ("/.dockerenv", "/run/.containerenv")


class EngineMachine:
    """The machine of one engine.

    It is this one where the engine is asked over a socket, a Windows pipe or a loopback address;
    Docker Desktop and other virtual machines of that kind bring the published ports here.
    """

    def __init__(self, endpoint: str, host: str | None = None) -> None:
        """``host`` is the setting, which is believed: None where it is not set."""
        self._endpoint = urlsplit(endpoint)
        self._setting = host

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return self._setting or self._endpoint.hostname or "this machine"

    @cached_property
    def is_remote(self) -> bool:
        """Whether its loopback is not this machine's.

        Where the setting is a loopback address, somebody has brought its ports here.
        """
        host = self._setting or self._endpoint.hostname or _LOCALHOST
        return self._is_over_network and not _is_loopback(host)

    @property
    def is_elsewhere(self) -> bool:
        """Whether what it publishes need not be on this machine's loopback."""
        return self.is_remote or self._setting is not None

    @cached_property
    def is_surely_here(self) -> bool:
        """Whether what it publishes is on this machine's loopback, for all that is known.

        Not behind TCP, which may be a tunnel, nor in a container with the socket of one outside.
        """
        return not (self.is_elsewhere or self._is_over_network or self._is_perhaps_given_the_socket)

    def hosts(self, family: socket.AddressFamily) -> Iterator[str]:
        """Yield under which hosts it is reached over IPv4 or IPv6, the likeliest first.

        Raises OSError where it has no address of the family.
        """
        host = self._setting or self._endpoint.hostname or _LOCALHOST
        if _is_loopback(host):
            yield host if _family(host) == family else _LOOPBACKS[family]
            if family == _IPV4 and self._is_perhaps_given_the_socket:
                yield from _gateways()
        elif self._setting is None and self._endpoint.scheme == "ssh":
            yield _host(_ssh_host(host, self._endpoint.port), family)
        else:
            yield _host(host, family)

    @cached_property
    def _is_perhaps_given_the_socket(self) -> bool:
        """Whether this may be a container that was given the socket of the engine outside."""
        is_given = self._setting is None and not self._is_over_network
        return is_given and any(Path(mark).exists() for mark in _IN_CONTAINER)

    @property
    def _is_over_network(self) -> bool:
        return self._endpoint.scheme not in {"unix", "npipe", "fd"}


def _is_loopback(host: str) -> bool:
    return host == _LOCALHOST if _family(host) is None else ip_address(host).is_loopback


def _family(host: str) -> socket.AddressFamily | None:
    """Return the family of an address; None for a name."""
    try:
        return _IPV6 if ip_address(host).version == 6 else _IPV4
    except ValueError:
        return None


def _host(host: str, family: socket.AddressFamily) -> str:
    """Return a host of which a connection can only be of the family.

    A name stays a name where it has no other addresses, since servers may ask for theirs.
    """
    word = "IPv6" if family == _IPV6 else "IPv4"
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    of_family = [str(address[0]) for kind, *_, address in found if kind == family]
    if not of_family:
        raise OSError(f"no address of {word}")
    return host if len(of_family) == len(found) else of_family[0]


def _ssh_host(name: str, port: int | None) -> str:
    """Return the host of a name that may stand in the user's ssh configuration only."""
    given = [] if port is None else ["-p", str(port)]
    try:
        done = subprocess.run(
            ["ssh", "-G", *given, "--", name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SSH_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return name
    words = (line.split() for line in done.stdout.splitlines())
    return next((w[1] for w in words if len(w) == 2 and w[0] == "hostname"), name)


def _gateways() -> Iterator[str]:
    """Yield where this container's packets leave to: the machine that it runs on."""
    try:
        routes = Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return
    for _, destination, gateway, *_ in map(str.split, routes):
        if destination == "00000000" and gateway != "00000000":
            yield socket.inet_ntoa(bytes.fromhex(gateway)[::-1])
