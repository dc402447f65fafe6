"""The faults of edges, which Toxiproxy makes, as methods of ``faults``."""

from __future__ import annotations

from nomock.faults.active import ActiveFault
from nomock.faults.edge.bandwidth import Bandwidth
from nomock.faults.edge.blackhole import Blackhole
from nomock.faults.edge.cut_after import CutAfter
from nomock.faults.edge.flap import Flap
from nomock.faults.edge.latency import Latency
from nomock.faults.edge.refused import Refused
from nomock.faults.edge.reset import Reset
from nomock.faults.edge.slice import Slice
from nomock.faults.edge.slow_close import SlowClose
from nomock.faults.fault import EXPIRES_S, Direction, Fault
from nomock.faults.methods.common import Methods

KINDS: tuple[type[Fault], ...] = (
    Latency,
    Bandwidth,
    SlowClose,
    Blackhole,
    Reset,
    Slice,
    CutAfter,
    Refused,
    Flap,
)


class EdgeMethods(Methods):
    """The faults of edges, which Toxiproxy makes, as methods of ``faults``."""

    def latency(
        self,
        edge: str,
        *,
        latency_ms: int,
        jitter_ms: int = 0,
        direction: Direction = "from",
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Let data of an edge arrive later.

        Each piece of data is held back by itself; connections are made as quickly as ever.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            latency_ms: Milliseconds by which data comes later, 1 to 600,000.
            jitter_ms: Milliseconds by which that varies at random, up or down.
            direction: Which data, seen from the server: ``"to"`` it, ``"from"`` it, or ``"both"``.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through Toxiproxy.
            ConfigError: an argument is out of its range.

        Example:

            with faults.latency("instances->postgres", latency_ms=800, jitter_ms=100):
                assert http.post("/instances", json=order).status_code == 503
        """
        return self.on(
            Latency(
                edge,
                latency_ms=latency_ms,
                jitter_ms=jitter_ms,
                direction=direction,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def bandwidth(
        self,
        edge: str,
        *,
        kb_s: int,
        direction: Direction = "from",
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Let little data pass an edge at a time.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            kb_s: Kilobytes that pass in a second, in each connection.
            direction: Which data, seen from the server: ``"to"`` it, ``"from"`` it, or ``"both"``.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through Toxiproxy.
            ConfigError: an argument is out of its range.

        Example:

            with faults.bandwidth("instances->postgres", kb_s=4):
                assert len(http.get("/instances").json()) == 200
        """
        return self.on(
            Bandwidth(
                edge,
                kb_s=kb_s,
                direction=direction,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def slow_close(
        self,
        edge: str,
        *,
        delay_ms: int,
        direction: Direction = "from",
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Let connections over an edge end late.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            delay_ms: Milliseconds by which a connection ends later, 1 to 600,000.
            direction: Which data, seen from the server: ``"to"`` it, ``"from"`` it, or ``"both"``.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through Toxiproxy.
            ConfigError: an argument is out of its range.

        Example:

            with faults.slow_close("instances->postgres", delay_ms=300):
                assert http.get("/instances").status_code == 200
        """
        return self.on(
            SlowClose(
                edge,
                delay_ms=delay_ms,
                direction=direction,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def blackhole(
        self,
        edge: str,
        *,
        direction: Direction = "both",
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Let data of an edge vanish, while its connections stay open.

        New connections are accepted, and nothing ever comes; all end when the fault is healed.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            direction: Which data, seen from the server: ``"to"`` it, ``"from"`` it, or ``"both"``.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through Toxiproxy.
            ConfigError: the direction is none.

        Example:

            with faults.blackhole("instances->postgres"):
                assert http.get("/instances").status_code == 503
        """
        return self.on(
            Blackhole(
                edge,
                direction=direction,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def reset(
        self,
        edge: str,
        *,
        after_ms: int = 0,
        direction: Direction = "from",
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Reset connections over an edge (TCP RST).

        Connections that are open when the fault begins end, such as those of a pool.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            after_ms: Milliseconds after its first data at which a connection is reset.
            direction: Which data, seen from the server: ``"to"`` it, ``"from"`` it, or ``"both"``.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through Toxiproxy.
            ConfigError: an argument is out of its range.

        Example:

            with faults.reset("auth->redis"):
                assert http.get("/me").status_code == 503
        """
        return self.on(
            Reset(
                edge,
                after_ms=after_ms,
                direction=direction,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def slice(
        self,
        edge: str,
        *,
        size_bytes: int = 1,
        variation_bytes: int = 0,
        delay_us: int = 0,
        direction: Direction = "from",
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Let data of an edge arrive in small pieces.

        It shows who takes one ``recv`` for a whole message.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            size_bytes: Bytes in each piece.
            variation_bytes: Bytes by which that varies at random.
            delay_us: Microseconds between two pieces.
            direction: Which data, seen from the server: ``"to"`` it, ``"from"`` it, or ``"both"``.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through Toxiproxy.
            ConfigError: an argument is out of its range.

        Example:

            with faults.slice("instances->postgres", size_bytes=1):
                assert http.get("/instances").status_code == 200
        """
        return self.on(
            Slice(
                edge,
                size_bytes=size_bytes,
                variation_bytes=variation_bytes,
                delay_us=delay_us,
                direction=direction,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def cut_after(
        self,
        edge: str,
        *,
        after_bytes: int,
        direction: Direction = "from",
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """End each connection over an edge in the middle of its data.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            after_bytes: Bytes that pass in a connection before it ends.
            direction: Which data, seen from the server: ``"to"`` it, ``"from"`` it, or ``"both"``.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through Toxiproxy.
            ConfigError: an argument is out of its range.

        Example:

            with faults.cut_after("instances->postgres", after_bytes=50):
                assert http.get("/instances").status_code == 503
        """
        return self.on(
            CutAfter(
                edge,
                after_bytes=after_bytes,
                direction=direction,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def refused(
        self,
        edge: str,
        *,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Refuse connections over an edge, as where no service runs; those that are open end.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through Toxiproxy.

        Example:

            with faults.refused("auth->redis"):
                assert http.get("/me").status_code == 503
        """
        return self.on(
            Refused(
                edge,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def flap(
        self,
        edge: str,
        *,
        period_ms: int,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Refuse connections over an edge and let them in again, in turns.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            period_ms: Milliseconds from one closing to the next, 50 to 600,000; half of them it is
                open.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through Toxiproxy.
            ConfigError: an argument is out of its range.

        Example:

            with faults.flap("instances->postgres", period_ms=200):
                assert http.get("/instances").status_code in {200, 503}
        """
        return self.on(
            Flap(
                edge,
                period_ms=period_ms,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )
