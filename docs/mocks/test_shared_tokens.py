"""The verifier of tokens: auth is respx's, the tokens are real."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest
import respx
from conftest import access_token
from joserfc.jwk import ECKey
from shared.errors import Unavailable
from shared.http import Client
from shared.tokens import InsufficientScope, InvalidToken, Verifier, bearer
from shared.waits import CallWaits, TokenWaits


@pytest.fixture
def auth(key: ECKey) -> Any:
    with respx.mock(base_url="http://auth:8000", assert_all_called=False) as auth:
        keys = {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": "ES256"}]}
        auth.get("/jwks", name="jwks").respond(200, json=keys)
        auth.post("/introspect", name="introspect").respond(200, json={"active": True})
        yield auth


@pytest.fixture
async def verifier(mocker: Any) -> Any:
    mocker.patch("shared.http.asyncio.sleep", new=AsyncMock())
    client = Client("auth", "http://auth:8000", CallWaits(2.5, 0.05, 2.0, 2.0))
    yield Verifier(
        client,
        TokenWaits(leeway_s=5, keys_every_s=1),
        issuer="http://auth:8000",
        audience="instances",
        client_id="instances",
        client_secret="secret",
    )
    await client.aclose()


async def test_claims_should_be_told_when_the_token_is_good(
    verifier: Verifier, auth: Any, key: ECKey
) -> None:
    token = access_token(key, tenant="t", tier="pro", scope="instances:read")
    claims = await verifier.verify(token)
    assert (claims.tenant, claims.tier, claims.token) == ("t", "pro", token)
    assert claims.scopes == {"instances:read"}
    request = auth["introspect"].calls.last.request
    assert request.headers["authorization"].startswith("Basic ")
    assert token in request.content.decode()


async def test_keys_should_be_fetched_once_when_many_tokens_are_verified(
    verifier: Verifier, auth: Any, key: ECKey
) -> None:
    await asyncio.gather(*(verifier.verify(access_token(key)) for _ in range(5)))
    await verifier.verify(access_token(key))
    assert auth["jwks"].call_count == 1
    assert auth["introspect"].call_count == 6


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://evil.example"},
        {"aud": "mcp"},
        {"exp": 1},
        {"sub": None},
        {"jti": None},
        {"client_id": None},
    ],
)
async def test_token_should_be_refused_when_a_claim_is_not_right(
    verifier: Verifier, auth: Any, key: ECKey, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidToken):
        await verifier.verify(access_token(key, **changes))
    assert auth["introspect"].call_count == 0


@pytest.mark.parametrize(("ahead_s", "good"), [(3, True), (60, False)])
async def test_token_should_be_accepted_only_when_the_clock_of_auth_is_hardly_ahead(
    verifier: Verifier, auth: Any, key: ECKey, ahead_s: int, good: bool
) -> None:
    import time

    token = access_token(key, iat=int(time.time()) + ahead_s)
    if good:
        await verifier.verify(token)
    else:
        with pytest.raises(InvalidToken):
            await verifier.verify(token)


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"crit": ["x"]}])
async def test_token_should_be_refused_when_its_header_is_not_right(
    verifier: Verifier, auth: Any, key: ECKey, header: dict[str, Any]
) -> None:
    with pytest.raises((InvalidToken, Exception)) as raised:
        await verifier.verify(access_token(key, header=header))
    if "crit" not in header:
        assert raised.type is InvalidToken


def forged(token: str, header: dict[str, Any]) -> str:
    import base64
    import json

    first = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return ".".join([first, *token.split(".")[1:]])


@pytest.mark.parametrize("more", [{"crit": 1}, {"alg": "none"}, {"alg": 7}, {"crit": ["x"]}])
async def test_token_should_be_refused_when_its_header_is_malformed(
    verifier: Verifier, auth: Any, key: ECKey, more: dict[str, Any]
) -> None:
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **more}
    with pytest.raises(InvalidToken):
        await verifier.verify(forged(access_token(key), header))


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "....", "é"])
async def test_token_should_be_refused_when_it_is_none(
    verifier: Verifier, auth: Any, token: str
) -> None:
    with pytest.raises(InvalidToken):
        await verifier.verify(token)


async def test_token_should_be_refused_when_it_is_signed_by_another_key(
    verifier: Verifier, auth: Any, key: ECKey
) -> None:
    other = ECKey.generate_key("P-256")
    with pytest.raises(InvalidToken):
        await verifier.verify(access_token(other, header={"kid": key.kid}))


async def test_keys_should_be_fetched_anew_when_the_key_is_unknown(
    verifier: Verifier, auth: Any, key: ECKey, mocker: Any
) -> None:
    clock = mocker.patch("shared.tokens.time.monotonic", return_value=100.0)
    await verifier.verify(access_token(key))
    other = ECKey.generate_key("P-256", auto_kid=True)
    with pytest.raises(InvalidToken, match="unknown key"):
        await verifier.verify(access_token(other))
    assert auth["jwks"].call_count == 1  # fetched a moment ago
    clock.return_value = 102.0
    keys = {"keys": [other.as_dict(private=False)]}
    auth["jwks"].respond(200, json=keys)
    await verifier.verify(access_token(other))
    assert auth["jwks"].call_count == 2


@pytest.mark.parametrize("told", [{"active": False}, {"active": "yes"}, {}])
async def test_token_should_be_refused_when_it_is_revoked(
    verifier: Verifier, auth: Any, key: ECKey, told: dict[str, Any]
) -> None:
    auth["introspect"].respond(200, json=told)
    with pytest.raises(InvalidToken, match="revoked"):
        await verifier.verify(access_token(key))


@pytest.mark.parametrize(
    "reply", [httpx.Response(401), httpx.Response(500), httpx.Response(200, text="<html>")]
)
async def test_verifier_should_fail_closed_when_auth_answers_nonsense(
    verifier: Verifier, auth: Any, key: ECKey, reply: httpx.Response
) -> None:
    auth["introspect"].mock(return_value=reply)
    with pytest.raises(Unavailable):
        await verifier.verify(access_token(key))


@pytest.mark.parametrize(
    "reply", [httpx.Response(500), httpx.Response(200, text="<html>"), httpx.Response(200, json=[])]
)
async def test_verifier_should_fail_closed_when_there_are_no_keys(
    verifier: Verifier, auth: Any, key: ECKey, reply: httpx.Response
) -> None:
    auth["jwks"].mock(return_value=reply)
    with pytest.raises(Unavailable):
        await verifier.verify(access_token(key))
    assert verifier._fetching is None


async def test_scope_should_be_required_when_the_claims_have_others(
    verifier: Verifier, auth: Any, key: ECKey
) -> None:
    claims = await verifier.verify(access_token(key, scope="instances:read"))
    claims.require("instances:read")
    with pytest.raises(InsufficientScope, match="instances:write"):
        claims.require("instances:write")


@pytest.mark.parametrize("header", [None, "", "Basic x", "Bearer", "Bearer  "])
def test_bearer_should_be_refused_when_there_is_none(header: str | None) -> None:
    with pytest.raises(InvalidToken):
        bearer(header)


def test_bearer_should_be_returned_when_there_is_one() -> None:
    assert bearer("bearer  abc ") == "abc"
