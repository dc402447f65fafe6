"""The authorization server's promises, one by one, on the running service."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from helpers.expiry import answer_when_over
from helpers.oauth import REDIRECT_URI, AuthClient, Pkce, User, claims_of, redirected, refusal
from joserfc import jwt
from joserfc.jwk import KeySet

from nomock import Postgres, Stack

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture
def mcp_service(stack: Stack) -> AuthClient:
    """Return the seeded client that may exchange tokens, as the service `mcp` is."""
    return AuthClient(stack["auth"], {"client_id": "mcp", "client_secret": "mcp-client-secret"})


def exchange(client: AuthClient, subject_token: str, **changes: str | None) -> Any:
    form: dict[str, str | None] = {
        "grant_type": EXCHANGE,
        "subject_token": subject_token,
        "subject_token_type": ACCESS_TOKEN,
        "audience": "instances",
    }
    return client.post("/token", **(form | changes))


# Metadata and keys


def test_metadata_should_promise_only_what_oauth_2_1_has_when_it_is_read(stack: Stack) -> None:
    said = stack["auth"].http.get("/.well-known/oauth-authorization-server").json()
    assert said["issuer"] == "http://auth:8000"
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["response_types_supported"] == ["code"]
    grants = {"authorization_code", "refresh_token", "client_credentials", EXCHANGE}
    assert set(said["grant_types_supported"]) == grants
    assert said["authorization_response_iss_parameter_supported"] is True


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("authorization_endpoint", "authorize"),
        ("token_endpoint", "token"),
        ("registration_endpoint", "register"),
        ("revocation_endpoint", "revoke"),
        ("introspection_endpoint", "introspect"),
        ("jwks_uri", "jwks"),
    ],
)
def test_endpoint_should_exist_when_the_metadata_names_it(
    stack: Stack, name: str, path: str
) -> None:
    said = stack["auth"].http.get("/.well-known/oauth-authorization-server").json()
    assert said[name] == f"http://auth:8000/{path}"
    assert stack["auth"].http.get(f"/{path}").status_code != 404


def test_key_set_should_hold_no_private_part_when_it_is_read(stack: Stack) -> None:
    (key,) = stack["auth"].http.get("/jwks").json()["keys"]
    assert "d" not in key
    assert {"kid", "kty", "crv", "x", "y", "alg", "use"} <= set(key)


def test_access_token_should_verify_when_the_published_keys_are_used(
    stack: Stack, auth_client: AuthClient, user: User
) -> None:
    token = auth_client.tokens(user)["access_token"]
    keys = KeySet.import_key_set(stack["auth"].http.get("/jwks").json())
    decoded = jwt.decode(token, keys, algorithms=["ES256"])
    assert decoded.header["typ"] == "at+jwt"
    assert decoded.claims["sub"] == user.user_id


@pytest.mark.serial("stack")
def test_tokens_should_stay_valid_when_auth_is_restarted(
    stack: Stack, confidential_client: AuthClient, user: User
) -> None:
    issued = confidential_client.tokens(user)
    before = stack["auth"].http.get("/jwks").json()
    stack["auth"].restart()
    assert stack["auth"].http.get("/jwks").json() == before
    assert confidential_client.is_active(issued["access_token"])
    assert confidential_client.refresh(issued["refresh_token"]).status_code == 200


# Registration


def test_registration_should_tell_no_secret_when_the_client_is_public(
    auth_client: AuthClient,
) -> None:
    assert "client_secret" not in auth_client.registration
    assert auth_client.registration["token_endpoint_auth_method"] == "none"
    assert auth_client.registration["redirect_uris"] == [REDIRECT_URI]


def test_registration_should_tell_its_secrets_once_when_the_client_is_confidential(
    confidential_client: AuthClient, postgres: Postgres
) -> None:
    shown = confidential_client.manage("GET").json()
    assert confidential_client.secret
    assert "client_secret" not in shown
    with postgres.connect() as conn:
        row = conn.execute(
            "SELECT secret_hash, registration_token_hash FROM auth.clients WHERE client_id = %s",
            [confidential_client.client_id],
        ).fetchone()
    registration_token = confidential_client.registration["registration_access_token"]
    expected = [confidential_client.secret, registration_token]
    assert row is not None
    assert list(row) == [hashlib.sha256(secret.encode()).hexdigest() for secret in expected]


def test_registration_should_be_shown_when_its_token_is_presented(auth_client: AuthClient) -> None:
    reply = auth_client.manage("GET")
    assert reply.status_code == 200
    assert reply.json()["client_name"] == auth_client.registration["client_name"]
    assert reply.headers["cache-control"] == "no-store"


def test_old_redirect_uri_should_be_refused_when_the_registration_was_replaced(
    auth_client: AuthClient, user: User
) -> None:
    moved = {**auth_client.registration, "redirect_uris": ["https://client.example/moved"]}
    assert auth_client.manage("PUT", json=moved).json()["redirect_uris"] == moved["redirect_uris"]
    assert auth_client.log_in(user, Pkce()).status_code == 400
    assert auth_client.code(user, Pkce(), redirect_uri="https://client.example/moved")


def test_client_should_not_gain_a_secret_when_its_registration_is_replaced(
    auth_client: AuthClient,
) -> None:
    asked = {**auth_client.registration, "token_endpoint_auth_method": "client_secret_basic"}
    reply = auth_client.manage("PUT", json=asked)
    assert refusal(reply) == (400, "invalid_client_metadata")


def test_grants_and_tokens_should_go_when_their_client_is_deleted(
    auth_client: AuthClient, user: User, postgres: Postgres
) -> None:
    issued = auth_client.tokens(user)
    assert auth_client.manage("DELETE").status_code == 204
    reply = auth_client.refresh(issued["refresh_token"])
    assert refusal(reply) == (401, "invalid_client")
    with postgres.connect() as conn:
        left = conn.execute(
            "SELECT count(*) FROM auth.tokens JOIN auth.grants USING (grant_id) WHERE user_id = %s",
            [user.user_id],
        ).fetchone()
    assert left == (0,)


def test_tokens_should_not_be_active_when_the_tenant_is_deleted(
    confidential_client: AuthClient, user: User, postgres: Postgres
) -> None:
    issued = confidential_client.tokens(user)
    assert confidential_client.is_active(issued["access_token"])
    with postgres.connect() as conn:
        conn.execute("DELETE FROM auth.tenants WHERE tenant_id = %s", [user.tenant_id])
    assert not confidential_client.is_active(issued["access_token"])
    assert confidential_client.refresh(issued["refresh_token"]).status_code == 400


# Authorization


def test_login_form_should_escape_the_client_name_when_it_is_markup(
    make_client: Callable[..., AuthClient], unique_name: Callable[[], str]
) -> None:
    client = make_client(client_name=f"{unique_name()} <script>alert(1)</script>")
    page = client.service.http.get("/authorize", params=client.request(Pkce()))
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_authorization_should_return_code_state_and_issuer_when_the_user_logs_in(
    auth_client: AuthClient, user: User
) -> None:
    reply = auth_client.log_in(user, Pkce(), state="x&y=z")
    assert reply.headers["location"].startswith(f"{REDIRECT_URI}?")
    back = redirected(reply)
    assert back.get("state") == "x&y=z"
    assert back.get("iss") == "http://auth:8000"
    assert back["code"]


def test_authorization_should_show_the_form_again_when_the_password_is_wrong(
    auth_client: AuthClient, user: User
) -> None:
    stranger = User(user.username, user.user_id, user.tenant_id, password="not the password")
    reply = auth_client.log_in(stranger, Pkce())
    assert reply.status_code == 401
    assert "location" not in reply.headers
    assert "Wrong user name or password" in reply.text


def test_authorization_should_show_the_form_again_when_the_user_is_unknown(
    auth_client: AuthClient, unique_name: Callable[[], str]
) -> None:
    nobody = User(unique_name(), "", "")
    assert auth_client.log_in(nobody, Pkce()).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge": "too-short"},
    ],
    ids=["plain", "no method", "no challenge", "no SHA-256"],
)
def test_authorization_should_be_refused_when_pkce_is_not_s256(
    auth_client: AuthClient, user: User, changes: dict[str, str | None]
) -> None:
    back = redirected(auth_client.log_in(user, Pkce(), **changes))
    assert back.get("error") == "invalid_request"
    assert back.get("iss") == "http://auth:8000"
    assert "code" not in back


@pytest.mark.parametrize(
    "redirect_uri",
    [
        f"{REDIRECT_URI}/",
        f"{REDIRECT_URI}?next=evil",
        "https://client.example.evil/callback",
        "https://CLIENT.example/callback",
        None,
    ],
)
def test_authorization_should_not_redirect_when_the_uri_is_not_exactly_the_registered_one(
    auth_client: AuthClient, user: User, redirect_uri: str | None
) -> None:
    reply = auth_client.log_in(user, Pkce(), redirect_uri=redirect_uri)
    assert refusal(reply) == (400, "invalid_request")
    assert "location" not in reply.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "instances:read admin"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
    ],
)
def test_authorization_should_send_the_error_back_when_the_request_asks_too_much(
    auth_client: AuthClient, user: User, changes: dict[str, str], error: str
) -> None:
    back = redirected(auth_client.log_in(user, Pkce(), **changes))
    assert back.get("error") == error
    assert back.get("error_description"), "RFC 6749, section 4.1.2.1: it helps who wrote the client"
    assert back.get("state") == "a state"


def test_authorization_should_be_refused_when_the_client_did_not_register_the_grant(
    make_client: Callable[..., AuthClient], user: User
) -> None:
    client = make_client(grant_types=["refresh_token"])
    assert redirected(client.log_in(user, Pkce())).get("error") == "unauthorized_client"


# Codes


def test_access_token_should_say_who_and_for_what_when_it_is_issued(
    make_client: Callable[..., AuthClient], make_user: Callable[..., User]
) -> None:
    client, user = make_client(access_token_lifetime_s=120), make_user(tier="pro")
    issued = client.tokens(user, scope="instances:read")
    said = claims_of(issued["access_token"])
    assert said.pop("exp") - said.pop("iat") == issued["expires_in"] == 120
    assert said.pop("jti")
    assert said == {
        "iss": "http://auth:8000",
        "sub": user.user_id,
        "aud": "instances",
        "client_id": client.client_id,
        "scope": issued["scope"],
        "tenant": user.tenant_id,
        "tier": "pro",
    }
    assert issued["scope"] == "instances:read"


def test_access_token_should_be_for_mcp_when_the_resource_is_mcp(
    auth_client: AuthClient, user: User
) -> None:
    assert claims_of(auth_client.tokens(user, resource="mcp")["access_token"])["aud"] == "mcp"


def test_token_response_should_not_be_cached_when_it_is_issued(
    auth_client: AuthClient, user: User
) -> None:
    pkce = Pkce()
    reply = auth_client.redeem(auth_client.code(user, pkce), pkce)
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json()["token_type"] == "Bearer"


def test_code_should_be_used_up_when_the_verifier_was_wrong(
    auth_client: AuthClient, user: User
) -> None:
    pkce = Pkce()
    code = auth_client.code(user, pkce)
    guessed = auth_client.redeem(code, Pkce())
    assert refusal(guessed) == (400, "invalid_grant")
    assert auth_client.redeem(code, pkce).status_code == 400


def test_code_should_be_refused_when_the_redirect_uri_changed(
    make_client: Callable[..., AuthClient], user: User
) -> None:
    client, pkce = make_client(redirect_uris=[REDIRECT_URI, f"{REDIRECT_URI}/2"]), Pkce()
    reply = client.redeem(client.code(user, pkce), pkce, redirect_uri=f"{REDIRECT_URI}/2")
    assert refusal(reply) == (400, "invalid_grant")


def test_code_should_be_refused_when_another_client_brings_it(
    make_client: Callable[..., AuthClient], user: User
) -> None:
    owner, thief, pkce = make_client(), make_client(), Pkce()
    reply = thief.redeem(owner.code(user, pkce), pkce)
    assert refusal(reply) == (400, "invalid_grant")


def test_code_should_be_refused_when_the_resource_is_not_the_one_granted(
    auth_client: AuthClient, user: User
) -> None:
    pkce = Pkce()
    reply = auth_client.redeem(auth_client.code(user, pkce), pkce, resource="mcp")
    assert refusal(reply) == (400, "invalid_target")


def test_tokens_should_be_revoked_when_their_code_is_used_again(
    confidential_client: AuthClient, user: User
) -> None:
    pkce = Pkce()
    code = confidential_client.code(user, pkce)
    issued = confidential_client.redeem(code, pkce).json()
    assert confidential_client.is_active(issued["access_token"])
    again = confidential_client.redeem(code, pkce)
    assert refusal(again) == (400, "invalid_grant")
    assert not confidential_client.is_active(issued["access_token"])
    assert confidential_client.refresh(issued["refresh_token"]).status_code == 400


def test_code_should_be_exchanged_once_when_many_bring_it_at_the_same_moment(
    auth_client: AuthClient, user: User
) -> None:
    pkce = Pkce()
    code = auth_client.code(user, pkce)
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: auth_client.redeem(code, pkce), range(8)))
    statuses = [reply.status_code for reply in replies]
    # The first may lose too: who comes second revokes the grant, perhaps before it was used.
    assert statuses.count(200) <= 1
    assert statuses.count(200) + statuses.count(400) == 8


# Refresh tokens


def test_refresh_token_should_be_replaced_when_it_is_used(
    auth_client: AuthClient, user: User
) -> None:
    first = auth_client.tokens(user)
    second = auth_client.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert auth_client.refresh(second["refresh_token"]).status_code == 200


def test_family_should_be_revoked_when_a_refresh_token_is_used_again(
    confidential_client: AuthClient, user: User
) -> None:
    first = confidential_client.tokens(user)
    second = confidential_client.refresh(first["refresh_token"]).json()
    again = confidential_client.refresh(first["refresh_token"])
    assert refusal(again) == (400, "invalid_grant")
    assert confidential_client.refresh(second["refresh_token"]).status_code == 400
    assert not confidential_client.is_active(second["access_token"])


def test_refresh_token_should_serve_once_when_many_bring_it_at_the_same_moment(
    auth_client: AuthClient, user: User
) -> None:
    issued = auth_client.tokens(user)
    with ThreadPoolExecutor(8) as threads:
        calls = threads.map(lambda _: auth_client.refresh(issued["refresh_token"]), range(8))
        statuses = [reply.status_code for reply in calls]
    assert (statuses.count(200), statuses.count(400)) == (1, 7)


def test_scope_should_be_narrower_for_one_token_when_a_refresh_asks_for_less(
    auth_client: AuthClient, user: User
) -> None:
    issued = auth_client.tokens(user)
    narrow = auth_client.refresh(issued["refresh_token"], scope="instances:read").json()
    assert narrow["scope"] == "instances:read"
    wide = auth_client.refresh(narrow["refresh_token"]).json()
    assert set(wide["scope"].split()) == {"instances:read", "instances:write"}


def test_refresh_token_should_stay_usable_when_the_request_asked_too_much(
    auth_client: AuthClient, user: User
) -> None:
    issued = auth_client.tokens(user, scope="instances:read")
    greedy = auth_client.refresh(issued["refresh_token"], scope="instances:write")
    assert refusal(greedy) == (400, "invalid_scope")
    assert auth_client.refresh(issued["refresh_token"]).status_code == 200


def test_refresh_token_should_be_refused_when_another_client_brings_it(
    make_client: Callable[..., AuthClient], user: User
) -> None:
    owner, thief = make_client(), make_client()
    issued = owner.tokens(user)
    reply = thief.refresh(issued["refresh_token"])
    assert refusal(reply) == (400, "invalid_grant")
    assert owner.refresh(issued["refresh_token"]).status_code == 200


def test_refresh_token_should_not_be_issued_when_the_client_did_not_register_the_grant(
    make_client: Callable[..., AuthClient], user: User
) -> None:
    client = make_client(grant_types=["authorization_code"])
    assert "refresh_token" not in client.tokens(user)


def test_refresh_token_should_be_stored_as_a_hash_when_it_is_issued(
    auth_client: AuthClient, user: User, postgres: Postgres
) -> None:
    issued = auth_client.tokens(user)
    with postgres.connect() as conn:
        kept = conn.execute(
            "SELECT token_hash FROM auth.tokens WHERE client_id = %s AND kind = 'refresh'",
            [auth_client.client_id],
        ).fetchone()
    assert kept == (hashlib.sha256(issued["refresh_token"].encode()).hexdigest(),)


# Revocation and introspection


def test_access_token_should_be_inactive_and_its_family_live_when_it_is_revoked(
    confidential_client: AuthClient, user: User
) -> None:
    issued = confidential_client.tokens(user)
    assert confidential_client.post("/revoke", token=issued["access_token"]).status_code == 200
    assert not confidential_client.is_active(issued["access_token"])
    assert confidential_client.refresh(issued["refresh_token"]).status_code == 200


def test_whole_grant_should_be_inactive_when_the_refresh_token_is_revoked(
    confidential_client: AuthClient, user: User
) -> None:
    issued = confidential_client.tokens(user)
    assert confidential_client.post("/revoke", token=issued["refresh_token"]).status_code == 200
    assert not confidential_client.is_active(issued["access_token"])
    assert not confidential_client.is_active(issued["refresh_token"])


def test_revocation_should_succeed_when_the_token_is_unknown(auth_client: AuthClient) -> None:
    assert auth_client.post("/revoke", token="never issued").status_code == 200


def test_token_should_stay_active_when_another_client_asks_to_revoke_it(
    make_client: Callable[..., AuthClient], confidential_client: AuthClient, user: User
) -> None:
    token = confidential_client.tokens(user)["access_token"]
    reply = make_client().post("/revoke", token=token)
    assert refusal(reply) == (400, "unauthorized_client")
    assert confidential_client.is_active(token)


def test_introspection_should_tell_the_claims_when_the_token_is_active(
    confidential_client: AuthClient, user: User
) -> None:
    token = confidential_client.tokens(user)["access_token"]
    told = confidential_client.post("/introspect", token=token).json()
    said = claims_of(token)
    names = ["iss", "sub", "aud", "client_id", "scope", "tenant", "tier", "jti", "exp"]
    assert {name: told[name] for name in names} == {name: said[name] for name in names}
    assert told["active"] is True
    assert told["username"] == user.username


def test_introspection_should_say_only_inactive_when_the_token_is_not_for_the_one_who_asks(
    make_client: Callable[..., AuthClient], confidential_client: AuthClient, user: User
) -> None:
    token = make_client().tokens(user)["access_token"]
    assert confidential_client.post("/introspect", token=token).json() == {"active": False}


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJFUzI1NiIsImNyaXQiOjF9.e30.AA",
    ],
    ids=["no JWT", "no base64", "alg none", "crit 1"],
)
def test_introspection_should_say_only_inactive_when_the_token_is_none_of_ours(
    confidential_client: AuthClient, token: str
) -> None:
    assert confidential_client.post("/introspect", token=token).json() == {"active": False}


def test_introspection_should_be_refused_when_the_client_has_no_secret(
    auth_client: AuthClient, user: User
) -> None:
    token = auth_client.tokens(user)["access_token"]
    reply = auth_client.post("/introspect", token=token)
    assert refusal(reply) == (401, "invalid_client")


def test_access_token_should_become_inactive_when_its_lifetime_is_over(
    make_client: Callable[..., AuthClient], user: User
) -> None:
    def begin(lifetime_s: int) -> Callable[[], bool]:
        client = make_client(
            access_token_lifetime_s=lifetime_s, token_endpoint_auth_method="client_secret_basic"
        )
        token = client.tokens(user)["access_token"]
        return lambda: client.is_active(token)

    assert not answer_when_over(begin, accepted=bool)


# Token exchange


def test_exchange_should_give_a_token_for_instances_when_mcp_holds_the_users_token(
    mcp_service: AuthClient, auth_client: AuthClient, user: User
) -> None:
    subject = auth_client.tokens(user, resource="mcp")["access_token"]
    reply = exchange(mcp_service, subject, scope="instances:read")
    assert reply.status_code == 200, reply.text
    assert reply.json()["issued_token_type"] == ACCESS_TOKEN
    assert "refresh_token" not in reply.json()
    said = claims_of(reply.json()["access_token"])
    assert (said["aud"], said["client_id"], said["sub"]) == ("instances", "mcp", user.user_id)
    assert said["scope"] == "instances:read"


def test_exchange_should_give_a_token_for_a_resource_when_that_is_named_instead(
    mcp_service: AuthClient, auth_client: AuthClient, user: User
) -> None:
    subject = auth_client.tokens(user, resource="mcp")["access_token"]
    reply = exchange(mcp_service, subject, audience=None, resource="http://instances:8000")
    assert claims_of(reply.json()["access_token"])["aud"] == "instances"


def test_exchanged_token_should_not_outlive_the_users_when_that_is_short(
    mcp_service: AuthClient, make_client: Callable[..., AuthClient], user: User
) -> None:
    client = make_client(access_token_lifetime_s=30)
    subject = client.tokens(user, resource="mcp")["access_token"]
    reply = exchange(mcp_service, subject)
    assert claims_of(reply.json()["access_token"])["exp"] <= claims_of(subject)["exp"]


def test_exchanged_token_should_be_inactive_when_the_users_grant_is_revoked(
    mcp_service: AuthClient, auth_client: AuthClient, user: User
) -> None:
    issued = auth_client.tokens(user, resource="mcp")
    exchanged = exchange(mcp_service, issued["access_token"]).json()["access_token"]
    assert mcp_service.is_active(exchanged)
    auth_client.post("/revoke", token=issued["refresh_token"])
    assert not mcp_service.is_active(exchanged)


def test_exchange_should_be_refused_when_the_token_was_made_for_another_service(
    mcp_service: AuthClient, auth_client: AuthClient, user: User
) -> None:
    reply = exchange(mcp_service, auth_client.tokens(user)["access_token"])
    assert refusal(reply) == (400, "invalid_request")


def test_exchange_should_be_refused_when_it_asks_for_more_scope(
    mcp_service: AuthClient, auth_client: AuthClient, user: User
) -> None:
    subject = auth_client.tokens(user, resource="mcp", scope="instances:read")["access_token"]
    reply = exchange(mcp_service, subject, scope="instances:write")
    assert refusal(reply) == (400, "invalid_scope")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"subject_token": "nonsense"}, "invalid_request"),
        ({"audience": "elsewhere"}, "invalid_target"),
        ({"audience": None}, "invalid_request"),
    ],
    ids=["no access token", "nonsense", "unknown audience", "no audience"],
)
def test_exchange_should_name_the_error_when_the_request_is_wrong(
    mcp_service: AuthClient,
    auth_client: AuthClient,
    user: User,
    changes: dict[str, str | None],
    error: str,
) -> None:
    subject = auth_client.tokens(user, resource="mcp")["access_token"]
    form = {"subject_token": subject} | changes
    assert refusal(exchange(mcp_service, **form)) == (400, error)


def test_exchange_should_be_refused_when_the_client_did_not_register_the_grant(
    confidential_client: AuthClient, user: User
) -> None:
    subject = confidential_client.tokens(user)["access_token"]
    reply = exchange(confidential_client, subject)
    assert refusal(reply) == (400, "unauthorized_client")
