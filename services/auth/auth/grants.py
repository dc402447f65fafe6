"""The token endpoint: what a client may exchange for an access token."""

import base64
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from typing import Any

from auth.clients import Client
from auth.errors import OAuthError
from auth.forms import needed
from auth.limits import Limits
from auth.scopes import audience_of, narrowed
from auth.tokens import Tokens

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

Form = dict[str, str]
Reply = dict[str, Any]


async def authorization_code(tokens: Tokens, limits: Limits, client: Client, form: Form) -> Reply:
    """Exchange a code, once; a code that comes again revokes what was made of it."""
    code = needed(form, "code")
    kept = await limits.find_code(code)
    if kept is not None and kept["client_id"] == client["client_id"]:
        try:
            _check(kept, form)
        except OAuthError:
            await limits.forget_code(code)  # nobody may guess twice
            raise
        if answer := await tokens.first(client, kept["grant_id"], form.get("resource")):
            return answer
    await tokens.revoke_grant_of_code(code, client)
    raise OAuthError("invalid_grant", "the code is unknown, expired or used")


def _check(kept: dict[str, str], form: Form) -> None:
    if form.get("redirect_uri", kept["redirect_uri"]) != kept["redirect_uri"]:
        raise OAuthError("invalid_grant", "redirect_uri is not the one of the request")
    verifier = needed(form, "code_verifier")
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    proved = hmac.compare_digest(hashed, kept["challenge"].encode())
    if not (VERIFIER.fullmatch(verifier) and proved):
        raise OAuthError("invalid_grant", "code_verifier does not match the challenge")


async def refresh_token(tokens: Tokens, limits: Limits, client: Client, form: Form) -> Reply:
    """Exchange a refresh token for a new pair; a token that comes again revokes its family."""
    return await tokens.rotate(client, needed(form, "refresh_token"), form.get("scope"))


async def token_exchange(tokens: Tokens, limits: Limits, client: Client, form: Form) -> Reply:
    """Exchange a user's token for one with another audience (RFC 8693)."""
    if needed(form, "subject_token_type") != ACCESS_TOKEN:
        raise OAuthError("invalid_request", "subject_token_type must be an access token")
    audience = audience_of(form.get("audience") or needed(form, "resource"))
    subject = await tokens.active(needed(form, "subject_token"))
    # Only who received the token may exchange it, or a stolen one would open every service.
    received = subject and (subject["kind"], subject["audience"]) == ("access", client["client_id"])
    if subject is None or not received:
        raise OAuthError("invalid_request", "subject_token is not active or not for this client")
    scope = narrowed(subject["scope"], form.get("scope"))
    reply = await tokens.exchange(client, subject, audience, scope)
    return {**reply, "issued_token_type": ACCESS_TOKEN}


async def client_credentials(tokens: Tokens, limits: Limits, client: Client, form: Form) -> Reply:
    """Issue a token by which a service acts for a tenant (RFC 6749, 4.4), whoever its users are.

    `tenant` is an extension of ours: such a token reaches what is that tenant's, as a user's does.
    No client can register this grant.
    """
    audience = audience_of(form.get("resource"))
    scope = narrowed(client["scope"], form.get("scope"))
    return await tokens.for_tenant(client, needed(form, "tenant"), audience, scope)


Grant = Callable[[Tokens, Limits, Client, Form], Awaitable[Reply]]
GRANTS: dict[str, Grant] = {
    "authorization_code": authorization_code,
    "refresh_token": refresh_token,
    "client_credentials": client_credentials,
    EXCHANGE: token_exchange,
}


async def issue(tokens: Tokens, limits: Limits, client: Client, form: Form) -> Reply:
    """Return the token response for a request of an authenticated client."""
    await limits.spend(f"token:{client['client_id']}", client["token_requests_per_minute"])
    grant_type = needed(form, "grant_type")
    if grant_type not in GRANTS:
        raise OAuthError("unsupported_grant_type", "no such grant type")
    if grant_type not in client["grant_types"]:
        raise OAuthError("unauthorized_client", "the client did not register this grant")
    return await GRANTS[grant_type](tokens, limits, client, form)
