"""Users and their tenants: sign-up, and passwords by scrypt."""

import asyncio
import hashlib
import hmac
import secrets
from typing import Annotated, Any, Literal

import psycopg
from pydantic import BaseModel, ConfigDict, StringConstraints
from shared.database import Pool, connection

from auth.errors import OAuthError

N, R, P = 2**14, 8, 1

# PostgreSQL's text holds every character but NUL.
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class SignUp(BaseModel):
    """The body of POST /users."""

    model_config = ConfigDict(extra="forbid")

    username: Name
    password: Annotated[str, StringConstraints(min_length=8, max_length=200)]
    tenant: Name
    tier: Literal["free", "pro", "enterprise"] = "free"


def _scrypt(password: str, salt: bytes) -> str:
    key = hashlib.scrypt(password.encode(), salt=salt, n=N, r=R, p=P)
    return f"{salt.hex()}${key.hex()}"


# What an unknown user's password is compared with, so that the answer takes as long.
_NOBODY = _scrypt(secrets.token_urlsafe(), secrets.token_bytes(16))


async def sign_up(pool: Pool, asked: SignUp) -> dict[str, str]:
    """Create a user, and the tenant when it is new; an existing tenant keeps its tier."""
    password_hash = await asyncio.to_thread(_scrypt, asked.password, secrets.token_bytes(16))
    try:
        async with connection(pool) as conn:
            found = await conn.execute(
                "INSERT INTO auth.tenants (name, tier) VALUES (%s, %s)"
                " ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING tenant_id",
                [asked.tenant, asked.tier],
            )
            tenant = await found.fetchone()
            assert tenant is not None
            found = await conn.execute(
                "INSERT INTO auth.users (tenant_id, name, password_hash) VALUES (%s, %s, %s)"
                " RETURNING user_id",
                [tenant["tenant_id"], asked.username, password_hash],
            )
            user = await found.fetchone()
            assert user is not None
    except psycopg.errors.UniqueViolation as error:
        raise OAuthError("user_exists", "the username is taken", 409) from error
    return {"user_id": str(user["user_id"]), "tenant_id": str(tenant["tenant_id"])}


async def log_in(pool: Pool, username: str, password: str) -> Any:
    """Return the user_id of who knows the password, None for anybody else."""
    async with connection(pool) as conn:
        found = await conn.execute(
            "SELECT user_id, password_hash FROM auth.users WHERE name = %s", [username]
        )
        user = await found.fetchone()
    expected = user["password_hash"] if user else _NOBODY
    salt = bytes.fromhex(expected.partition("$")[0])
    actual = await asyncio.to_thread(_scrypt, password, salt)
    return user["user_id"] if user and hmac.compare_digest(actual, expected) else None
