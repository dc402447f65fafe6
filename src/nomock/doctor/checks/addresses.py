"""Where tests reach services: ports that others reach, too, or nobody."""

from __future__ import annotations

from collections.abc import Iterator

from nomock.doctor.seen import Seen
from nomock.doctor.trouble import Trouble

_LOOPBACK = ("127.", "::1")
_STORES = ("postgres", "mysql", "mariadb", "mongo", "redis", "valkey", "rabbitmq")


def look(seen: Seen) -> Iterator[Trouble]:
    """Yield each port that is open to the network, and each store that tests cannot ask."""
    for name in seen.wanted:
        service = seen.project.services[name]
        for port in service.config.get("ports") or []:
            if not str(port.get("host_ip") or "").startswith(_LOOPBACK):
                target = port["target"]
                yield Trouble(
                    seen.place(service, str(port.get("published") or target)),
                    f"{name} publishes port {target} on all addresses of this machine",
                    "whoever is in the same network reaches it while tests run",
                    f'publish it on loopback: "127.0.0.1::{target}"',
                    is_certain=False,
                )
        image = str(service.config.get("image") or "").rpartition("/")[2]
        if image.startswith(_STORES) and not service.published_ports:
            yield Trouble(
                seen.place(service, "image"),
                f"{name} publishes no port",
                "tests on another machine than the engine's, as with Docker Desktop, cannot ask it",
                'publish its port on loopback: ports: ["127.0.0.1::PORT"]',
                is_certain=False,
            )
