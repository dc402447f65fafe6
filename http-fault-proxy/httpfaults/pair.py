"""The two sides of a connection: how the service is called, and how fast each is listened to."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from httpfaults.side import Side

_MOST_HELD = 64 * 1024

Dial = Callable[[Side], Awaitable[Any]]


class Pair(ABC):
    """A caller that has come, and the service that is called for it."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._waiting: asyncio.TimerHandle | None = None
        """Runs while an answer is held back."""
        self.caller = Side(
            arrived=self._from_caller,
            ends=self._caller_ends,
            gone=self._close,
            flow=self._flow,
            made=self._call_service,
        )

    @abstractmethod
    def _service_made(self) -> None:
        """Go on: the service has taken the call."""

    @abstractmethod
    def _from_caller(self, data: bytes) -> None:
        """Take what has come from the caller."""

    @abstractmethod
    def _caller_ends(self) -> None:
        """Take it that the caller says no more."""

    @abstractmethod
    def _from_service(self, data: bytes) -> None:
        """Take what has come from the service."""

    @abstractmethod
    def _service_ends(self) -> None:
        """Take it that the service says no more."""

    @abstractmethod
    def _go_on(self) -> None:
        """Take what has come meanwhile: an answer is held back no longer."""

    @property
    @abstractmethod
    def _held(self) -> int:
        """How many bytes of the caller's are not passed on yet."""

    def _call_service(self) -> None:
        self._service = Side(
            arrived=self._from_service, ends=self._service_ends, gone=self._close, flow=self._flow
        )
        self._dialling = asyncio.ensure_future(self._dial(self._service))
        self._dialling.add_done_callback(self._called)

    def _called(self, dialling: asyncio.Future[Any]) -> None:
        if dialling.cancelled():
            return
        if dialling.exception() is not None:
            self._close()  # without an answer, as Toxiproxy does where it reaches nobody
            return
        self._service_made()
        self._flow()

    def _hold(self, wait_ms: int, then: Callable[[], None]) -> None:
        """Go on later; until then nothing is taken from the service."""

        def go_on() -> None:
            self._waiting = None
            then()
            self._go_on()
            self._flow()

        if wait_ms:
            self._waiting = asyncio.get_running_loop().call_later(wait_ms / 1000, go_on)
        else:
            then()

    def _flow(self) -> None:
        """Take from each side no faster than the other one does."""
        self.caller.read(not self._service.full and self._held <= _MOST_HELD)
        self._service.read(not self.caller.full and self._waiting is None)

    def _close(self) -> None:
        self._dialling.cancel()
        if self._waiting is not None:
            self._waiting.cancel()
        self._service.close()
        self.caller.close()
