"""The faults of packets, which the kernel makes, as methods of ``faults``."""

from __future__ import annotations

from nomock.faults.active import ActiveFault
from nomock.faults.fault import EXPIRES_S, Direction, Fault
from nomock.faults.methods.common import Methods
from nomock.faults.packets.block import PacketBlock
from nomock.faults.packets.corrupt import PacketCorrupt
from nomock.faults.packets.delay import PacketDelay
from nomock.faults.packets.duplicate import PacketDuplicate
from nomock.faults.packets.loss import PacketLoss
from nomock.faults.packets.rate import PacketRate
from nomock.faults.packets.reorder import PacketReorder

KINDS: tuple[type[Fault], ...] = (
    PacketLoss,
    PacketBlock,
    PacketRate,
    PacketDelay,
    PacketDuplicate,
    PacketCorrupt,
    PacketReorder,
)


class PacketMethods(Methods):
    """The faults of packets, which the kernel makes, as methods of ``faults``."""

    def packet_loss(
        self,
        service: str,
        *,
        percent: float,
        port: int | None = None,
        direction: Direction = "both",
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Lose packets of a service.

        Args:
            service: The service, by its name in the compose file.
            percent: How probable that is for each packet, above 0 and at most 100.
            port: Only packets from or to this port. None: all.
            direction: Which data, seen from the service: ``"to"`` it, ``"from"`` it, or ``"both"``.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.

        Example:

            with faults.packet_loss("postgres", percent=20):
                assert http.get("/instances").status_code == 200
        """
        return self.on(
            PacketLoss(
                service,
                percent=percent,
                port=port,
                direction=direction,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def packet_block(
        self,
        service: str,
        *,
        port: int,
        direction: Direction = "both",
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Drop every packet from or to a port of a service: who calls it waits until a time-out.

        Args:
            service: The service, by its name in the compose file.
            port: The port, 1 to 65,535.
            direction: Which data, seen from the service: ``"to"`` it, ``"from"`` it, or ``"both"``.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.

        Example:

            with faults.packet_block("redis", port=6379):
                assert http.get("/me").status_code == 503
        """
        return self.on(
            PacketBlock(
                service,
                port=port,
                direction=direction,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def packet_rate(
        self,
        service: str,
        *,
        kbit_s: int,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Let the packets that a service sends leave slowly.

        Two packets, or what may be sent in 4 ms, leave at once; what would wait for more than a
        second is dropped.

        Args:
            service: The service, by its name in the compose file.
            kbit_s: Thousand bits a second that leave it, in all connections together.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.

        Example:

            with faults.packet_rate("postgres", kbit_s=512):
                assert http.get("/instances").status_code == 200
        """
        return self.on(
            PacketRate(
                service,
                kbit_s=kbit_s,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def packet_delay(
        self,
        service: str,
        *,
        delay_ms: int,
        jitter_ms: int = 0,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Let the packets that a service sends leave later, connection attempts too.

        Args:
            service: The service, by its name in the compose file.
            delay_ms: Milliseconds by which each packet leaves later, 1 to 600,000.
            jitter_ms: Milliseconds by which that varies at random: packets overtake each other
                then.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.
            NotPossibleError: the kernel has no sch_netem: the test is skipped.

        Example:

            with faults.packet_delay("postgres", delay_ms=100):
                assert http.get("/instances").status_code == 200
        """
        return self.on(
            PacketDelay(
                service,
                delay_ms=delay_ms,
                jitter_ms=jitter_ms,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def packet_duplicate(
        self,
        service: str,
        *,
        percent: float,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Send packets of a service twice.

        Args:
            service: The service, by its name in the compose file.
            percent: How probable that is for each packet, above 0 and at most 100.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.
            NotPossibleError: the kernel has no sch_netem: the test is skipped.

        Example:

            with faults.packet_duplicate("postgres", percent=50):
                assert http.get("/instances").status_code == 200
        """
        return self.on(
            PacketDuplicate(
                service,
                percent=percent,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def packet_corrupt(
        self,
        service: str,
        *,
        percent: float,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Turn a bit of packets that a service sends.

        The receiver notices by the checksum: to TCP it is a loss.

        Args:
            service: The service, by its name in the compose file.
            percent: How probable that is for each packet, above 0 and at most 100.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.
            NotPossibleError: the kernel has no sch_netem: the test is skipped.

        Example:

            with faults.packet_corrupt("postgres", percent=10):
                assert http.get("/instances").status_code == 200
        """
        return self.on(
            PacketCorrupt(
                service,
                percent=percent,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def packet_reorder(
        self,
        service: str,
        *,
        percent: float,
        delay_ms: int = 20,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Let packets that a service sends overtake each other.

        Args:
            service: The service, by its name in the compose file.
            percent: How many of the packets leave at once, and so before the others.
            delay_ms: Milliseconds by which the others leave later.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.
            NotPossibleError: the kernel has no sch_netem: the test is skipped.

        Example:

            with faults.packet_reorder("postgres", percent=25):
                assert http.get("/instances").status_code == 200
        """
        return self.on(
            PacketReorder(
                service,
                percent=percent,
                delay_ms=delay_ms,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )
