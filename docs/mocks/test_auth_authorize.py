"""The authorization endpoint: the login form, and the code that a login gives."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from auth import users
from conftest import CHALLENGE, REDIRECT, client_row

ASKED = {
    "response_type": "code",
    "client_id": "client-1",
    "redirect_uri": REDIRECT,
    "state": "a state",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
LOGIN = {"username": "ann", "password": "correct horse"}


def sent_back(reply: Any) -> dict[str, str]:
    assert reply.status_code == 302
    assert reply.headers["location"].startswith(REDIRECT)
    query = parse_qs(urlsplit(reply.headers["location"]).query)
    return {name: value for name, (value,) in query.items()}


@pytest.fixture
def user(db: Any) -> Any:
    user_id = uuid4()
    hashed = users._scrypt(LOGIN["password"], b"0" * 16)
    db.on("FROM auth.users WHERE name", {"user_id": user_id, "password_hash": hashed})
    return user_id


async def test_login_form_should_repeat_the_request_when_it_is_valid(auth: Any, db: Any) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    reply = await auth.get("/authorize", params=ASKED)
    assert reply.status_code == 200
    assert f'name="code_challenge" value="{CHALLENGE}"' in reply.text
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["referrer-policy"] == "no-referrer"


async def test_login_form_should_escape_the_client_name_when_it_is_markup(
    auth: Any, db: Any
) -> None:
    db.on("SELECT * FROM auth.clients", client_row(client_name="<script>alert(1)</script>"))
    reply = await auth.get("/authorize", params={**ASKED, "state": '"><b>'})
    assert "<script>" not in reply.text
    assert "&lt;script&gt;" in reply.text
    assert '"><b>' not in reply.text


async def test_authorization_should_return_code_state_and_issuer_when_the_user_logs_in(
    auth: Any, db: Any, redis: Any, user: Any
) -> None:
    grant_id = uuid4()
    db.on("SELECT * FROM auth.clients", client_row())
    db.on("INSERT INTO auth.grants", {"grant_id": grant_id})
    back = sent_back(await auth.post("/authorize", data={**ASKED, **LOGIN}))
    assert (back["state"], back["iss"]) == ("a state", "http://auth:8000")
    ((client_id, user_id, code_hash, scope, audience),) = db.sent("INSERT INTO auth.grants")
    assert (client_id, user_id) == ("client-1", user)
    assert (scope, audience) == ("instances:read instances:write", "instances")
    assert back["code"] != code_hash
    (stored,) = await redis.keys("code:*")
    assert json.loads(await redis.get(stored)) == {
        "grant_id": str(grant_id),
        "client_id": "client-1",
        "redirect_uri": REDIRECT,
        "challenge": CHALLENGE,
    }
    assert 0 < await redis.pttl(stored) <= 60_000


async def test_authorization_should_narrow_the_scope_when_less_is_asked_for(
    auth: Any, db: Any, redis: Any, user: Any
) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    db.on("INSERT INTO auth.grants", {"grant_id": uuid4()})
    more = {"scope": "instances:read", "resource": "http://mcp:8000/mcp"}
    await auth.post("/authorize", data={**ASKED, **LOGIN, **more})
    assert db.sent("INSERT INTO auth.grants")[0][3:] == ["instances:read", "mcp"]


async def test_authorization_should_keep_the_query_when_the_redirect_has_one(
    auth: Any, db: Any
) -> None:
    uri = f"{REDIRECT}?a=b"
    db.on("SELECT * FROM auth.clients", client_row(redirect_uris=[uri]))
    reply = await auth.get("/authorize", params={**ASKED, "redirect_uri": uri, "scope": "x"})
    assert sent_back(reply)["a"] == "b"


@pytest.mark.parametrize(
    "login", [{"username": "ann", "password": "wrong"}, {"username": "bob", "password": "x" * 9}]
)
async def test_login_should_be_refused_when_the_password_is_wrong(
    auth: Any, db: Any, redis: Any, user: Any, login: dict[str, str]
) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    if login["username"] == "bob":
        db.on("FROM auth.users WHERE name")
    reply = await auth.post("/authorize", data={**ASKED, **login})
    assert reply.status_code == 401
    assert "Wrong user name or password." in reply.text
    assert db.sent("INSERT INTO auth.grants") == []


async def test_login_should_be_refused_when_it_is_tried_too_often(
    auth: Any, db: Any, redis: Any, user: Any, mocker: Any
) -> None:
    mocker.patch("auth.users._scrypt", return_value="00$00")
    mocker.patch("auth.limits.time.time", return_value=1_000_000_030.0)  # amid a window
    db.on("SELECT * FROM auth.clients", client_row())
    wrong = {**ASKED, "username": "ann", "password": "wrong"}
    replies = [await auth.post("/authorize", data=wrong) for _ in range(21)]
    assert [reply.status_code for reply in replies] == [401] * 20 + [429]
    assert 0 < int(replies[-1].headers["retry-after"]) <= 60
    other = await auth.post("/authorize", data={**wrong, "username": "bob"})
    assert other.status_code == 401


@pytest.mark.parametrize(
    "uri", [f"{REDIRECT}/", f"{REDIRECT}/more", "https://evil.example/", REDIRECT.upper(), ""]
)
async def test_authorization_should_not_redirect_when_the_uri_is_not_the_registered_one(
    auth: Any, db: Any, uri: str
) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    reply = await auth.get("/authorize", params={**ASKED, "redirect_uri": uri})
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


async def test_authorization_should_not_redirect_when_the_client_is_unknown(auth: Any) -> None:
    reply = await auth.get("/authorize", params=ASKED)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_client")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"resource": "http://evil.example"}, "invalid_target"),
    ],
)
async def test_client_should_be_told_by_redirect_when_its_request_is_not_valid(
    auth: Any, db: Any, changes: dict[str, str | None], error: str
) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    asked = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
    back = sent_back(await auth.get("/authorize", params=asked))
    assert (back["error"], back["state"], back["iss"]) == (error, "a state", "http://auth:8000")


async def test_client_should_be_told_when_it_did_not_register_the_grant(auth: Any, db: Any) -> None:
    db.on("SELECT * FROM auth.clients", client_row(grant_types=["refresh_token"]))
    assert sent_back(await auth.get("/authorize", params=ASKED))["error"] == "unauthorized_client"
