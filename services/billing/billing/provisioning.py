"""Tasks of the outbox: an instance is ordered, or given back, in the tenant's name."""

from http import HTTPStatus
from operator import itemgetter
from typing import Any
from uuid import UUID

import httpx
from shared.database import Connection
from shared.errors import Unavailable
from shared.http import Client, read

from billing.outbox import Task

# Nothing wrong with the order: the same request may be granted later.
_PASSING = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS})


class Provisioning:
    """Calls `instances` with a token of `auth` by which this service acts for a tenant.

    A user's own token would have expired: the provider is paid whenever it is paid.
    """

    def __init__(self, auth: Client, instances: Client, credentials: tuple[str, str]) -> None:
        self.auth = auth
        self.instances = instances
        self.credentials = credentials

    async def do(self, conn: Connection, task: Task) -> None:
        """Do a task, again and again if need be; raises `Unavailable` when it has to wait."""
        found = await conn.execute(
            "SELECT s.name, s.instance_id, p.size FROM billing.subscriptions s"
            " JOIN billing.plans p USING (plan) WHERE s.subscription_id = %s",
            [task.subscription_id],
        )
        if (subscription := await found.fetchone()) is None:
            return  # its tenant is being deleted, and it with that one
        if task.kind == "deprovision":
            await self._give_back(task.tenant_id, subscription["instance_id"])
            return
        instance_id, refusal = await self._order(task, subscription)
        await conn.execute(
            "UPDATE billing.subscriptions SET instance_id = %s, refusal = %s, updated_at = now()"
            " WHERE subscription_id = %s",
            [instance_id, refusal, task.subscription_id],
        )

    async def _order(
        self, task: Task, subscription: dict[str, Any]
    ) -> tuple[UUID | None, str | None]:
        """Return the instance's id; or none, and the code for which `instances` refused it."""
        # The subscription's id is the key: however often this is sent, it is one order.
        reply = await self._send(
            task.tenant_id,
            "POST",
            "/instances",
            json={"name": subscription["name"], "size": subscription["size"]},
            headers={"Idempotency-Key": str(task.subscription_id)},
        )
        if reply.is_error:
            return None, read("instances", reply, itemgetter("code"))
        return read("instances", reply, lambda told: UUID(told["id"])), None

    async def _give_back(self, tenant: UUID, instance_id: UUID | None) -> None:
        if instance_id is None:
            return  # it was never ordered, or refused
        reply = await self._send(tenant, "DELETE", f"/instances/{instance_id}")
        if reply.is_error and reply.status_code != HTTPStatus.NOT_FOUND:
            raise Unavailable("instances", f"the removal answered {reply.status_code}")

    async def _send(
        self,
        tenant: UUID,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        **request: Any,
    ) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {await self._token(tenant)}"}
        reply = await self.instances.request(
            method, path, headers=bearer | (headers or {}), repeatable=True, **request
        )
        if reply.is_server_error or reply.status_code in _PASSING:
            raise Unavailable("instances", f"{method} {path} answered {reply.status_code}")
        return reply

    async def _token(self, tenant: UUID) -> str:
        form = {
            "grant_type": "client_credentials",
            "tenant": str(tenant),
            "resource": "instances",
            "scope": "instances:write",
        }
        reply = await self.auth.request(
            "POST", "/token", data=form, auth=self.credentials, repeatable=True
        )
        if reply.status_code != HTTPStatus.OK:
            raise Unavailable("auth", f"the token request answered {reply.status_code}")
        token: str = read("auth", reply, itemgetter("access_token"))
        return token
