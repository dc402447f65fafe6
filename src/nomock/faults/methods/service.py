"""The faults of whole services, which the container engine makes, as methods of ``faults``."""

from __future__ import annotations

from nomock.faults.active import ActiveFault
from nomock.faults.fault import EXPIRES_S, Fault
from nomock.faults.methods.common import Methods
from nomock.faults.service.isolate import Isolate
from nomock.faults.service.kill import Kill
from nomock.faults.service.pause import Pause
from nomock.faults.service.restart import Restart
from nomock.faults.service.skew import Skew
from nomock.faults.service.squeeze import Squeeze
from nomock.faults.service.stop import Stop

KINDS: tuple[type[Fault], ...] = (
    Kill,
    Stop,
    Pause,
    Restart,
    Isolate,
    Squeeze,
    Skew,
)


class ServiceMethods(Methods):
    """The faults of whole services, which the container engine makes, as methods of ``faults``."""

    def kill(
        self,
        service: str,
        signal: str = "SIGKILL",
        *,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Kill a service; it is started again when the fault is healed.

        The engine switches the restart policy off for a signal, so it stays dead meanwhile. After
        another signal than SIGKILL it may take its time to end.

        Args:
            service: The service, by its name in the compose file.
            signal: The signal that ends it, such as ``"SIGTERM"``.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.

        Example:

            with faults.kill("redis"):
                assert http.get("/me").status_code == 503
        """
        return self.on(
            Kill(
                service,
                signal,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def stop(
        self,
        service: str,
        *,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Stop a service gracefully; it is started again when the fault is healed.

        It gets its stop signal, and SIGKILL after its grace period.

        Args:
            service: The service, by its name in the compose file.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.

        Example:

            with faults.stop("worker"):
                assert http.post("/instances", json=order).status_code == 202
        """
        return self.on(
            Stop(
                service,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def pause(
        self,
        service: str,
        *,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Freeze a service: the kernel still accepts connections, and nobody answers.

        Args:
            service: The service, by its name in the compose file.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.

        Example:

            with faults.pause("postgres"):
                assert http.get("/instances").status_code == 503
        """
        return self.on(
            Pause(
                service,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def restart(
        self,
        service: str,
        *,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Restart a service; it is ready again when the block begins.

        Its published ports are others then, where the compose file leaves them to the engine.

        Args:
            service: The service, by its name in the compose file.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.

        Example:

            with faults.restart("instances"):
                assert http.get("/instances").status_code == 200
        """
        return self.on(
            Restart(
                service,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def isolate(
        self,
        service: str,
        from_: str | None = None,
        *,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Cut a service off from the network, or from one other service.

        From one: the edges between the two swallow all data; where there are none, the packets
        between their containers are dropped.

        Args:
            service: The service, by its name in the compose file.
            from_: The one service that it is cut off from; None cuts it off from all, this machine
                too.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.

        Example:

            with faults.isolate("instances", from_="auth"):
                assert http.get("/instances").status_code == 503
        """
        return self.on(
            Isolate(
                service,
                from_,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def squeeze(
        self,
        service: str,
        *,
        cpus: float | None = None,
        memory_mb: int | None = None,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Give a service little CPU or memory.

        Where it uses more memory than that already, the engine refuses (cgroup v1) or the kernel
        kills it (v2).

        Args:
            service: The service, by its name in the compose file.
            cpus: How many CPUs it has: ``0.1`` is a tenth of one. None leaves them.
            memory_mb: How much memory it has, in MiB, none of it swapped. None leaves it.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.

        Example:

            with faults.squeeze("instances", cpus=0.1):
                assert http.get("/instances").status_code == 200
        """
        return self.on(
            Squeeze(
                service,
                cpus=cpus,
                memory_mb=memory_mb,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def skew(
        self,
        service: str,
        *,
        offset_s: float,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Set a service's clock wrong.

        By libfaketime, which has to be preloaded in its container. Programs that ask the kernel by
        themselves, such as those in Go, see the true time.

        Args:
            service: The service, by its name in the compose file.
            offset_s: Seconds by which its clock is ahead; below zero it is behind.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownServiceError: the stack has no service of this name.
            NotReadyError: the service does not run.
            ConfigError: the service is a one-shot, or an argument cannot be.
            NotPossibleError: libfaketime is not preloaded: the test is skipped.

        Example:

            with faults.skew("auth", offset_s=3600):
                assert http.get("/me").status_code == 401
        """
        return self.on(
            Skew(
                service,
                offset_s=offset_s,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )
