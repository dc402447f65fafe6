"""The authorization endpoint: who logs in gives a client a code, for PKCE S256 only."""

import re
import secrets
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from shared import hashes
from shared.database import Pool, connection

from auth import clients
from auth.errors import OAuthError
from auth.limits import Limits
from auth.scopes import audience_of, narrowed

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
PARAMETERS = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "resource",
    "code_challenge",
    "code_challenge_method",
]

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Log in</title></head>
<body><h1>Log in to {client}</h1><p role="alert">{problem}</p>
<form method="post" action="/authorize">{hidden}
<label>User name <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required>
</label><button>Allow: {scope}</button></form></body></html>
"""


@dataclass(frozen=True)
class Asked:
    """A valid authorization request."""

    client: clients.Client
    redirect_uri: str
    state: str | None
    scope: str
    audience: str
    challenge: str

    def page(self, form: dict[str, str], problem: str = "") -> str:
        """Return the login form, which repeats the request in hidden fields."""
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(form[name])}">'
            for name in PARAMETERS
            if name in form
        )
        client = escape(self.client["client_name"])
        return PAGE.format(client=client, problem=problem, hidden=hidden, scope=escape(self.scope))


class RedirectError(Exception):
    """An error that the client is told through its redirect URI."""

    def __init__(self, redirect_uri: str, state: str | None, error: OAuthError) -> None:
        super().__init__(error.description)
        self.redirect_uri = redirect_uri
        self.parameters = {"error": error.code, "error_description": error.description}
        self.state = state


def location(redirect_uri: str, issuer: str, state: str | None, **parameters: str) -> str:
    """Return the redirect URI with `parameters`, the state and the issuer (RFC 9207)."""
    given = parameters | ({} if state is None else {"state": state}) | {"iss": issuer}
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return f"{redirect_uri}{joint}{urlencode(given)}"


async def check(pool: Pool, form: dict[str, str]) -> Asked:
    """Return the request when it is valid.

    Raises `OAuthError` while the redirect URI is not known to be the client's, so that nobody is
    sent to a place that the client did not register, and `RedirectError` afterwards.
    """
    client = await clients.find(pool, form.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_client", "unknown client", 400)
    redirect_uri = form.get("redirect_uri", "")
    if redirect_uri not in client["redirect_uris"]:
        raise OAuthError("invalid_request", "redirect_uri is not registered for this client")
    state = form.get("state")
    try:
        if form.get("response_type") != "code":
            raise OAuthError("unsupported_response_type", "the response type is code")
        if "authorization_code" not in client["grant_types"]:
            raise OAuthError("unauthorized_client", "the client did not register this grant")
        # Without a method RFC 7636 means plain, which OAuth 2.1 does not have.
        if form.get("code_challenge_method") != "S256":
            raise OAuthError("invalid_request", "code_challenge_method must be S256")
        challenge = form.get("code_challenge", "")
        if not CHALLENGE.fullmatch(challenge):
            raise OAuthError("invalid_request", "code_challenge must be a SHA-256 in base64url")
        scope = narrowed(client["scope"], form.get("scope"))
        audience = audience_of(form.get("resource"))
    except OAuthError as error:
        raise RedirectError(redirect_uri, state, error) from error
    return Asked(client, redirect_uri, state, scope, audience, challenge)


async def grant_code(pool: Pool, limits: Limits, asked: Asked, user_id: Any) -> str:
    """Record the user's consent and return the code that stands for it."""
    code, client_id = secrets.token_urlsafe(32), asked.client["client_id"]
    async with connection(pool) as conn:
        found = await conn.execute(
            "INSERT INTO auth.grants (client_id, user_id, code_hash, scope, audience)"
            " VALUES (%s, %s, %s, %s, %s) RETURNING grant_id",
            [client_id, user_id, hashes.digest(code), asked.scope, asked.audience],
        )
        row = await found.fetchone()
    assert row is not None
    kept = {
        "grant_id": str(row["grant_id"]),
        "client_id": client_id,
        "redirect_uri": asked.redirect_uri,
        "challenge": asked.challenge,
    }
    await limits.keep_code(code, kept)
    return code
