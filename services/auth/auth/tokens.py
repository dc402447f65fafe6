"""Tokens: issued, rotated, introspected (RFC 7662) and revoked (RFC 7009)."""

import logging
import secrets
import time
import uuid
from datetime import datetime, timedelta
from typing import Any

from shared import hashes
from shared.database import Connection, Pool, connection

from auth.clients import Client
from auth.errors import OAuthError
from auth.scopes import audience_of, narrowed
from auth.signing import Signer

REFRESH_LIFETIME = timedelta(days=30)

# Of a user's grant the tenant is the user's; that of a service names it, and no user.
OWNER = """JOIN auth.grants g USING (grant_id) LEFT JOIN auth.users u USING (user_id)
 JOIN auth.tenants n ON n.tenant_id = coalesce(u.tenant_id, g.tenant_id)"""
COLUMNS = "t.*, g.user_id, n.tenant_id, n.tier, u.name AS username"
# One row for each token that is still good, with what its claims say.
ACTIVE = f"""SELECT {COLUMNS} FROM auth.tokens t {OWNER}
 WHERE t.revoked_at IS NULL AND g.revoked_at IS NULL AND t.used_at IS NULL
   AND t.expires_at > now() AND """

Row = dict[str, Any]

log = logging.getLogger("auth")


class Tokens:
    """The tokens of one issuer."""

    def __init__(self, pool: Pool, signer: Signer, issuer: str) -> None:
        self.pool = pool
        self.signer = signer
        self.issuer = issuer

    async def first(self, client: Client, grant_id: str, resource: str | None) -> Row | None:
        """Return the first tokens of a grant; None when it has had them, or is revoked.

        That it has had them is told in the transaction that makes them: who is refused with 503
        may come again, with the same code.
        """
        async with connection(self.pool) as conn:
            found = await conn.execute(
                "UPDATE auth.grants SET redeemed_at = now() WHERE grant_id = %s"
                " AND redeemed_at IS NULL AND revoked_at IS NULL RETURNING *",
                [grant_id],
            )
            grant = await found.fetchone()
            if grant is None:
                return None
            if resource and audience_of(resource) != grant["audience"]:
                raise OAuthError("invalid_target", "the resource is not the one granted")
            made = await self._insert(conn, client, grant)
            refresh = await self._insert_refresh(conn, client, grant)
        return {**await self._signed(made), **refresh}

    async def rotate(self, client: Client, token: str, asked: str | None) -> Row:
        """Return new tokens for a refresh token, which is used up by that."""
        key = [hashes.digest(token), client["client_id"]]
        async with connection(self.pool) as conn:
            found = await conn.execute(
                "UPDATE auth.tokens t SET used_at = now() FROM auth.grants g"
                " WHERE t.grant_id = g.grant_id AND t.token_hash = %s AND t.client_id = %s"
                " AND t.used_at IS NULL AND t.revoked_at IS NULL AND g.revoked_at IS NULL"
                " AND t.expires_at > now() RETURNING t.*",
                key,
            )
            if old := await found.fetchone():
                narrow = {**old, "scope": narrowed(old["scope"], asked)}
                made = await self._insert(conn, client, narrow)
                refresh = await self._insert_refresh(conn, client, old)
            else:
                # Two hold the same token, and nobody knows which of them is the thief.
                reused = await conn.execute(
                    "UPDATE auth.grants SET revoked_at = now() WHERE revoked_at IS NULL"
                    " AND grant_id = (SELECT grant_id FROM auth.tokens WHERE token_hash = %s"
                    "  AND client_id = %s AND used_at IS NOT NULL)",
                    key,
                )
        if old is None:
            if reused.rowcount:
                log.warning("refresh token reused", extra={"client_id": client["client_id"]})
            raise OAuthError("invalid_grant", "the refresh token is unknown, expired or used")
        return {**await self._signed(made), **refresh}

    async def exchange(self, client: Client, subject: Row, audience: str, scope: str) -> Row:
        """Return an access token for another audience, which does not outlive `subject`."""
        source = {**subject, "audience": audience, "scope": scope}
        async with connection(self.pool) as conn:
            made = await self._insert(conn, client, source, until=subject["expires_at"])
        return await self._signed(made)

    async def for_tenant(self, client: Client, tenant: str, audience: str, scope: str) -> Row:
        """Return an access token by which a service acts for a tenant, of a grant of its own."""
        async with connection(self.pool) as conn:
            found = await conn.execute(
                "INSERT INTO auth.grants (client_id, tenant_id, scope, audience)"
                " SELECT %s, tenant_id, %s, %s FROM auth.tenants WHERE tenant_id = %s RETURNING *",
                [client["client_id"], scope, audience, tenant],
            )
            grant = await found.fetchone()
            if grant is None:
                raise OAuthError("invalid_grant", "there is no such tenant")
            made = await self._insert(conn, client, grant)
        return await self._signed(made)

    async def _insert(
        self, conn: Connection, client: Client, source: Row, until: datetime | None = None
    ) -> Row:
        issued_at = int(time.time())
        found = await conn.execute(
            "WITH t AS (INSERT INTO auth.tokens (kind, grant_id, client_id, scope, audience,"
            "  expires_at) VALUES ('access', %s, %s, %s, %s, least(%s, to_timestamp(%s)))"
            f" RETURNING *) SELECT {COLUMNS} FROM t {OWNER}",
            [
                *(source["grant_id"], client["client_id"], source["scope"], source["audience"]),
                *(until, issued_at + client["access_token_lifetime_s"]),
            ],
        )
        row = await found.fetchone()
        assert row is not None
        return {**row, "issued_at": issued_at}

    async def _insert_refresh(self, conn: Connection, client: Client, source: Row) -> Row:
        if "refresh_token" not in client["grant_types"]:
            return {}
        token = secrets.token_urlsafe(32)
        await conn.execute(
            "INSERT INTO auth.tokens (kind, grant_id, client_id, scope, audience, token_hash,"
            " expires_at) VALUES ('refresh', %s, %s, %s, %s, %s, now() + %s)",
            [
                *(source["grant_id"], client["client_id"], source["scope"], source["audience"]),
                *(hashes.digest(token), REFRESH_LIFETIME),
            ],
        )
        return {"refresh_token": token}

    async def _signed(self, row: Row) -> Row:
        claims = {**self._claims(row), "iat": row["issued_at"]}
        return {
            "access_token": await self.signer.sign(claims),
            "token_type": "Bearer",
            "expires_in": claims["exp"] - claims["iat"],
            "scope": row["scope"],
        }

    def _claims(self, row: Row) -> Row:
        return {
            "iss": self.issuer,
            "sub": str(row["user_id"] or row["client_id"]),
            "aud": row["audience"],
            "client_id": row["client_id"],
            "scope": row["scope"],
            "tenant": str(row["tenant_id"]),
            "tier": row["tier"],
            "jti": str(row["token_id"]),
            "exp": int(row["expires_at"].timestamp()),
        }

    async def active(self, token: str) -> Row | None:
        """Return the row of a token that is genuine, in time, not used up and not revoked."""
        column, value = await self._handle(token)
        async with connection(self.pool) as conn:
            found = await conn.execute(f"{ACTIVE} t.{column} = %s", [value])
            return await found.fetchone()

    async def introspect(self, client: Client, token: str) -> Row:
        """Tell a client about a token that it issued or receives; any other is not active."""
        row = await self.active(token)
        if row is None or client["client_id"] not in (row["client_id"], row["audience"]):
            return {"active": False}
        kind = "Bearer" if row["kind"] == "access" else "refresh_token"
        user = {} if row["username"] is None else {"username": row["username"]}
        return {"active": True, "token_type": kind, **user, **self._claims(row)}

    async def revoke(self, client: Client, token: str) -> None:
        """Revoke an access token, or with a refresh token the whole grant."""
        column, value = await self._handle(token)
        async with connection(self.pool) as conn:
            found = await conn.execute(f"SELECT * FROM auth.tokens WHERE {column} = %s", [value])
            row = await found.fetchone()
            if row is None:
                return  # RFC 7009: what is not there is revoked already
            if row["client_id"] != client["client_id"]:
                raise OAuthError("unauthorized_client", "the token belongs to another client")
            table, key = (
                ("tokens", "token_id") if row["kind"] == "access" else ("grants", "grant_id")
            )
            await conn.execute(
                f"UPDATE auth.{table} SET revoked_at = now() WHERE {key} = %s", [row[key]]
            )

    async def revoke_grant_of_code(self, code: str, client: Client) -> None:
        """Revoke what was made of a code that came a second time."""
        async with connection(self.pool) as conn:
            reused = await conn.execute(
                "UPDATE auth.grants SET revoked_at = now()"
                " WHERE code_hash = %s AND client_id = %s AND revoked_at IS NULL",
                [hashes.digest(code), client["client_id"]],
            )
        if reused.rowcount:
            log.warning("code reused", extra={"client_id": client["client_id"]})

    async def _handle(self, token: str) -> tuple[str, object]:
        claims = await self.signer.read(token) if token.count(".") == 2 else None
        if claims is None:
            return "token_hash", hashes.digest(token)
        return "token_id", uuid.UUID(claims["jti"])
