"""What Toxiproxy has, and which of it may be asked for: it takes whatever it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nomock.errors import ConfigError, did_you_mean

_DAY_MS = 24 * 60 * 60 * 1000
_MOST_BYTES = 2**31 - 1

# Type -> attribute -> the least and the most that it may be. A rate or a size of less than 1 is no
# slow edge: Toxiproxy 2.12 never ends then, or crashes with every edge.
_TYPES: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "latency": {"latency": (0, _DAY_MS), "jitter": (0, _DAY_MS)},  # ms
    "bandwidth": {"rate": (1, _MOST_BYTES)},  # KB/s
    "slow_close": {"delay": (0, _DAY_MS)},  # ms
    "timeout": {"timeout": (0, _DAY_MS)},  # ms; 0: never
    "reset_peer": {"timeout": (0, _DAY_MS)},  # ms
    "slicer": {
        "average_size": (1, _MOST_BYTES),
        "size_variation": (0, _MOST_BYTES),
        "delay": (0, _DAY_MS * 1000),  # µs
    },
    "limit_data": {"bytes": (0, _MOST_BYTES)},
}
_STREAMS = ("upstream", "downstream")


@dataclass(frozen=True)
class Toxic:
    """What is done to the bytes that pass an edge in one direction, on every connection.

    ``attributes`` are Toxiproxy's own; those that are left out are 0.
    """

    name: str
    type: str
    stream: str
    attributes: Mapping[str, int]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Toxic:
        """Return a toxic as Toxiproxy tells of it."""
        return cls(told["name"], told["type"], told["stream"], told["attributes"])

    def body(self) -> dict[str, Any]:
        """Return it as Toxiproxy wants to be told; less than 1 is rolled for each connection."""
        return {
            "name": self.name,
            "type": self.type,
            "stream": self.stream,
            "toxicity": 1.0,
            "attributes": dict(self.attributes),
        }

    def checked(self) -> Toxic:
        """Return it with every attribute; raise ConfigError where Toxiproxy would not do it."""
        _known("type", self.type, _TYPES, self)
        _known("stream", self.stream, _STREAMS, self)
        if "/" in self.name or not self.name.strip("."):
            raise _wrong(
                self, f"{self.name!r} cannot be a toxic's name", todo="a name without slashes"
            )
        limits = _TYPES[self.type]
        for attribute in self.attributes:
            _known("attribute", attribute, limits, self)
        whole = {attribute: self.attributes.get(attribute, 0) for attribute in limits}
        for attribute, (least, most) in limits.items():
            value = whole[attribute]
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise _wrong(
                    self,
                    f"{attribute} cannot be {value!r}",
                    todo=f"a whole number from {least} to {most}",
                )
        if self.type == "slicer" and whole["size_variation"] >= whole["average_size"]:
            raise _wrong(
                self,
                f"size_variation cannot be {whole['size_variation']}",
                todo=f"less than the average_size, which is {whole['average_size']}",
            )
        return replace(self, attributes=whole)


@dataclass(frozen=True)
class Edge:
    """A connection that runs through Toxiproxy, as it is now."""

    name: str
    listen_port: int
    upstream: str
    enabled: bool
    toxics: tuple[Toxic, ...] = ()
    listen_host: str = "0.0.0.0"

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Edge:
        """Return an edge as Toxiproxy tells of it."""
        host, _, port = told["listen"].rpartition(":")
        toxics = tuple(Toxic.of(toxic) for toxic in told["toxics"])
        return cls(told["name"], int(port), told["upstream"], told["enabled"], toxics, host)

    @property
    def source(self) -> str:
        """Return the service that connects, where the name tells: a->b."""
        return self.name.partition("->")[0] if "->" in self.name else ""

    @property
    def target(self) -> str:
        """Return the service that is connected to."""
        named = self.name.partition("->")[2]
        return named or self.upstream.rpartition(":")[0]

    def toxic(self, name: str) -> Toxic | None:
        """Return a toxic by its name."""
        return next((toxic for toxic in self.toxics if toxic.name == name), None)

    def without(self, name: str) -> Edge:
        """Return this edge less one toxic."""
        return replace(self, toxics=tuple(t for t in self.toxics if t.name != name))

    def with_toxic(self, toxic: Toxic) -> Edge:
        """Return this edge and one toxic, in place of the one of that name."""
        return replace(self, toxics=(*self.without(toxic.name).toxics, toxic))

    def same_as(self, other: Edge) -> bool:
        """Tell whether both do the same; the order of toxics and the host are told as they come."""
        mine, theirs = (
            replace(edge, toxics=tuple(sorted(edge.toxics, key=lambda t: t.name)), listen_host="")
            for edge in (self, other)
        )
        return mine == theirs

    def __str__(self) -> str:
        toxics = ", ".join(
            f"{t.type} {t.name} {dict(t.attributes)} {t.stream}" for t in self.toxics
        )
        return f"{'enabled' if self.enabled else 'disabled'}, {toxics or 'no toxics'}"


def _known(kind: str, name: str, known: Iterable[str], toxic: Toxic) -> None:
    if name in known:
        return
    raise _wrong(
        toxic,
        f"there is no {kind} {name!r}",
        seen=f"there is: {', '.join(known)}",
        todo=did_you_mean(name, known),
    )


def _wrong(toxic: Toxic, what: str, *, seen: str = "", todo: str) -> ConfigError:
    return ConfigError(what, where=f"{toxic.type} toxic {toxic.name!r}", seen=seen, todo=todo)
