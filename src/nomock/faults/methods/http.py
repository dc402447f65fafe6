"""The faults of HTTP requests, which the HTTP fault proxy makes, as methods of ``faults``."""

from __future__ import annotations

from typing import Any

from nomock.faults.active import ActiveFault
from nomock.faults.fault import EXPIRES_S, Fault
from nomock.faults.http.delay import HttpDelay
from nomock.faults.http.half import HttpHalf
from nomock.faults.http.status import HttpStatus
from nomock.faults.http.twice import HttpTwice
from nomock.faults.methods.common import Methods

KINDS: tuple[type[Fault], ...] = (
    HttpStatus,
    HttpDelay,
    HttpHalf,
    HttpTwice,
)


class HttpMethods(Methods):
    """The faults of HTTP requests, which the HTTP fault proxy makes, as methods of ``faults``."""

    def http_status(
        self,
        edge: str,
        status: int = 503,
        *,
        body: Any = None,
        method: str | None = None,
        path: str | None = None,
        nth: int | None = None,
        everyone: bool = False,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Answer requests over an edge in place of the service, which is not asked.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            status: The status of the answer, 200 to 599.
            body: The body of the answer: text, or what becomes JSON.
            method: Only requests with this method, such as ``"POST"``.
            path: Only requests of this path, without the query; ``"/a/*"`` is all that begin so.
            nth: Only the nth of the requests that match, from 1.
            everyone: Whether all requests of the edge are met, not this test's alone.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through the HTTP fault proxy.
            ConfigError: the stack has no HTTP fault proxy, or an argument cannot be.

        Example:

            with faults.http_status("instances->auth", 503, path="/introspect"):
                assert http.get("/instances").status_code == 503
        """
        return self.on(
            HttpStatus(
                edge,
                status,
                body=body,
                method=method,
                path=path,
                nth=nth,
                everyone=everyone,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def http_delay(
        self,
        edge: str,
        *,
        delay_ms: int,
        method: str | None = None,
        path: str | None = None,
        nth: int | None = None,
        everyone: bool = False,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Let the answers to requests over an edge come later; the service is asked at once.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            delay_ms: Milliseconds by which the answer comes later.
            method: Only requests with this method, such as ``"POST"``.
            path: Only requests of this path, without the query; ``"/a/*"`` is all that begin so.
            nth: Only the nth of the requests that match, from 1.
            everyone: Whether all requests of the edge are met, not this test's alone.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through the HTTP fault proxy.
            ConfigError: the stack has no HTTP fault proxy, or an argument cannot be.

        Example:

            with faults.http_delay("instances->auth", delay_ms=800):
                assert http.get("/instances").status_code == 503
        """
        return self.on(
            HttpDelay(
                edge,
                delay_ms=delay_ms,
                method=method,
                path=path,
                nth=nth,
                everyone=everyone,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def http_half(
        self,
        edge: str,
        *,
        method: str | None = None,
        path: str | None = None,
        nth: int | None = None,
        everyone: bool = False,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Cut the answers to requests over an edge in half.

        The head promises the whole body, half of it comes, and the connection ends. An answer
        without a body passes whole, and is no effect.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            method: Only requests with this method, such as ``"POST"``.
            path: Only requests of this path, without the query; ``"/a/*"`` is all that begin so.
            nth: Only the nth of the requests that match, from 1.
            everyone: Whether all requests of the edge are met, not this test's alone.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through the HTTP fault proxy.
            ConfigError: the stack has no HTTP fault proxy, or an argument cannot be.

        Example:

            with faults.http_half("instances->auth"):
                assert http.get("/instances").status_code == 503
        """
        return self.on(
            HttpHalf(
                edge,
                method=method,
                path=path,
                nth=nth,
                everyone=everyone,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )

    def http_twice(
        self,
        edge: str,
        *,
        method: str | None = None,
        path: str | None = None,
        nth: int | None = None,
        everyone: bool = False,
        expect_traffic: bool = True,
        expires_s: float = EXPIRES_S,
    ) -> ActiveFault:
        """Send requests over an edge a second time once they are answered.

        The caller gets the second answer, as one who repeats a request after losing its answer.

        Args:
            edge: The edge, by its name: ``"instances->postgres"``.
            method: Only requests with this method, such as ``"POST"``.
            path: Only requests of this path, without the query; ``"/a/*"`` is all that begin so.
            nth: Only the nth of the requests that match, from 1.
            everyone: Whether all requests of the edge are met, not this test's alone.
            expect_traffic: Whether the test is an error where the fault had no effect.
            expires_s: Seconds after which the fault heals by itself, 1 to 86,400.

        Raises:
            UnknownEdgeError: no edge of this name runs through the HTTP fault proxy.
            ConfigError: the stack has no HTTP fault proxy, or an argument cannot be.

        Example:

            with faults.http_twice("mcp->instances", method="POST"):
                assert len(http.get("/instances").json()) == 1
        """
        return self.on(
            HttpTwice(
                edge,
                method=method,
                path=path,
                nth=nth,
                everyone=everyone,
                expect_traffic=expect_traffic,
                expires_s=expires_s,
            )
        )
