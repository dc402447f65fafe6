"""Users, the signing key, what is published, and errors."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from auth import app as auth_app
from auth.signing import Signer
from auth.users import sign_up
from conftest import REDIRECT, client_row
from redis.exceptions import ConnectionError, TimeoutError
from shared.errors import Unavailable

SIGN_UP = {"username": "ann", "password": "correct horse", "tenant": "a tenant"}


# Users


async def test_sign_up_should_make_a_user_when_the_name_is_free(auth: Any, db: Any) -> None:
    tenant_id, user_id = uuid4(), uuid4()
    db.on("INSERT INTO auth.tenants", {"tenant_id": tenant_id})
    db.on("INSERT INTO auth.users", {"user_id": user_id})
    reply = await auth.post("/users", json=SIGN_UP)
    assert reply.status_code == 201
    assert reply.json() == {"user_id": str(user_id), "tenant_id": str(tenant_id)}
    assert db.sent("INSERT INTO auth.tenants") == [["a tenant", "free"]]
    ((kept_tenant, name, hashed),) = db.sent("INSERT INTO auth.users")
    assert (kept_tenant, name) == (tenant_id, "ann")
    assert "correct horse" not in hashed
    assert db.transactions == 1


async def test_sign_up_should_answer_409_when_the_username_is_taken(auth: Any, db: Any) -> None:
    db.on("INSERT INTO auth.tenants", {"tenant_id": uuid4()})
    db.fails("INSERT INTO auth.users", psycopg.errors.UniqueViolation("users_name_key"))
    reply = await auth.post("/users", json=SIGN_UP)
    assert (reply.status_code, reply.json()["error"]) == (409, "user_exists")


@pytest.mark.parametrize(
    "changes",
    [{"password": "short"}, {"username": ""}, {"tier": "gold"}, {"more": 1}, {"tenant": "\x00"}],
)
async def test_sign_up_should_be_refused_when_it_is_malformed(
    auth: Any, db: Any, changes: dict[str, Any]
) -> None:
    reply = await auth.post("/users", json={**SIGN_UP, **changes})
    assert (reply.status_code, reply.json()["error"]) == (422, "invalid_request")
    assert db.calls == []


async def test_sign_up_should_use_one_transaction_when_a_tenant_is_new(db: Any) -> None:
    db.on("INSERT INTO auth.tenants", {"tenant_id": uuid4()})
    db.on("INSERT INTO auth.users", {"user_id": uuid4()})
    await sign_up(None, auth_app.users.SignUp(**SIGN_UP))  # type: ignore[arg-type]
    assert db.transactions == 1


# The key


async def test_key_should_be_loaded_when_the_database_has_one(db: Any, key: Any) -> None:
    db.on("SELECT jwk FROM auth.signing_keys", {"jwk": key.as_dict(private=True)})
    signer = Signer(None)  # type: ignore[arg-type]
    assert (await signer.key()).kid == key.kid
    assert db.sent("INSERT INTO auth.signing_keys") == []
    assert db.sent("pg_advisory_xact_lock") != []


async def test_key_should_be_made_and_kept_when_there_is_none(db: Any) -> None:
    signer = Signer(None)  # type: ignore[arg-type]
    made = await signer.key()
    ((kid, _),) = db.sent("INSERT INTO auth.signing_keys")
    assert kid == made.kid
    assert await signer.key() is made
    assert db.transactions == 1


async def test_jwks_should_be_public_when_it_is_asked_for(auth: Any, key: Any) -> None:
    (told,) = (await auth.get("/jwks")).json()["keys"]
    assert (told["kid"], told["use"], told["alg"]) == (key.kid, "sig", "ES256")
    assert "d" not in told


async def test_metadata_should_name_the_endpoints_when_it_is_asked_for(auth: Any) -> None:
    told = (await auth.get("/.well-known/oauth-authorization-server")).json()
    assert told["issuer"] == "http://auth:8000"
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["token_endpoint"] == "http://auth:8000/token"
    assert told["authorization_response_iss_parameter_supported"] is True


async def test_health_should_be_ok_when_it_is_asked_for(auth: Any) -> None:
    assert (await auth.get("/health")).json() == {"status": "ok"}


# Errors


async def test_auth_should_answer_503_without_a_trace_when_the_database_is_away(
    auth: Any, db: Any
) -> None:
    db.fails("", Unavailable("the database", "connection refused at 10.0.0.7"))
    reply = await auth.post("/register", json={"redirect_uris": [REDIRECT]})
    assert (reply.status_code, reply.json()["error"]) == (503, "temporarily_unavailable")
    assert reply.headers["retry-after"] == "1"
    assert "10.0.0.7" not in reply.text


@pytest.mark.parametrize("error", [ConnectionError("refused"), TimeoutError("slow"), OSError("x")])
@pytest.mark.parametrize("path", ["/token", "/authorize"])
async def test_token_and_login_should_answer_503_when_redis_is_away(
    auth: Any, db: Any, redis: Any, mocker: Any, error: Exception, path: str
) -> None:
    from test_auth_authorize import ASKED, LOGIN

    mocker.patch.object(redis, "pipeline", side_effect=error)
    db.on("SELECT * FROM auth.clients", client_row())
    form = {"client_id": "client-1", "grant_type": "refresh_token", "refresh_token": "x"}
    reply = await auth.post(path, data=form if path == "/token" else {**ASKED, **LOGIN})
    assert (reply.status_code, reply.json()["error"]) == (503, "temporarily_unavailable")
    assert reply.headers["retry-after"] == "1"


async def test_code_should_still_be_there_when_the_database_failed(
    auth: Any, db: Any, redis: Any
) -> None:
    import json

    from shared import hashes
    from test_auth_tokens import CHALLENGE, CODE, REDEEM

    db.on("SELECT * FROM auth.clients", client_row())
    kept = {"grant_id": "g", "client_id": "client-1", "redirect_uri": REDIRECT}
    stored = f"code:{hashes.digest('a-code')}"
    await redis.set(stored, json.dumps({**kept, "challenge": CHALLENGE}))
    db.fails(REDEEM, Unavailable("the database", "slow"))
    assert (await auth.post("/token", data=CODE)).status_code == 503
    assert await redis.exists(stored)


@pytest.mark.parametrize(
    "error", [psycopg.DataError("NUL"), psycopg.errors.ForeignKeyViolation("gone")]
)
async def test_request_should_be_refused_when_a_value_cannot_be_stored(
    auth: Any, db: Any, error: Exception
) -> None:
    db.fails("SELECT * FROM auth.clients", error)
    reply = await auth.get("/authorize", params={"client_id": "x"})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


async def test_request_should_be_refused_when_a_parameter_is_repeated(auth: Any, db: Any) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    twice = "client_id=client-1&grant_type=password&grant_type=password"
    reply = await auth.post("/token", content=twice, headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


async def test_request_should_be_refused_when_it_is_no_form(auth: Any) -> None:
    reply = await auth.post("/token", json={"grant_type": "password"})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


async def test_request_should_be_refused_when_a_parameter_is_a_file(auth: Any) -> None:
    content = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    reply = await auth.post("/token", content=content, headers=headers)
    assert reply.status_code == 400


async def test_request_should_be_refused_when_the_path_or_method_is_unknown(auth: Any) -> None:
    assert (await auth.get("/nowhere")).status_code == 404
    reply = await auth.get("/token")
    assert reply.status_code == 405
    assert reply.json()["error"] == "invalid_request"


async def test_request_should_be_answered_500_without_a_trace_when_the_code_is_at_fault(
    auth: Any, db: Any
) -> None:
    db.fails("", RuntimeError("secret detail"))
    reply = await auth.get("/authorize", params={"client_id": "x"})
    assert reply.status_code == 500
    assert reply.json()["error"] == "server_error"
    assert "secret detail" not in reply.text


async def test_stores_should_be_opened_and_closed_when_auth_starts_and_stops(mocker: Any) -> None:
    opened = mocker.patch.object(auth_app.pool, "open")
    closed = mocker.patch.object(auth_app.pool, "close")
    redis_closed = mocker.patch.object(auth_app.limits, "aclose")
    async with auth_app.lifespan(auth_app.app):
        opened.assert_awaited_once_with(wait=False)
        closed.assert_not_awaited()
    closed.assert_awaited_once()
    redis_closed.assert_awaited_once()
