"""aiohttp's client."""

from __future__ import annotations

from typing import Any

from nomock_spy.clients import baggage_of_the_test
from nomock_spy.guard import swallow


def install(module: Any) -> None:
    """Let aiohttp.client_reqrep.ClientRequest complete its headers before it is sent.

    There is one for each time that anything is sent, also for each redirect; a tunnel's CONNECT is
    for the proxy alone.
    """
    send = module.ClientRequest.send

    async def send_for_the_test(self: Any, *arguments: Any, **named: Any) -> Any:
        try:
            if self.method != "CONNECT":
                baggage = baggage_of_the_test(self.headers.getall("baggage", ()))
                if baggage is not None:
                    self.headers["baggage"] = baggage  # in place of all there are
        except BaseException as error:
            swallow(error)
        return await send(self, *arguments, **named)

    module.ClientRequest.send = send_for_the_test
