"""Registration of clients, and how they prove who they are."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from conftest import REDIRECT, client_row, confidential_row

METADATA = {"client_name": "a client", "redirect_uris": [REDIRECT]}


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


async def test_registration_should_tell_the_secret_once_when_the_client_is_confidential(
    auth: Any, db: Any
) -> None:
    db.on("INSERT INTO auth.clients", confidential_row())
    reply = await auth.post("/register", json=METADATA)
    told = reply.json()
    assert reply.status_code == 201
    assert reply.headers["cache-control"] == "no-store"
    assert told["client_id"] == "client-1"
    assert told["client_secret_expires_at"] == 0
    assert told["registration_client_uri"] == "http://auth:8000/register/client-1"
    (kept,) = db.sent("INSERT INTO auth.clients")
    assert kept["secret_hash"] not in (None, told["client_secret"])
    assert kept["token_hash"] != told["registration_access_token"]
    assert "secret_hash" not in told


async def test_registration_should_have_no_secret_when_the_client_is_public(
    auth: Any, db: Any
) -> None:
    db.on("INSERT INTO auth.clients", client_row())
    asked = {**METADATA, "token_endpoint_auth_method": "none"}
    told = (await auth.post("/register", json=asked)).json()
    assert "client_secret" not in told
    assert db.sent("INSERT INTO auth.clients")[0]["secret_hash"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": []},
        {"redirect_uris": ["http://client.example/callback"]},
        {"redirect_uris": ["https://client.example/callback#part"]},
        {"redirect_uris": ["https:///callback"]},
        {"scope": "everything"},
        {"scope": " "},
        {"grant_types": ["password"]},
        {"access_token_lifetime_s": 0},
        {"access_token_lifetime_s": 3601},
        {"client_name": "a\x00b"},
        {"client_name": ""},
    ],
)
async def test_registration_should_be_refused_when_the_metadata_are_not_valid(
    auth: Any, db: Any, changes: dict[str, Any]
) -> None:
    reply = await auth.post("/register", json={**METADATA, **changes})
    assert reply.status_code == 400
    assert reply.json()["error"] == "invalid_client_metadata"
    assert db.calls == []


async def test_registration_should_take_http_when_the_redirect_is_on_loopback(
    auth: Any, db: Any
) -> None:
    db.on("INSERT INTO auth.clients", client_row())
    asked = {**METADATA, "redirect_uris": ["http://127.0.0.1:7777/callback"]}
    assert (await auth.post("/register", json=asked)).status_code == 201


async def test_registration_should_be_shown_when_its_token_is_presented(auth: Any, db: Any) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    headers = {"Authorization": "Bearer registration-token"}
    reply = await auth.get("/register/client-1", headers=headers)
    assert reply.status_code == 200
    assert reply.json()["redirect_uris"] == [REDIRECT]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("header", ["Bearer another", "Basic eDp5", ""])
async def test_registration_should_be_closed_when_the_token_is_anothers(
    auth: Any, db: Any, method: str, header: str
) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    headers = {"Authorization": header} if header else {}
    reply = await auth.request(method, "/register/client-1", headers=headers)
    assert reply.status_code == 401
    assert reply.json()["error"] == "invalid_token"
    assert "invalid_token" in reply.headers["www-authenticate"]


async def test_registration_should_be_closed_when_it_has_no_token(auth: Any, db: Any) -> None:
    db.on("SELECT * FROM auth.clients", client_row(registration_token_hash=None))
    headers = {"Authorization": "Bearer registration-token"}
    assert (await auth.get("/register/client-1", headers=headers)).status_code == 401


async def test_registration_should_change_when_it_is_replaced(auth: Any, db: Any) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    db.on("UPDATE auth.clients", client_row(client_name="another name"))
    headers = {"Authorization": "Bearer registration-token"}
    asked = {
        **METADATA,
        "client_name": "another name",
        "token_endpoint_auth_method": "none",
    }
    reply = await auth.put("/register/client-1", json=asked, headers=headers)
    assert reply.status_code == 200
    assert reply.json()["client_name"] == "another name"
    (kept,) = db.sent("UPDATE auth.clients")
    assert (kept["client_id"], kept["client_name"]) == ("client-1", "another name")


async def test_registration_should_not_change_when_it_would_gain_a_secret(
    auth: Any, db: Any
) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    headers = {"Authorization": "Bearer registration-token"}
    reply = await auth.put("/register/client-1", json=METADATA, headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_client_metadata")


async def test_registration_should_be_gone_when_the_client_vanished_meanwhile(
    auth: Any, db: Any
) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    headers = {"Authorization": "Bearer registration-token"}
    asked = {**METADATA, "token_endpoint_auth_method": "none"}
    assert (await auth.put("/register/client-1", json=asked, headers=headers)).status_code == 401


async def test_registration_should_be_removed_when_it_is_deleted(auth: Any, db: Any) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    headers = {"Authorization": "Bearer registration-token"}
    reply = await auth.delete("/register/client-1", headers=headers)
    assert reply.status_code == 204
    assert db.sent("DELETE FROM auth.clients") == [["client-1"]]


async def test_client_should_be_known_when_its_secret_is_right(auth: Any, db: Any) -> None:
    db.on("SELECT * FROM auth.clients", confidential_row())
    form = {"token": "unknown"}
    reply = await auth.post("/introspect", data=form, headers=basic("client-1", "secret"))
    assert (reply.status_code, reply.json()) == (200, {"active": False})


async def test_client_should_be_known_when_its_secret_is_in_the_form(auth: Any, db: Any) -> None:
    row = confidential_row(token_endpoint_auth_method="client_secret_post")
    db.on("SELECT * FROM auth.clients", row)
    form = {"token": "unknown", "client_id": "client-1", "client_secret": "secret"}
    assert (await auth.post("/introspect", data=form)).json() == {"active": False}


@pytest.mark.parametrize(
    ("headers", "form", "status", "code"),
    [
        (basic("client-1", "wrong"), {}, 401, "invalid_client"),
        (basic("client-1", ""), {}, 401, "invalid_client"),
        ({"Authorization": "Basic %%%"}, {}, 401, "invalid_client"),
        ({"Authorization": "Basic /w=="}, {}, 401, "invalid_client"),
        ({"Authorization": "Basic bm9jb2xvbg=="}, {}, 401, "invalid_client"),
        ({"Authorization": "Bearer x"}, {}, 401, "invalid_client"),
        ({}, {"client_id": "client-1"}, 401, "invalid_client"),
        ({}, {"client_id": "client-1", "client_secret": "secret"}, 401, "invalid_client"),
        (basic("client-1", "secret"), {"client_secret": "secret"}, 400, "invalid_request"),
        (basic("client-1", "secret"), {"client_id": "client-2"}, 400, "invalid_request"),
    ],
)
async def test_client_should_be_refused_when_it_proves_nothing(
    auth: Any,
    db: Any,
    headers: dict[str, str],
    form: dict[str, str],
    status: int,
    code: str,
) -> None:
    db.on("SELECT * FROM auth.clients", confidential_row())
    reply = await auth.post("/introspect", data={"token": "x", **form}, headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (status, code)


async def test_client_should_be_refused_when_nobody_knows_it(auth: Any) -> None:
    reply = await auth.post("/introspect", data={"token": "x"}, headers=basic("who", "secret"))
    assert reply.status_code == 401


async def test_introspection_should_be_refused_when_the_client_is_public(
    auth: Any, db: Any
) -> None:
    db.on("SELECT * FROM auth.clients", client_row())
    reply = await auth.post("/introspect", data={"token": "x", "client_id": "client-1"})
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")
