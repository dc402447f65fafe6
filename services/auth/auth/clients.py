"""Clients: registration (RFC 7591), its management (RFC 7592) and their authentication."""

import base64
import secrets
from typing import Annotated, Any, Literal, get_args
from urllib.parse import unquote_plus, urlsplit

from pydantic import AfterValidator, BaseModel, Field
from shared import hashes
from shared.database import Pool, connection

from auth.errors import OAuthError
from auth.users import Name

SCOPES = ("instances:read", "instances:write")
AuthMethod = Literal["none", "client_secret_basic", "client_secret_post"]
AUTH_METHODS = get_args(AuthMethod)
LOOPBACK = ("localhost", "127.0.0.1", "::1")
BASIC = {"WWW-Authenticate": 'Basic realm="auth"'}
BEARER = {"WWW-Authenticate": 'Bearer realm="auth", error="invalid_token"'}

Client = dict[str, Any]


def _redirect_uri(uri: str) -> str:
    parts = urlsplit(uri)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not safe or not parts.hostname or parts.port == 0 or parts.fragment or "\x00" in uri:
        raise ValueError("a redirect URI is https, or http on loopback, and has no fragment")
    return uri


def _scope(scope: str) -> str:
    if not scope.split() or not set(scope.split()) <= set(SCOPES):
        raise ValueError(f"the scopes are {' '.join(SCOPES)}")
    return scope


class Metadata(BaseModel):
    """What a client may register; `access_token_lifetime_s` is an extension of ours."""

    client_name: Name = "unnamed"
    redirect_uris: list[Annotated[str, AfterValidator(_redirect_uri)]] = Field(min_length=1)
    token_endpoint_auth_method: AuthMethod = "client_secret_basic"
    grant_types: list[Literal["authorization_code", "refresh_token"]] = ["authorization_code"]
    response_types: list[Literal["code"]] = ["code"]
    scope: Annotated[str, AfterValidator(_scope)] = " ".join(SCOPES)
    access_token_lifetime_s: int = Field(default=300, ge=1, le=3600)

    def columns(self) -> dict[str, Any]:
        """Return what is stored; response_types can have only one value."""
        return self.model_dump(exclude={"response_types"})


async def find(pool: Pool, client_id: str) -> Client | None:
    """Return the row of a client."""
    async with connection(pool) as conn:
        found = await conn.execute("SELECT * FROM auth.clients WHERE client_id = %s", [client_id])
        return await found.fetchone()


async def register(pool: Pool, asked: Metadata, issuer: str) -> dict[str, Any]:
    """Create a client; its secret and its registration token are told only here."""
    client_id, token = secrets.token_hex(16), secrets.token_urlsafe(32)
    public = asked.token_endpoint_auth_method == "none"
    secret = None if public else secrets.token_urlsafe(32)
    async with connection(pool) as conn:
        found = await conn.execute(
            "INSERT INTO auth.clients (client_id, secret_hash, registration_token_hash,"
            " client_name, redirect_uris, token_endpoint_auth_method, grant_types, scope,"
            " access_token_lifetime_s) VALUES (%(client_id)s, %(secret_hash)s, %(token_hash)s,"
            " %(client_name)s, %(redirect_uris)s, %(token_endpoint_auth_method)s,"
            " %(grant_types)s, %(scope)s, %(access_token_lifetime_s)s) RETURNING *",
            {
                **asked.columns(),
                "client_id": client_id,
                "secret_hash": secret and hashes.digest(secret),
                "token_hash": hashes.digest(token),
            },
        )
        client = await found.fetchone()
    assert client is not None
    told = {**describe(client, issuer), "registration_access_token": token}
    return told if public else {**told, "client_secret": secret, "client_secret_expires_at": 0}


async def manage(pool: Pool, client_id: str, token: str) -> Client:
    """Return the client that a registration access token belongs to, or refuse with 401."""
    client = await find(pool, client_id)
    expected = client and client["registration_token_hash"]
    if client is None or not expected or not hashes.matches(token, expected):
        raise OAuthError("invalid_token", "not the token of this registration", 401, BEARER)
    return client


async def update(pool: Pool, client: Client, asked: Metadata, issuer: str) -> dict[str, Any]:
    """Replace what the client registered; whether it has a secret cannot change."""
    public = client["token_endpoint_auth_method"] == "none"
    if public != (asked.token_endpoint_auth_method == "none"):
        raise OAuthError("invalid_client_metadata", "a client cannot gain or lose its secret")
    async with connection(pool) as conn:
        found = await conn.execute(
            "UPDATE auth.clients SET client_name = %(client_name)s,"
            " redirect_uris = %(redirect_uris)s, grant_types = %(grant_types)s,"
            " token_endpoint_auth_method = %(token_endpoint_auth_method)s, scope = %(scope)s,"
            " access_token_lifetime_s = %(access_token_lifetime_s)s"
            " WHERE client_id = %(client_id)s RETURNING *",
            {**asked.columns(), "client_id": client["client_id"]},
        )
        changed = await found.fetchone()
    if changed is None:
        raise OAuthError("invalid_token", "the client is gone", 401, BEARER)
    return describe(changed, issuer)


async def delete(pool: Pool, client: Client) -> None:
    """Remove a client; its grants and tokens go with it."""
    async with connection(pool) as conn:
        await conn.execute("DELETE FROM auth.clients WHERE client_id = %s", [client["client_id"]])


def describe(client: Client, issuer: str) -> dict[str, Any]:
    """Return a client as RFC 7591 shows it, without what is secret."""
    return {
        "client_id": client["client_id"],
        "client_id_issued_at": int(client["created_at"].timestamp()),
        "registration_client_uri": f"{issuer}/register/{client['client_id']}",
        "response_types": ["code"],
        **{name: client[name] for name in Metadata.model_fields if name != "response_types"},
    }


async def authenticate(pool: Pool, authorization: str | None, form: dict[str, str]) -> Client:
    """Return the client that a request comes from, in the way it registered, or refuse with 401."""
    method, client_id, secret = _credentials(authorization, form)
    client = await find(pool, client_id)
    if client is None or client["token_endpoint_auth_method"] != method:
        raise OAuthError("invalid_client", "unknown client or wrong method", 401, BASIC)
    if client["secret_hash"] and not hashes.matches(secret, client["secret_hash"]):
        raise OAuthError("invalid_client", "wrong client secret", 401, BASIC)
    return client


def _credentials(authorization: str | None, form: dict[str, str]) -> tuple[str, str, str]:
    if authorization is None:
        method = "client_secret_post" if "client_secret" in form else "none"
        return method, form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # no base64, or no text in it
        colon = ""
    if scheme.lower() != "basic" or not colon:
        raise OAuthError("invalid_client", "the authorization header is malformed", 401, BASIC)
    if "client_secret" in form or form.get("client_id", name) != name:
        raise OAuthError("invalid_request", "more than one way of client authentication")
    return "client_secret_basic", unquote_plus(name), unquote_plus(secret)
