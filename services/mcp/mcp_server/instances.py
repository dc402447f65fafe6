"""The API of `instances`, called in the name of the user whose token came with the request."""

import uuid
from collections.abc import Callable
from operator import itemgetter
from typing import Any, TypeVar

import httpx
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, TypeAdapter
from shared.errors import Unavailable
from shared.http import Client, read

from mcp_server.identity import ExchangeRefused, TokenExchange


class Instance(BaseModel):
    """An instance as its tenant sees it."""

    id: str
    name: str
    size: str
    state: str
    failure_reason: str | None = None


Answer = TypeVar("Answer")
one = Instance.model_validate
several = TypeAdapter(list[Instance]).validate_python


class Instances:
    """Calls `instances`; whatever goes wrong is a `ToolError` that says what, for the agent."""

    def __init__(self, http: Client, tokens: TokenExchange) -> None:
        self.http = http
        self.tokens = tokens

    async def order(self, name: str, size: str, idempotency_key: str | None) -> Instance:
        """Order one; the same key again returns the first order."""
        # With a key of our own the order can be repeated, too, when its answer got lost.
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        body = {"name": name, "size": size}
        return await self._call(
            "POST", "/instances", one, json=body, headers=headers, repeatable=True
        )

    async def all(self) -> list[Instance]:
        """Return the tenant's instances."""
        return await self._call("GET", "/instances", several)

    async def get(self, instance_id: uuid.UUID) -> Instance:
        """Return one of the tenant's instances."""
        return await self._call("GET", f"/instances/{instance_id}", one)

    async def deprovision(self, instance_id: uuid.UUID) -> Instance:
        """Ask for its removal, which the worker does later."""
        return await self._call("DELETE", f"/instances/{instance_id}", one)

    async def _call(
        self, method: str, path: str, what: Callable[[Any], Answer], **request: Any
    ) -> Answer:
        access = get_access_token()
        if access is None:  # the route lets nobody in without one
            raise ToolError("the request has no access token")
        try:
            reply = await self._send(access.token, method, path, **request)
            if reply.status_code == 401:  # what was kept has been revoked; nothing was done
                self.tokens.forget(access.token)
                reply = await self._send(access.token, method, path, **request)
            if reply.is_error:
                raise ToolError(_problem(reply))
            return read("instances", reply, what)
        except Unavailable as error:
            raise ToolError(f"{error}; try again in {error.retry_after_s} s") from error
        except ExchangeRefused as error:
            raise ToolError(f"auth gives no token for instances: {error}") from error

    async def _send(
        self,
        subject_token: str,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        **request: Any,
    ) -> httpx.Response:
        token = await self.tokens.token_for(subject_token)
        headers = {"Authorization": f"Bearer {token}", **(headers or {})}
        return await self.http.request(method, path, headers=headers, **request)


def _problem(reply: httpx.Response) -> str:
    """Return the text of an RFC 9457 problem; raise `Unavailable` when the body is none."""
    title, detail = read("instances", reply, itemgetter("title", "detail"))
    return f"{title} ({reply.status_code}): {detail}"
