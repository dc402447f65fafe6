"""How rules are added, listed and removed: JSON over HTTP.

GET /health      200 while the proxy serves
GET /edges       the names of the edges
GET /rules       every rule, with how many requests it matched and how many it hit
PUT /rules/ID    adds the rule, or puts it in place of the one of this id
DELETE /rules/ID removes it; 404 when there is none
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from httpfaults import heads
from httpfaults.bodies import Length
from httpfaults.rules import InvalidRuleError, Rules

_MOST_BYTES = 8 * 1024 * 1024
Answer = tuple[HTTPStatus, Any]


class Control:
    """Serves the control port."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other until the client goes."""
        try:
            while await self._serve_one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # it went in the middle of a word, or never came to its end
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        raw = await reader.readuntil(b"\r\n\r\n")
        keeps_alive = False
        try:
            head = heads.request(raw)
            if not isinstance(head.body, Length) or head.body.size > _MOST_BYTES:
                raise heads.UnreadableError
        except heads.UnreadableError:
            status, said = _error(HTTPStatus.BAD_REQUEST, "this request cannot be read")
        else:
            keeps_alive = head.keeps_alive
            status, said = self._answer(head, await reader.readexactly(head.body.size))
        body = b"" if said is None else json.dumps(said).encode()
        connection = "keep-alive" if keeps_alive else "close"
        writer.write(
            f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: {connection}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        return keeps_alive

    def _answer(self, head: heads.RequestHead, body: bytes) -> Answer:
        match head.method, [unquote(word) for word in head.path.split("/")[1:]]:
            case "GET", ["health"]:
                return HTTPStatus.OK, {"status": "ok"}
            case "GET", ["edges"]:
                return HTTPStatus.OK, list(self._rules.edges)
            case "GET", ["rules"]:
                return HTTPStatus.OK, self._rules.shown()
            case "POST", ["check"]:
                return self._with(body, self._rules.check)
            case "PUT", ["rules", rule_id] if rule_id:
                return self._with(body, partial(self._rules.put, rule_id))
            case "DELETE", ["rules", rule_id]:
                if self._rules.remove(rule_id):
                    return HTTPStatus.OK, {}
                return _error(HTTPStatus.NOT_FOUND, f"there is no rule {rule_id}")
        return _error(HTTPStatus.NOT_FOUND, f"there is no {head.method} {head.path}")

    def _with(self, body: bytes, do: Callable[[dict[str, Any]], Any]) -> Answer:
        try:
            wanted = json.loads(body)
        except ValueError as error:
            return _error(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}")
        if not isinstance(wanted, dict):
            return _error(HTTPStatus.BAD_REQUEST, "the body is no JSON object")
        try:
            return HTTPStatus.OK, do(wanted)
        except InvalidRuleError as error:
            return _error(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


def _error(status: HTTPStatus, what: str) -> Answer:
    return status, {"error": what}
