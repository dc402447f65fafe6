"""What the services answer to those who ask wrongly, and when what they need is away."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from helpers.eventually import eventually
from helpers.expiry import answer_when_over
from helpers.logs import logged
from helpers.oauth import PASSWORD, REDIRECT_URI, AuthClient, Pkce, Tenant, User, refusal
from helpers.waits import SOON_S, Waits

from nomock import Postgres, Stack

ORDER = {"name": "TEST order", "size": "small"}


# 401 of auth


def test_token_request_should_be_refused_when_the_client_secret_is_wrong(
    stack: Stack, confidential_client: AuthClient
) -> None:
    impostor = AuthClient(
        stack["auth"], {"client_id": confidential_client.client_id, "client_secret": "guessed"}
    )
    reply = impostor.post("/token", grant_type="refresh_token", refresh_token="any")
    assert refusal(reply) == (401, "invalid_client")
    assert reply.headers["www-authenticate"].startswith("Basic ")


def test_token_request_should_be_refused_when_the_client_is_unknown(stack: Stack) -> None:
    nobody = AuthClient(stack["auth"], {"client_id": "nobody"})
    assert refusal(nobody.refresh("any")) == (401, "invalid_client")


def test_token_request_should_be_refused_when_a_confidential_client_sends_no_secret(
    stack: Stack, confidential_client: AuthClient
) -> None:
    forgetful = AuthClient(stack["auth"], {"client_id": confidential_client.client_id})
    assert refusal(forgetful.refresh("any")) == (401, "invalid_client")


@pytest.mark.parametrize(
    "header", [b"Basic %%%", b"Basic \xe4", b"Basic YQ==", b"Basic /w==", b"Bearer YTpi", b"Basic"]
)
def test_token_request_should_be_refused_when_the_basic_header_is_malformed(
    stack: Stack, header: bytes
) -> None:
    headers = {b"Authorization": header}
    reply = stack["auth"].http.post("/token", data={"grant_type": "x"}, headers=headers)
    assert refusal(reply) == (401, "invalid_client")


def test_token_request_should_be_refused_when_it_authenticates_in_two_ways(
    confidential_client: AuthClient,
) -> None:
    reply = confidential_client.post(
        "/token", grant_type="refresh_token", client_secret=confidential_client.secret
    )
    assert refusal(reply) == (400, "invalid_request")


def test_registration_should_be_closed_when_there_is_no_token(auth_client: AuthClient) -> None:
    reply = auth_client.manage("GET", headers={})
    assert refusal(reply) == (401, "invalid_token")
    assert reply.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_registration_should_be_closed_when_the_token_is_anothers(
    make_client: Callable[..., AuthClient], method: str
) -> None:
    mine, other = make_client(), make_client()
    reply = mine.manage(method, headers=other.registration_headers)
    assert refusal(reply) == (401, "invalid_token")
    assert mine.manage("GET").status_code == 200


def test_registration_should_answer_401_when_the_client_was_deleted(
    auth_client: AuthClient,
) -> None:
    assert auth_client.manage("DELETE").status_code == 204
    assert refusal(auth_client.manage("GET")) == (401, "invalid_token")


def test_registration_should_answer_401_when_the_client_goes_while_it_is_changed(
    auth_client: AuthClient, postgres: Postgres
) -> None:
    waits_for = "SELECT FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
    with ThreadPoolExecutor(1) as pool:
        with postgres.connect() as deleting:
            deleting.execute(
                "DELETE FROM auth.clients WHERE client_id = %s", [auth_client.client_id]
            )
            asked = pool.submit(auth_client.manage, "PUT", json=auth_client.registration)
            postgres.wait_for(waits_for, [deleting.info.backend_pid])
        assert refusal(asked.result()) == (401, "invalid_token")


def test_other_clients_should_stay_when_one_is_deleted(
    make_client: Callable[..., AuthClient],
) -> None:
    gone, stays = make_client(), make_client()
    assert gone.manage("DELETE").status_code == 204
    assert stays.manage("GET").json()["client_id"] == stays.client_id


# 400 and 422 of auth


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "never issued"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "never issued"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "\x00"}, "invalid_grant"),
    ],
)
def test_token_request_should_name_the_error_when_it_is_wrong(
    auth_client: AuthClient, form: dict[str, str], error: str
) -> None:
    assert refusal(auth_client.post("/token", **form)) == (400, error)


def test_token_request_should_be_refused_when_a_parameter_is_repeated(
    stack: Stack, auth_client: AuthClient, user: User
) -> None:
    token = auth_client.tokens(user)["refresh_token"]
    form = {
        "client_id": auth_client.client_id,
        "grant_type": "refresh_token",
        "refresh_token": [token, token],
    }
    assert refusal(stack["auth"].http.post("/token", data=form)) == (400, "invalid_request")
    assert auth_client.refresh(token).status_code == 200


def test_token_request_should_be_refused_when_it_is_json(stack: Stack) -> None:
    reply = stack["auth"].http.post("/token", json={"grant_type": "refresh_token"})
    assert refusal(reply) == (400, "invalid_request")


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uris": []},
        {"redirect_uris": ["http://client.example/callback"]},
        {"redirect_uris": [f"{REDIRECT_URI}#fragment"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["https://client.example:99999/callback"]},
        {"scope": "admin"},
        {"grant_types": ["password"]},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"access_token_lifetime_s": 0},
        {"access_token_lifetime_s": 3601},
        {"client_name": "TEST \x00"},
    ],
    ids=lambda wrong: json.dumps(wrong),
)
def test_registration_should_be_refused_when_the_metadata_is_invalid(
    stack: Stack, wrong: dict[str, Any]
) -> None:
    asked = {"client_name": "TEST never made", "redirect_uris": [REDIRECT_URI], **wrong}
    reply = stack["auth"].http.post("/register", json=asked)
    assert refusal(reply) == (400, "invalid_client_metadata")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_registration_should_be_refused_when_the_body_is_no_object(
    stack: Stack, body: bytes
) -> None:
    reply = stack["auth"].http.post("/register", content=body)
    assert refusal(reply) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    "wrong", [{"password": "short"}, {"tier": "platinum"}, {"username": ""}, {"role": "admin"}]
)
def test_sign_up_should_answer_422_when_a_field_is_invalid(
    stack: Stack, unique_name: Callable[[], str], wrong: dict[str, str]
) -> None:
    name = unique_name()
    asked = {"username": name, "password": PASSWORD, "tenant": name, **wrong}
    assert refusal(stack["auth"].http.post("/users", json=asked)) == (422, "invalid_request")


def test_sign_up_should_answer_409_and_make_no_tenant_when_the_username_is_taken(
    stack: Stack, user: User, unique_name: Callable[[], str], postgres: Postgres
) -> None:
    tenant = unique_name()
    asked = {"username": user.username, "password": PASSWORD, "tenant": tenant}
    assert refusal(stack["auth"].http.post("/users", json=asked)) == (409, "user_exists")
    with postgres.connect() as conn:
        found = conn.execute("SELECT 1 FROM auth.tenants WHERE name = %s", [tenant]).fetchone()
    assert found is None


@pytest.mark.parametrize("service", ["billing", "instances"])
@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [("GET", "/no", 404, "Not found"), ("PUT", "/openapi.json", 405, "Method not allowed")],
)
def test_problem_should_say_what_it_is_in_all_its_ways_when_the_route_does_not_exist(
    stack: Stack, service: str, method: str, path: str, status: int, title: str
) -> None:
    reply = stack[service].http.request(method, path)
    code = title.lower().replace(" ", "_")
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json() == {
        "type": f"urn:problem:{code}",
        "title": title,
        "status": status,
        "detail": title.title(),
        "code": code,
    }
    allowed = {word for word in reply.headers.get("allow", "").split(", ") if word}
    assert allowed == (set() if status == 404 else {"GET", "HEAD"})


def test_client_should_be_refused_when_its_id_cannot_be_stored(stack: Stack) -> None:
    nobody = AuthClient(stack["auth"], {"client_id": "a\x00b"})
    assert refusal(nobody.refresh("any")) == (400, "invalid_request")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/no", 404), ("PUT", "/jwks", 405)])
def test_error_should_be_json_when_the_route_does_not_exist(
    stack: Stack, method: str, path: str, status: int
) -> None:
    assert refusal(stack["auth"].http.request(method, path)) == (status, "invalid_request")


# 429


def test_token_endpoint_should_answer_429_for_that_client_only_when_it_asks_too_often(
    make_client: Callable[..., AuthClient],
) -> None:
    greedy, modest = make_client(), make_client()
    # Two windows at the most are touched, and each admits 60.
    replies = [greedy.refresh("never issued") for _ in range(121)]
    limited = [reply for reply in replies if reply.status_code == 429]
    assert limited
    assert refusal(limited[0]) == (429, "too_many_requests")
    assert 1 <= int(limited[0].headers["retry-after"]) <= 60
    assert {reply.status_code for reply in replies} == {400, 429}
    assert modest.refresh("never issued").status_code == 400


def test_login_should_answer_429_when_a_password_is_guessed_too_often(
    auth_client: AuthClient, unique_name: Callable[[], str]
) -> None:
    nobody = User(unique_name(), "", "", password="a guess")
    # As above: two windows, and each admits 20.
    replies = [auth_client.log_in(nobody, Pkce()) for _ in range(41)]
    limited = [reply for reply in replies if reply.status_code == 429]
    assert limited
    assert refusal(limited[0]) == (429, "too_many_requests")


# Bearer tokens at instances


def challenge(reply: Any) -> str:
    """Return the challenge of a 401 or 403 of `instances`."""
    assert reply.headers["content-type"].startswith("application/problem+json")
    assert reply.json()["status"] == reply.status_code
    header: str = reply.headers["www-authenticate"]
    return header


def test_instances_should_answer_401_when_there_is_no_token(stack: Stack) -> None:
    reply = stack["instances"].http.get("/instances")
    assert reply.status_code == 401
    assert "Bearer" in challenge(reply)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (None, "a bearer token is needed"),
        ("Basic dTpw", "a bearer token is needed"),
        ("Bearer", "a bearer token is needed"),
        ("Bearer a b", "the token is not valid: "),
    ],
)
def test_instances_should_say_what_is_wrong_when_the_header_holds_no_token(
    stack: Stack, header: str | None, said: str
) -> None:
    headers = {} if header is None else {"Authorization": header}
    reply = stack["instances"].http.get("/instances", headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (401, "invalid_token")
    assert reply.json()["detail"].startswith(said)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer nonsense",
        "Bearer a.b.c",
        "Bearer eyJhbGciOiJFUzI1NiIsImNyaXQiOjF9.e30.AA",
        "Basic dTpw",
        "Bearer",
    ],
    ids=["no JWT", "no base64", "crit 1", "Basic", "nothing"],
)
def test_instances_should_answer_401_when_the_token_is_malformed(stack: Stack, header: str) -> None:
    reply = stack["instances"].http.get("/instances", headers={"Authorization": header})
    assert reply.status_code == 401
    assert "invalid_token" in challenge(reply)


def forged(token: str, algorithm: str | None = None, **changes: Any) -> str:
    """Return the token with other claims (or another algorithm) and the old signature."""
    header, payload, signature = (part + "=" * (-len(part) % 4) for part in token.split("."))
    head = json.loads(base64.urlsafe_b64decode(header))
    body = json.loads(base64.urlsafe_b64decode(payload)) | changes
    if algorithm:
        head["alg"], signature = algorithm, ""
    parts = [json.dumps(part).encode() for part in (head, body)]
    encoded = [base64.urlsafe_b64encode(part).decode() for part in parts]
    return ".".join(part.rstrip("=") for part in [*encoded, signature])


def test_instances_should_answer_401_when_the_claims_were_changed(
    stack: Stack, tenant: Tenant
) -> None:
    headers = {"Authorization": f"Bearer {forged(tenant.token, tier='enterprise')}"}
    assert stack["instances"].http.get("/instances", headers=headers).status_code == 401
    assert stack["instances"].http.get("/instances", headers=tenant.headers).status_code == 200


def test_instances_should_answer_401_when_the_token_is_not_signed(
    stack: Stack, tenant: Tenant
) -> None:
    headers = {"Authorization": f"Bearer {forged(tenant.token, algorithm='none')}"}
    assert stack["instances"].http.get("/instances", headers=headers).status_code == 401


def test_instances_should_answer_401_when_the_token_was_made_for_mcp(
    stack: Stack, tenant: Tenant
) -> None:
    headers = {"Authorization": f"Bearer {tenant.new_token(resource='mcp')}"}
    reply = stack["instances"].http.get("/instances", headers=headers)
    assert reply.status_code == 401
    assert "invalid_token" in challenge(reply)
    assert reply.json()["detail"].startswith("the token is not valid")  # auth need not be asked


def test_instances_should_answer_401_when_the_token_is_a_refresh_token(
    stack: Stack, auth_client: AuthClient, user: User
) -> None:
    issued = auth_client.tokens(user)
    headers = {"Authorization": f"Bearer {issued['refresh_token']}"}
    assert stack["instances"].http.get("/instances", headers=headers).status_code == 401


def test_instances_should_answer_401_when_the_token_is_revoked(
    stack: Stack, tenant: Tenant
) -> None:
    instances = stack["instances"].http
    assert instances.get("/instances", headers=tenant.headers).status_code == 200
    assert tenant.client.post("/revoke", token=tenant.token).status_code == 200
    reply = instances.get("/instances", headers=tenant.headers)
    assert reply.status_code == 401
    assert "invalid_token" in challenge(reply)


def test_instances_should_answer_401_when_the_token_is_expired(
    stack: Stack, make_client: Callable[..., AuthClient], user: User
) -> None:
    def begin(lifetime_s: int) -> Callable[[], httpx.Response]:
        token = make_client(access_token_lifetime_s=lifetime_s).tokens(user)["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return lambda: stack["instances"].http.get("/instances", headers=headers)

    reply = answer_when_over(begin, lambda reply: reply.is_success)
    assert reply.status_code == 401
    assert "invalid_token" in challenge(reply)


def test_instances_should_answer_401_when_the_user_is_gone(
    stack: Stack, tenant: Tenant, postgres: Postgres
) -> None:
    with postgres.connect() as conn:
        conn.execute("DELETE FROM auth.users WHERE user_id = %s", [tenant.user.user_id])
    assert stack["instances"].http.get("/instances", headers=tenant.headers).status_code == 401


def test_instances_should_answer_403_when_the_scope_does_not_reach(
    stack: Stack, tenant: Tenant
) -> None:
    headers = {"Authorization": f"Bearer {tenant.new_token(scope='instances:read')}"}
    reply = stack["instances"].http.post("/instances", headers=headers, json=ORDER)
    assert reply.status_code == 403
    assert 'error="insufficient_scope"' in challenge(reply)
    assert reply.json()["detail"] == "the scope instances:write is needed"
    assert stack["instances"].http.get("/instances", headers=headers).json() == []


# 500 of auth


def test_auth_should_answer_500_without_a_trace_when_what_it_has_stored_makes_no_sense(
    stack: Stack, auth_client: AuthClient, user: User, postgres: Postgres
) -> None:
    began = datetime.now(UTC)
    with postgres.connect() as conn:
        broken = "UPDATE auth.users SET password_hash = 'broken' WHERE user_id = %s"
        conn.execute(broken, [user.user_id])
    reply = auth_client.log_in(user, Pkce())
    assert refusal(reply) == (500, "server_error")
    assert reply.json()["error_description"] == "the request could not be served"
    eventually(
        lambda: (
            [line["path"] for line in logged(stack["auth"], '"status": 500', began)]
            == ["/authorize"]
        ),
        within_s=SOON_S,
        reason="the request should be in the log",
    )


# When a store is away


@pytest.mark.serial("stack")
def test_token_and_login_should_answer_503_when_redis_is_away(
    stack: Stack, auth_client: AuthClient, user: User
) -> None:
    issued = auth_client.tokens(user)
    stack["redis"].stop()
    try:
        replies = [auth_client.refresh(issued["refresh_token"]), auth_client.log_in(user, Pkce())]
        served = auth_client.manage("GET")
    finally:
        stack["redis"].start()
    for reply in replies:
        assert refusal(reply) == (503, "temporarily_unavailable")
        assert reply.json()["error_description"] == "redis does not answer"
        assert int(reply.headers["retry-after"]) >= 1
    assert served.status_code == 200
    # Nothing was spent while the limits could not be kept.
    assert auth_client.refresh(issued["refresh_token"]).status_code == 200


@pytest.mark.serial("stack")
def test_auth_should_answer_503_without_a_trace_when_the_database_is_away(
    stack: Stack, auth_client: AuthClient, user: User, waits: Waits
) -> None:
    stack["postgres"].stop()
    try:
        calls = [
            lambda: auth_client.refresh("any"),
            lambda: auth_client.log_in(user, Pkce()),
            lambda: auth_client.manage("GET"),
        ]
        # At once, since each waits its time for a connection.
        with ThreadPoolExecutor(len(calls)) as threads:
            replies = list(threads.map(lambda call: call(), calls))
        health = stack["auth"].http.get("/health")
    finally:
        stack["postgres"].start()
    for reply in replies:
        assert refusal(reply) == (503, "temporarily_unavailable")
        assert int(reply.headers["retry-after"]) >= 1
        assert "Traceback" not in reply.text
        assert "toxiproxy" not in reply.text
    assert health.status_code == 200
    eventually(
        lambda: auth_client.manage("GET").status_code == 200,
        within_s=waits.back_s,
        reason="auth should use the database again that came back",
    )
