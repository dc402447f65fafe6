"""What auth answers, in each particular: mistakes of one line that only these tests notice."""

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from helpers.oauth import PASSWORD, REDIRECT_URI, AuthClient, Pkce, User, claims_of, refusal
from helpers.orders import rows

from nomock import Postgres, Stack

ISSUER = "http://auth:8000"
SCOPE = "instances:read instances:write"
FORM = "application/x-www-form-urlencoded"


# What it says of itself and of clients


def test_metadata_should_name_each_endpoint_and_way_when_it_is_read(stack: Stack) -> None:
    said = stack["auth"].http.get("/.well-known/oauth-authorization-server").json()
    methods = ["none", "client_secret_basic", "client_secret_post"]
    endpoints = {
        name: f"{ISSUER}/{path}"
        for name, path in {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "registration_endpoint": "register",
            "revocation_endpoint": "revoke",
            "introspection_endpoint": "introspect",
            "jwks_uri": "jwks",
        }.items()
    }
    assert said.pop("grant_types_supported")
    assert said == {
        **endpoints,
        "issuer": ISSUER,
        "scopes_supported": SCOPE.split(),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "authorization_response_iss_parameter_supported": True,
    }


def test_health_should_be_ok_when_the_process_serves(stack: Stack) -> None:
    reply = stack["auth"].http.get("/health")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


def test_key_set_should_be_one_key_for_signatures_when_it_is_read(stack: Stack) -> None:
    (key,) = stack["auth"].http.get("/jwks").json()["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")


def test_registration_should_be_told_whole_when_the_client_is_public(
    auth_client: AuthClient,
) -> None:
    told = dict(auth_client.registration)
    assert told.pop("client_id_issued_at") > 1_700_000_000
    assert told.pop("client_name")
    token = told.pop("registration_access_token")
    assert told == {
        "client_id": auth_client.client_id,
        "registration_client_uri": f"{ISSUER}/register/{auth_client.client_id}",
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": SCOPE,
        "access_token_lifetime_s": 300,
    }
    # 128 bits in hexadecimal, 256 bits in base64.
    assert (len(auth_client.client_id), len(token)) == (32, 43)


def test_secret_should_be_told_without_an_end_when_the_client_is_confidential(
    confidential_client: AuthClient,
) -> None:
    assert confidential_client.registration["client_secret_expires_at"] == 0
    assert len(confidential_client.registration["client_secret"]) == 43


def test_registration_should_have_defaults_when_only_what_is_needed_is_said(
    stack: Stack, unique_name: Callable[[], str], make_client: Callable[..., AuthClient]
) -> None:
    client = make_client(grant_types=["authorization_code"])
    least = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
    told = client.manage("PUT", json=least).json()
    assert told["client_name"] == "unnamed"
    assert told["grant_types"] == ["authorization_code"]
    assert (told["scope"], told["access_token_lifetime_s"]) == (SCOPE, 300)


@pytest.mark.parametrize(
    "metadata",
    [
        {"access_token_lifetime_s": 1},
        {"access_token_lifetime_s": 3600},
        {"redirect_uris": ["http://localhost:1/back", "http://127.0.0.1/", "http://[::1]:9/"]},
        {"redirect_uris": ["https://client.example:443/back?a=b"]},
        {"scope": "instances:write"},
        {"client_name": "TEST " + 195 * "n"},
    ],
    ids=["shortest", "longest", "loopback", "port and query", "one scope", "longest name"],
)
def test_registration_should_be_taken_when_the_metadata_is_just_valid(
    make_client: Callable[..., AuthClient], metadata: dict[str, Any]
) -> None:
    told = make_client(**metadata).registration
    assert {name: told[name] for name in metadata} == metadata


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_name": "TEST " + 196 * "n"},
        {"client_name": ""},
        {"scope": " "},
        {"scope": "instances:read admin"},
        {"redirect_uris": ["https://"]},
        {"redirect_uris": ["https://client.example:0/back"]},
        {"redirect_uris": ["https://client.example/\x00"]},
        {"redirect_uris": ["ftp://localhost/back"]},
        {"response_types": ["token"]},
    ],
    ids=lambda wrong: f"{wrong}"[:50],
)
def test_registration_should_be_refused_when_the_metadata_is_just_invalid(
    stack: Stack, wrong: dict[str, Any]
) -> None:
    asked = {"client_name": "TEST never made", "redirect_uris": [REDIRECT_URI], **wrong}
    reply = stack["auth"].http.post("/register", json=asked)
    assert refusal(reply) == (400, "invalid_client_metadata")


def test_registration_should_be_taken_when_the_name_has_one_character(
    auth_client: AuthClient,
) -> None:
    reply = auth_client.manage("PUT", json={**auth_client.registration, "client_name": "n"})
    assert (reply.status_code, reply.json()["client_name"]) == (200, "n")


# Headers


def test_no_answer_should_be_kept_by_a_cache_when_it_tells_of_a_client_or_a_token(
    stack: Stack, auth_client: AuthClient, confidential_client: AuthClient, user: User
) -> None:
    token = confidential_client.tokens(user)["access_token"]
    asked = {"client_name": "TEST never made", "redirect_uris": []}
    pkce = Pkce()
    replies = {
        "refused registration": stack["auth"].http.post("/register", json=asked),
        "registration": auth_client.manage("PUT", json=auth_client.registration),
        "introspection": confidential_client.post("/introspect", token=token),
        "revocation": confidential_client.post("/revoke", token=token),
        "form": stack["auth"].http.get("/authorize", params=auth_client.request(pkce)),
        "code": auth_client.log_in(user, pkce),
        "refused code": auth_client.log_in(user, pkce, scope="admin"),
        "wrong password": auth_client.log_in(User(user.username, "", "", password="no"), pkce),
    }
    kept = {name: reply.headers.get("cache-control") for name, reply in replies.items()}
    assert kept == dict.fromkeys(replies, "no-store")


def test_new_registration_should_not_be_kept_by_a_cache_when_it_tells_a_secret(
    stack: Stack, unique_name: Callable[[], str], postgres: Postgres
) -> None:
    asked = {"client_name": unique_name(), "redirect_uris": [REDIRECT_URI]}
    reply = stack["auth"].http.post("/register", json=asked)
    with postgres.connect() as conn:
        conn.execute("DELETE FROM auth.clients WHERE client_id = %s", [reply.json()["client_id"]])
    assert (reply.status_code, reply.headers["cache-control"]) == (201, "no-store")


def test_login_page_should_be_for_nobody_else_when_it_is_shown(
    stack: Stack, auth_client: AuthClient, user: User
) -> None:
    shown = stack["auth"].http.get("/authorize", params=auth_client.request(Pkce()))
    again = auth_client.log_in(User(user.username, "", "", password="no"), Pkce())
    for page in (shown, again):
        policy = page.headers["content-security-policy"]
        assert policy == "default-src 'none'; frame-ancestors 'none'"
        assert page.headers["referrer-policy"] == "no-referrer"


def test_login_page_should_repeat_the_request_when_it_is_shown(
    stack: Stack, auth_client: AuthClient
) -> None:
    asked = auth_client.request(Pkce(), state='a "state"', scope="instances:read", resource="mcp")
    page = stack["auth"].http.get("/authorize", params=asked).text
    for name, value in asked.items():
        shown = value.replace('"', "&quot;")
        assert f'<input type="hidden" name="{name}" value="{shown}">' in page
    assert page.count('"><input type="hidden"') == len(asked)  # and nothing between
    assert "<button>Allow: instances:read</button>" in page
    assert '<p role="alert"></p>' in page


@pytest.mark.parametrize(
    "refused",
    ["unknown client", "wrong method", "wrong secret", "malformed header", "no secret at all"],
)
def test_refused_client_should_be_told_how_to_authenticate_when_it_is_unknown_or_wrong(
    stack: Stack, auth_client: AuthClient, confidential_client: AuthClient, refused: str
) -> None:
    auth, known = stack["auth"], confidential_client.client_id
    reply = {
        "unknown client": lambda: AuthClient(auth, {"client_id": "nobody"}).refresh("any"),
        "wrong method": lambda: AuthClient(auth, {"client_id": known}).refresh("any"),
        "wrong secret": lambda: AuthClient(
            auth, {"client_id": known, "client_secret": "guessed"}
        ).refresh("any"),
        "malformed header": lambda: auth.http.post(
            "/token", data={"grant_type": "x"}, headers={"Authorization": "Basic YQ=="}
        ),
        "no secret at all": lambda: auth_client.post("/introspect", token="any"),
    }[refused]()
    assert refusal(reply) == (401, "invalid_client")
    assert reply.headers["www-authenticate"] == 'Basic realm="auth"'


def test_refused_registration_should_ask_for_a_bearer_token_when_it_has_the_wrong_one(
    auth_client: AuthClient,
) -> None:
    for headers in ({}, {"Authorization": "Bearer guessed"}, {"Authorization": "Basic YTpi"}):
        reply = auth_client.manage("GET", headers=headers)
        assert refusal(reply) == (401, "invalid_token")
        asked = reply.headers["www-authenticate"]
        assert asked == 'Bearer realm="auth", error="invalid_token"'


@pytest.mark.parametrize(
    ("token", "said"),
    [("", "a bearer token is needed"), ("Bearer a b", "not the token of this registration")],
)
def test_refused_registration_should_say_why_when_there_is_no_token_or_another(
    auth_client: AuthClient, token: str, said: str
) -> None:
    reply = auth_client.manage("GET", headers={"Authorization": token} if token else {})
    assert reply.json()["error_description"] == said


def test_registration_should_be_closed_when_the_client_has_never_registered(stack: Stack) -> None:
    headers = {"Authorization": "Bearer guessed"}
    for client_id in ("mcp", "nobody"):  # one that the migrations made, and none
        reply = stack["auth"].http.get(f"/register/{client_id}", headers=headers)
        assert refusal(reply) == (401, "invalid_token")


def test_registration_should_stay_when_it_is_to_be_replaced_by_what_is_invalid(
    auth_client: AuthClient,
) -> None:
    reply = auth_client.manage("PUT", json={**auth_client.registration, "redirect_uris": []})
    assert refusal(reply) == (400, "invalid_client_metadata")
    assert auth_client.manage("GET").json()["redirect_uris"] == [REDIRECT_URI]


# How clients authenticate


def test_client_should_be_known_when_it_posts_its_secret_as_it_registered(
    make_client: Callable[..., AuthClient], stack: Stack
) -> None:
    client = make_client(token_endpoint_auth_method="client_secret_post")
    form = {"client_id": client.client_id, "client_secret": client.secret, "token": "any"}
    assert stack["auth"].http.post("/introspect", data=form).json() == {"active": False}
    assert refusal(client.post("/introspect", token="any")) == (401, "invalid_client")


def test_client_should_be_known_when_its_name_and_secret_are_percent_encoded(stack: Stack) -> None:
    reply = stack["auth"].http.post(
        "/introspect", data={"token": "any"}, auth=("%6dcp", "mcp%2Dclient-secret")
    )
    assert reply.json() == {"active": False}


def test_scheme_should_be_read_in_any_case_when_a_client_authenticates(
    stack: Stack, auth_client: AuthClient
) -> None:
    token = auth_client.registration["registration_access_token"]
    shown = auth_client.manage("GET", headers={"Authorization": f"bEARER {token}"})
    assert shown.status_code == 200
    credentials = "bWNwOm1jcC1jbGllbnQtc2VjcmV0"  # mcp:mcp-client-secret
    headers = {"Authorization": f"bASIC {credentials}"}
    reply = stack["auth"].http.post("/introspect", data={"token": "any"}, headers=headers)
    assert reply.json() == {"active": False}


def test_client_should_be_refused_when_the_form_names_another_than_the_header(
    stack: Stack,
) -> None:
    reply = stack["auth"].http.post(
        "/introspect",
        data={"token": "any", "client_id": "other"},
        auth=("mcp", "mcp-client-secret"),
    )
    assert refusal(reply) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("header", "form", "said"),
    [
        # RFC 7617: a password may have colons, a name may not.
        ("mcp:mcp:client-secret", {}, "wrong client secret"),
        ("mcp:mcp-client-secret", {"client_secret": "x"}, "more than one way of client auth"),
        ("mcp:mcp-client-secret", {"client_id": "mcp"}, ""),
    ],
)
def test_client_should_be_told_what_is_wrong_when_it_authenticates(
    stack: Stack, header: str, form: dict[str, str], said: str
) -> None:
    credentials = base64.b64encode(header.encode()).decode()
    reply = stack["auth"].http.post(
        "/introspect",
        data={"token": "any", **form},
        headers={"Authorization": f"Basic {credentials}"},
    )
    assert reply.json().get("error_description", "").startswith(said)
    assert reply.is_error == bool(said)


def test_client_should_be_refused_when_its_header_is_not_quite_base64(stack: Stack) -> None:
    headers = {"Authorization": "Basic bWNwOm1jcC1jbGllbnQ!tc2VjcmV0"}
    reply = stack["auth"].http.post("/introspect", data={"token": "any"}, headers=headers)
    assert refusal(reply) == (401, "invalid_client")
    assert reply.json()["error_description"] == "the authorization header is malformed"


@pytest.mark.parametrize(
    ("kind", "is_read"),
    [
        (FORM, True),
        (f"{FORM.upper()} ; charset=utf-8; a=b", True),
        ("text/plain", False),
        ("", False),
    ],
)
def test_form_should_be_read_by_its_type_when_that_has_parameters(
    stack: Stack, kind: str, is_read: bool
) -> None:
    reply = stack["auth"].http.post(
        "/token", content="client_id=nobody", headers={"Content-Type": kind}
    )
    assert refusal(reply) == ((401, "invalid_client") if is_read else (400, "invalid_request"))


# Codes, scopes and audiences


def test_redirect_should_keep_the_query_of_the_uri_when_it_has_one(
    make_client: Callable[..., AuthClient], user: User
) -> None:
    uri = "https://client.example/back?a=b"
    client = make_client(redirect_uris=[uri])
    assert client.log_in(user, Pkce(), redirect_uri=uri).headers["location"].startswith(f"{uri}&")


def test_redirect_should_have_no_state_when_none_was_given(
    auth_client: AuthClient, user: User
) -> None:
    location = auth_client.log_in(user, Pkce(), state=None).headers["location"]
    assert "state" not in location
    code = location.partition("code=")[2].partition("&")[0]
    assert len(code) == 43


def test_refused_authorization_should_say_why_when_it_redirects(
    auth_client: AuthClient, user: User
) -> None:
    location = auth_client.log_in(user, Pkce(), scope="admin").headers["location"]
    assert "error_description=the+scope+must+lie+within" in location


def test_authorization_should_be_refused_when_the_client_is_unknown(
    stack: Stack, auth_client: AuthClient
) -> None:
    asked = auth_client.request(Pkce(), client_id="nobody")
    assert refusal(stack["auth"].http.get("/authorize", params=asked)) == (400, "invalid_client")


@pytest.mark.parametrize("length", [42, 129])
def test_code_should_be_refused_when_the_verifier_is_too_short_or_too_long(
    auth_client: AuthClient, user: User, length: int
) -> None:
    pkce = Pkce(verifier=length * "v")
    reply = auth_client.redeem(auth_client.code(user, pkce), pkce)
    assert refusal(reply) == (400, "invalid_grant")


@pytest.mark.parametrize("length", [43, 128])
def test_code_should_be_exchanged_when_the_verifier_is_just_long_or_short_enough(
    auth_client: AuthClient, user: User, length: int
) -> None:
    pkce = Pkce(verifier=length * "v")
    reply = auth_client.redeem(auth_client.code(user, pkce), pkce, redirect_uri=None)
    assert reply.status_code == 200, reply.text
    assert len(reply.json()["refresh_token"]) == 43


@pytest.mark.parametrize(
    ("resource", "audience"),
    [
        (None, "instances"),
        ("instances", "instances"),
        ("mcp", "mcp"),
        ("billing", "billing"),
        ("http://instances:8000", "instances"),
        ("http://mcp:8000/mcp", "mcp"),
        ("http://billing:8000", "billing"),
    ],
)
def test_token_should_be_for_the_audience_when_the_resource_is_a_uri_or_a_name(
    auth_client: AuthClient, user: User, resource: str | None, audience: str
) -> None:
    issued = auth_client.tokens(user, resource=resource)
    assert claims_of(issued["access_token"])["aud"] == audience


def test_scope_should_be_told_once_when_it_was_asked_for_twice(
    auth_client: AuthClient, user: User
) -> None:
    issued = auth_client.tokens(user, scope="instances:write instances:read instances:write")
    assert issued["scope"] == "instances:write instances:read"


def test_scope_should_be_no_wider_than_the_clients_when_none_is_asked_for(
    make_client: Callable[..., AuthClient], user: User
) -> None:
    assert make_client(scope="instances:read").tokens(user)["scope"] == "instances:read"


def test_refresh_token_should_be_told_as_one_when_it_is_introspected(
    confidential_client: AuthClient, user: User
) -> None:
    issued = confidential_client.tokens(user)
    told = {
        name: confidential_client.post("/introspect", token=issued[name]).json()["token_type"]
        for name in ("access_token", "refresh_token")
    }
    assert told == {"access_token": "Bearer", "refresh_token": "refresh_token"}


def test_refresh_token_should_be_good_for_thirty_days_when_it_is_issued(
    auth_client: AuthClient, user: User, postgres: Postgres
) -> None:
    began = datetime.now(UTC)
    auth_client.tokens(user)
    ended = datetime.now(UTC)
    ends = "SELECT expires_at FROM auth.tokens WHERE kind = 'refresh' AND client_id = %s"
    ((expires_at,),) = rows(postgres, ends, auth_client.client_id)
    assert began <= expires_at - timedelta(days=30) <= ended


# Users


def test_tenant_should_keep_its_tier_when_another_user_signs_up_with_a_higher_one(
    auth_client: AuthClient, make_user: Callable[..., User], unique_name: Callable[[], str]
) -> None:
    tenant = unique_name()
    first = make_user(tenant=tenant, tier="free")
    second = make_user(tenant=tenant, tier="enterprise")
    assert first.tenant_id == second.tenant_id
    assert claims_of(auth_client.tokens(second)["access_token"])["tier"] == "free"


def test_password_should_be_kept_as_scrypt_when_a_user_signs_up(
    user: User, postgres: Postgres
) -> None:
    with postgres.connect() as conn:
        row = conn.execute(
            "SELECT password_hash FROM auth.users WHERE user_id = %s", [user.user_id]
        ).fetchone()
    assert row is not None
    salt, _, kept = row[0].partition("$")
    # The cost that OWASP names for scrypt with 16 MB: N = 2^14, r = 8.
    key = hashlib.scrypt(PASSWORD.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1)
    assert (len(bytes.fromhex(salt)), kept) == (16, key.hex())


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"password": 7 * "p"}, 422),
        ({"password": 201 * "p"}, 422),
        ({"username": 201 * "u"}, 422),
        ({"username": "a\x00b"}, 422),
        ({"tenant": ""}, 422),
    ],
    ids=["short password", "long password", "long name", "no text", "no tenant"],
)
def test_sign_up_should_be_refused_when_a_field_is_just_invalid(
    stack: Stack, unique_name: Callable[[], str], changes: dict[str, str], status: int
) -> None:
    name = unique_name()
    asked = {"username": name, "password": PASSWORD, "tenant": name, **changes}
    assert refusal(stack["auth"].http.post("/users", json=asked)) == (status, "invalid_request")
