"""The token endpoint, introspection and revocation."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from auth.grants import ACCESS_TOKEN, EXCHANGE
from conftest import CHALLENGE, REDIRECT, VERIFIER, access_token, client_row, confidential_row
from conftest import token_row as made_row
from joserfc import jwt
from shared import hashes

REDEEM = "UPDATE auth.grants SET redeemed_at"
REVOKE = "UPDATE auth.grants SET revoked_at"
NEW = "INSERT INTO auth.tokens (kind, grant_id, client_id, scope, audience,  expires_at)"
NEW_ACCESS = "VALUES ('access'"
NEW_REFRESH = "VALUES ('refresh'"
CODE = {
    "grant_type": "authorization_code",
    "client_id": "client-1",
    "code": "a-code",
    "redirect_uri": REDIRECT,
    "code_verifier": VERIFIER,
}


@pytest.fixture
def client(db: Any) -> dict[str, Any]:
    row = client_row()
    db.on("SELECT * FROM auth.clients", row)
    return row


@pytest.fixture
async def code(redis: Any, db: Any) -> Any:
    """A code that stands for a grant."""
    grant = {"grant_id": uuid4(), "scope": "instances:read", "audience": "instances"}
    kept = {
        "grant_id": str(grant["grant_id"]),
        "client_id": "client-1",
        "redirect_uri": REDIRECT,
        "challenge": CHALLENGE,
    }
    await redis.set(f"code:{hashes.digest('a-code')}", json.dumps(kept))
    db.on(REDEEM, grant)
    db.on(NEW_ACCESS, made_row(scope="instances:read"))
    return grant


def refused(reply: Any) -> tuple[int, str]:
    assert reply.headers["cache-control"] == "no-store"
    return reply.status_code, reply.json()["error"]


# A code


async def test_code_should_give_tokens_when_everything_fits(
    auth: Any, db: Any, client: Any, code: Any, key: Any
) -> None:
    reply = await auth.post("/token", data=CODE)
    told = reply.json()
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    assert (told["token_type"], told["scope"]) == ("Bearer", "instances:read")
    assert 295 <= told["expires_in"] <= 300
    token = jwt.decode(told["access_token"], key)
    assert token.header["typ"] == "at+jwt"
    assert token.claims["aud"] == "instances"
    assert token.claims["scope"] == "instances:read"
    assert token.claims["exp"] - token.claims["iat"] == told["expires_in"]
    ((grant_id, client_id, scope, audience, hashed, lasts),) = db.sent(NEW_REFRESH)
    assert (grant_id, client_id) == (code["grant_id"], "client-1")
    assert (scope, audience, lasts) == ("instances:read", "instances", timedelta(days=30))
    assert hashed == hashes.digest(told["refresh_token"])


async def test_code_should_give_no_refresh_token_when_the_client_did_not_register_it(
    auth: Any, db: Any, code: Any
) -> None:
    db.on("SELECT * FROM auth.clients", client_row(grant_types=["authorization_code"]))
    assert "refresh_token" not in (await auth.post("/token", data=CODE)).json()


@pytest.mark.parametrize("changes", [{"code_verifier": "w" * 43}, {"redirect_uri": f"{REDIRECT}/"}])
async def test_code_should_be_used_up_when_the_proof_was_wrong(
    auth: Any, redis: Any, client: Any, code: Any, changes: dict[str, str]
) -> None:
    assert refused(await auth.post("/token", data={**CODE, **changes})) == (400, "invalid_grant")
    assert await redis.keys("code:*") == []


@pytest.mark.parametrize("verifier", ["v" * 42, "v" * 129, "ü" * 43])
async def test_code_should_be_refused_when_the_verifier_is_malformed(
    auth: Any, client: Any, code: Any, verifier: str
) -> None:
    reply = await auth.post("/token", data={**CODE, "code_verifier": verifier})
    assert refused(reply) == (400, "invalid_grant")


async def test_code_should_revoke_its_tokens_when_it_comes_again(
    auth: Any, db: Any, client: Any, code: Any
) -> None:
    db.on(REDEEM)  # it has been redeemed
    assert refused(await auth.post("/token", data=CODE)) == (400, "invalid_grant")
    assert db.sent(REVOKE) == [[hashes.digest("a-code"), "client-1"]]


async def test_code_should_be_refused_when_it_is_another_clients(
    auth: Any, db: Any, code: Any
) -> None:
    db.on("SELECT * FROM auth.clients", client_row(client_id="client-2"))
    reply = await auth.post("/token", data={**CODE, "client_id": "client-2"})
    assert refused(reply) == (400, "invalid_grant")
    assert db.sent(REDEEM) == []


async def test_code_should_be_refused_when_it_is_unknown(auth: Any, db: Any, client: Any) -> None:
    db.on(REVOKE, rowcount=1)
    assert refused(await auth.post("/token", data=CODE)) == (400, "invalid_grant")


async def test_code_should_be_refused_when_another_resource_is_asked_for(
    auth: Any, client: Any, code: Any
) -> None:
    assert refused(await auth.post("/token", data={**CODE, "resource": "mcp"})) == (
        400,
        "invalid_target",
    )


# A refresh token


async def test_refresh_should_give_a_new_pair_when_the_token_is_good(
    auth: Any, db: Any, client: Any
) -> None:
    old = made_row(kind="refresh")
    db.on("UPDATE auth.tokens t SET used_at", old)
    db.on(NEW_ACCESS, made_row())
    form = {"grant_type": "refresh_token", "client_id": "client-1", "refresh_token": "old"}
    told = (await auth.post("/token", data=form)).json()
    assert told["refresh_token"] != "old"
    assert db.sent("UPDATE auth.tokens t SET used_at") == [[hashes.digest("old"), "client-1"]]


async def test_refresh_should_narrow_one_token_only_when_less_is_asked_for(
    auth: Any, db: Any, client: Any
) -> None:
    db.on("UPDATE auth.tokens t SET used_at", made_row(kind="refresh"))
    db.on(NEW_ACCESS, made_row(scope="instances:read"))
    form = {
        "grant_type": "refresh_token",
        "client_id": "client-1",
        "refresh_token": "old",
        "scope": "instances:read",
    }
    assert (await auth.post("/token", data=form)).status_code == 200
    assert db.sent(NEW_ACCESS)[0][2] == "instances:read"
    assert db.sent(NEW_REFRESH)[0][2] == "instances:read instances:write"


async def test_refresh_should_be_refused_when_more_is_asked_for(
    auth: Any, db: Any, client: Any
) -> None:
    db.on("UPDATE auth.tokens t SET used_at", made_row(kind="refresh", scope="instances:read"))
    form = {
        "grant_type": "refresh_token",
        "client_id": "client-1",
        "refresh_token": "old",
        "scope": "instances:write",
    }
    assert refused(await auth.post("/token", data=form)) == (400, "invalid_scope")


async def test_family_should_be_revoked_when_a_refresh_token_is_used_again(
    auth: Any, db: Any, client: Any
) -> None:
    db.on(REVOKE, rowcount=1)
    form = {"grant_type": "refresh_token", "client_id": "client-1", "refresh_token": "old"}
    assert refused(await auth.post("/token", data=form)) == (400, "invalid_grant")
    assert db.sent(REVOKE) == [[hashes.digest("old"), "client-1"]]


# An exchange


@pytest.fixture
def exchanging(db: Any) -> dict[str, str]:
    """The form of mcp, which exchanges the token of its user."""
    db.on("SELECT * FROM auth.clients", confidential_row(client_id="mcp", grant_types=[EXCHANGE]))
    return {
        "grant_type": EXCHANGE,
        "subject_token": "a-token",
        "subject_token_type": ACCESS_TOKEN,
        "audience": "instances",
    }


MCP = {"Authorization": "Basic bWNwOnNlY3JldA=="}


async def test_exchange_should_give_a_token_when_the_subjects_was_made_for_the_client(
    auth: Any, db: Any, exchanging: dict[str, str]
) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=60)
    db.on("t.expires_at > now() AND", made_row(audience="mcp", expires_at=until))
    db.on(NEW_ACCESS, made_row(expires_at=until))
    told = (await auth.post("/token", data=exchanging, headers=MCP)).json()
    assert told["issued_token_type"] == ACCESS_TOKEN
    assert told["expires_in"] <= 60
    assert "refresh_token" not in told
    (parameters,) = db.sent(NEW_ACCESS)
    assert parameters[3:5] == ["instances", until]


@pytest.mark.parametrize(
    "subject",
    [[], [{"audience": "instances"}], [{"audience": "mcp", "kind": "refresh"}]],
    ids=["not active", "for another service", "a refresh token"],
)
async def test_exchange_should_be_refused_when_the_token_is_not_the_clients(
    auth: Any, db: Any, exchanging: dict[str, str], subject: list[dict[str, str]]
) -> None:
    db.on("t.expires_at > now() AND", *[made_row(**each) for each in subject])
    db.on(NEW_ACCESS, made_row())
    reply = await auth.post("/token", data=exchanging, headers=MCP)
    assert refused(reply) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token_type": "jwt"}, "invalid_request"),
        ({"audience": "everybody"}, "invalid_target"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
async def test_exchange_should_be_refused_when_the_request_is_not_valid(
    auth: Any, db: Any, exchanging: dict[str, str], changes: dict[str, str], error: str
) -> None:
    db.on("t.expires_at > now() AND", made_row(audience="mcp"))
    reply = await auth.post("/token", data={**exchanging, **changes}, headers=MCP)
    assert refused(reply) == (400, error)


# All grants


async def test_grant_should_be_refused_when_it_is_unknown_or_not_registered(
    auth: Any, client: Any
) -> None:
    form = {"client_id": "client-1"}
    reply = await auth.post("/token", data={**form, "grant_type": "password"})
    assert refused(reply) == (400, "unsupported_grant_type")
    reply = await auth.post("/token", data={**form, "grant_type": EXCHANGE})
    assert refused(reply) == (400, "unauthorized_client")
    assert refused(await auth.post("/token", data=form)) == (400, "invalid_request")


async def test_token_endpoint_should_answer_429_for_that_client_only_when_it_asks_too_often(
    auth: Any, db: Any, mocker: Any
) -> None:
    mocker.patch("auth.limits.time.time", return_value=1_000_000_030.0)  # amid a window
    db.on("SELECT * FROM auth.clients", client_row(token_requests_per_minute=2))
    form = {"client_id": "client-1", "grant_type": "password"}
    replies = [await auth.post("/token", data=form) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [400, 400, 429]
    assert 0 < int(replies[-1].headers["retry-after"]) <= 60
    row = client_row(client_id="client-2", token_requests_per_minute=2)
    db.on("SELECT * FROM auth.clients", row)
    reply = await auth.post("/token", data={**form, "client_id": "client-2"})
    assert reply.status_code == 400


# Introspection and revocation


@pytest.fixture
def resource(db: Any) -> dict[str, str]:
    db.on("SELECT * FROM auth.clients", confidential_row(client_id="instances"))
    return {"Authorization": "Basic aW5zdGFuY2VzOnNlY3JldA=="}


async def test_introspection_should_tell_the_claims_when_the_token_is_active(
    auth: Any, db: Any, resource: dict[str, str], key: Any
) -> None:
    row = made_row()
    db.on("t.expires_at > now() AND", row)
    token = access_token(key, jti=str(row["token_id"]))
    told = (await auth.post("/introspect", data={"token": token}, headers=resource)).json()
    assert told["active"] is True
    assert (told["token_type"], told["username"]) == ("Bearer", "ann")
    assert (told["sub"], told["tenant"]) == (str(row["user_id"]), str(row["tenant_id"]))
    assert told["exp"] == int(row["expires_at"].timestamp())
    assert db.sent("t.token_id = %s") == [[row["token_id"]]]


async def test_introspection_should_look_for_the_hash_when_the_token_is_opaque(
    auth: Any, db: Any, resource: dict[str, str]
) -> None:
    db.on("t.expires_at > now() AND", made_row(kind="refresh", client_id="instances"))
    told = (await auth.post("/introspect", data={"token": "opaque"}, headers=resource)).json()
    assert told["token_type"] == "refresh_token"
    assert db.sent("t.token_hash = %s") == [[hashes.digest("opaque")]]


async def test_introspection_should_say_only_inactive_when_the_token_is_of_others(
    auth: Any, db: Any, resource: dict[str, str]
) -> None:
    db.on("t.expires_at > now() AND", made_row(audience="mcp"))
    reply = await auth.post("/introspect", data={"token": "opaque"}, headers=resource)
    assert reply.json() == {"active": False}


@pytest.mark.parametrize(
    "header", [{"kid": "unknown"}, {"crit": ["x"]}, {"alg": "none"}, {"kid": 7}]
)
async def test_introspection_should_say_only_inactive_when_the_token_is_none_of_ours(
    auth: Any, resource: dict[str, str], key: Any, header: dict[str, Any]
) -> None:
    import base64

    _, payload, signature = access_token(key).split(".")
    made = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **header}
    first = base64.urlsafe_b64encode(json.dumps(made).encode()).rstrip(b"=").decode()
    form = {"token": f"{first}.{payload}.{signature}"}
    reply = await auth.post("/introspect", data=form, headers=resource)
    assert (reply.status_code, reply.json()) == (200, {"active": False})


async def test_revocation_should_end_one_token_when_it_is_an_access_token(
    auth: Any, db: Any, client: Any
) -> None:
    row = made_row()
    db.on("SELECT * FROM auth.tokens", row)
    reply = await auth.post("/revoke", data={"token": "opaque", "client_id": "client-1"})
    assert reply.status_code == 200
    assert db.sent("UPDATE auth.tokens SET revoked_at") == [[row["token_id"]]]


async def test_revocation_should_end_the_grant_when_it_is_a_refresh_token(
    auth: Any, db: Any, client: Any
) -> None:
    row = made_row(kind="refresh")
    db.on("SELECT * FROM auth.tokens", row)
    await auth.post("/revoke", data={"token": "opaque", "client_id": "client-1"})
    assert db.sent(REVOKE) == [[row["grant_id"]]]


async def test_revocation_should_be_refused_when_the_token_is_anothers(
    auth: Any, db: Any, client: Any
) -> None:
    db.on("SELECT * FROM auth.tokens", made_row(client_id="client-2"))
    reply = await auth.post("/revoke", data={"token": "opaque", "client_id": "client-1"})
    assert refused(reply) == (400, "unauthorized_client")


async def test_revocation_should_do_nothing_when_the_token_is_unknown(
    auth: Any, db: Any, client: Any
) -> None:
    reply = await auth.post("/revoke", data={"token": "opaque", "client_id": "client-1"})
    assert reply.status_code == 200
    assert db.sent("UPDATE") == []
