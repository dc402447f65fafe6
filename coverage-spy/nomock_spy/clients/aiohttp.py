"""aiohttp's client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.clients import baggage_of_the_test
from nomock_spy.guard import swallow
from nomock_spy.standins import check_is_async, replace


def install(module: Any) -> None:
    """Let aiohttp.client_reqrep.ClientRequest complete its headers before it is sent.

    There is one for each time that anything is sent, also for each redirect; a tunnel's CONNECT is
    for the proxy alone.
    """
    replace(module.ClientRequest, "send", _for_the_test)


def _for_the_test(send: Any) -> Callable[..., Any]:
    check_is_async(send)

    async def send_for_the_test(self: Any, *arguments: Any, **named: Any) -> Any:
        try:
            if self.method != "CONNECT":
                baggage = baggage_of_the_test(self.headers.getall("baggage", ()))
                if baggage is not None:
                    self.headers["baggage"] = baggage  # in place of all there are
        except BaseException as error:
            swallow(error)
        return await send(self, *arguments, **named)

    return send_for_the_test
