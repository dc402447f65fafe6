"""The twin's fixtures: what the services need is mocked, and nothing is started.

The environment is what docker-compose.yml says, as far as the services read it when they start.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

ENVIRONMENT = {
    "DATABASE_S": "4.5",
    "AUTH_TIMEOUT_S": "2.5",
    "INSTANCES_TIMEOUT_S": "3.5",
    "REDIS_TIMEOUT_S": "2",
    "JOB_S": "18",
    "CLOCK_LEEWAY_S": "5",
    "CIRCUIT_REST_S": "2",
    "RETRY_PAUSE_S": "0.05",
    "RECONNECT_S": "0.1",
    "CLIENT_CHECK_S": "0.25",
    "TURN_S": "2",
    "KEYS_EVERY_S": "1",
    "CODE_LIFETIME_S": "60",
    "RATE_WINDOW_S": "60",
    "UVICORN_TIMEOUT_KEEP_ALIVE": "5",
    "DATABASE_URL": "postgresql://nobody@localhost/none",
    "REDIS_URL": "redis://localhost/0",
    "AUTH_ISSUER": "http://auth:8000",
    "AUTH_URL": "http://auth.internal:8000",
    "INSTANCES_URL": "http://instances:8000",
    "PAGE_URL": "http://instances:8000",
    "AUTH_CLIENT_ID": "instances",
    "AUTH_CLIENT_SECRET": "instances-client-secret",
}
os.environ.update(ENVIRONMENT)

import fakeredis
import httpx
import pytest
import pytest_asyncio
from auth import app as auth_app
from joserfc import jwt
from joserfc.jwk import ECKey
from scripted import AsyncConnection
from shared import hashes

REDIRECT = "https://client.example/callback"
VERIFIER = "v" * 43
# base64url(sha256(VERIFIER)), by openssl.
CHALLENGE = "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM"


@pytest.fixture
def db(mocker: Any) -> AsyncConnection:
    """The database of auth."""
    db = AsyncConnection()
    for module in ("authorize", "clients", "signing", "tokens", "users"):
        mocker.patch(f"auth.{module}.connection", db.handed_out)
    return db


@pytest.fixture
def redis(mocker: Any) -> fakeredis.FakeAsyncRedis:
    """The Redis of auth."""
    redis = fakeredis.FakeAsyncRedis(decode_responses=True)
    mocker.patch.object(auth_app.limits, "redis", redis)
    return redis


@pytest.fixture(scope="session")
def key() -> ECKey:
    """The key that auth signs with."""
    return ECKey.generate_key("P-256", auto_kid=True)


@pytest_asyncio.fixture
async def auth(db: AsyncConnection, redis: Any, key: ECKey, mocker: Any) -> Any:
    """A client of auth, in this process."""
    mocker.patch.object(auth_app.signer, "_key", key)
    transport = httpx.ASGITransport(auth_app.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://auth:8000") as client:
        yield client


def client_row(**changes: Any) -> dict[str, Any]:
    """A row of auth.clients: public, with both grants."""
    return {
        "client_id": "client-1",
        "client_name": "a client",
        "secret_hash": None,
        "registration_token_hash": hashes.digest("registration-token"),
        "token_endpoint_auth_method": "none",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "instances:read instances:write",
        "access_token_lifetime_s": 300,
        "token_requests_per_minute": 60,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        **changes,
    }


def confidential_row(**changes: Any) -> dict[str, Any]:
    """A row of auth.clients with the secret `secret`."""
    more = {"token_endpoint_auth_method": "client_secret_basic"}
    return client_row(**{"secret_hash": hashes.digest("secret"), **more, **changes})


def token_row(**changes: Any) -> dict[str, Any]:
    """A row of auth.tokens joined with its owner."""
    return {
        "token_id": uuid4(),
        "grant_id": uuid4(),
        "client_id": "client-1",
        "kind": "access",
        "token_hash": None,
        "scope": "instances:read instances:write",
        "audience": "instances",
        "expires_at": datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5),
        "used_at": None,
        "revoked_at": None,
        "user_id": uuid4(),
        "tenant_id": uuid4(),
        "tier": "free",
        "username": "ann",
        **changes,
    }


def access_token(key: ECKey, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """An access token as auth makes them."""
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": "http://auth:8000",
        "sub": str(uuid4()),
        "aud": "instances",
        "client_id": "client-1",
        "scope": "instances:read instances:write",
        "tenant": str(uuid4()),
        "tier": "free",
        "jti": str(uuid4()),
        "iat": now,
        "exp": now + 300,
        **changes,
    }
    made = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **(header or {})}
    return jwt.encode(made, claims, key, algorithms=["ES256"])
