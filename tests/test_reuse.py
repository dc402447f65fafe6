"""What comes a second time: whose grant that ends, and whose it leaves alone."""

from collections.abc import Callable

import pytest
from helpers.eventually import eventually
from helpers.logs import logged
from helpers.oauth import AuthClient, Pkce, User, refusal
from helpers.orders import rows
from helpers.waits import SOON_S

from nomock import Postgres, Stack

Clients = Callable[..., AuthClient]

REFUSED = (400, "invalid_grant")
REVOKED_AT = "SELECT revoked_at FROM auth.grants WHERE client_id = %s"


def times_logged(stack: Stack, client: AuthClient, message: str) -> int:
    """Return how often auth has logged something of a client, once it has."""

    def count() -> int:
        lines = logged(stack["auth"], message)
        return sum(line.get("client_id") == client.client_id for line in lines)

    return eventually(count, within_s=SOON_S, reason="the reuse should be in the log")


# Codes


def test_other_grants_should_stay_when_a_code_is_used_again(
    confidential_client: AuthClient, user: User
) -> None:
    other = confidential_client.tokens(user)
    pkce = Pkce()
    code = confidential_client.code(user, pkce)
    assert confidential_client.redeem(code, pkce).status_code == 200
    assert refusal(confidential_client.redeem(code, pkce)) == REFUSED
    assert confidential_client.is_active(other["access_token"])


def test_tokens_should_stay_when_another_client_brings_their_code(
    confidential_client: AuthClient, auth_client: AuthClient, user: User
) -> None:
    pkce = Pkce()
    code = confidential_client.code(user, pkce)
    issued = confidential_client.redeem(code, pkce).json()
    assert refusal(auth_client.redeem(code, pkce)) == REFUSED
    assert confidential_client.is_active(issued["access_token"])


def test_log_should_say_that_a_code_was_reused_when_that_revoked_something(
    stack: Stack, auth_client: AuthClient, postgres: Postgres, user: User
) -> None:
    pkce = Pkce()
    code = auth_client.code(user, pkce)
    auth_client.redeem("never issued", pkce)
    auth_client.redeem(code, pkce)
    auth_client.redeem(code, pkce)
    revoked = rows(postgres, REVOKED_AT, auth_client.client_id)
    auth_client.redeem(code, pkce)
    assert rows(postgres, REVOKED_AT, auth_client.client_id) == revoked
    assert times_logged(stack, auth_client, "code reused") == 1


# Refresh tokens


def test_other_families_should_stay_when_a_refresh_token_is_used_again(
    auth_client: AuthClient, user: User
) -> None:
    mine, other = auth_client.tokens(user), auth_client.tokens(user)
    newer = [auth_client.refresh(each["refresh_token"]).json() for each in (mine, other)]
    assert refusal(auth_client.refresh(mine["refresh_token"])) == REFUSED
    statuses = [auth_client.refresh(each["refresh_token"]).status_code for each in newer]
    assert statuses == [400, 200]


def test_family_should_stay_when_another_client_brings_a_used_refresh_token(
    make_client: Clients, user: User
) -> None:
    owner, thief = make_client(), make_client()
    first = owner.tokens(user)
    second = owner.refresh(first["refresh_token"]).json()
    assert refusal(thief.refresh(first["refresh_token"])) == REFUSED
    assert owner.refresh(second["refresh_token"]).status_code == 200


@pytest.mark.parametrize("column", ["expires_at", "revoked_at"])
def test_family_should_stay_when_a_refresh_token_comes_that_is_no_longer_good(
    confidential_client: AuthClient, postgres: Postgres, user: User, column: str
) -> None:
    issued = confidential_client.tokens(user)
    with postgres.connect() as conn:
        conn.execute(
            f"UPDATE auth.tokens SET {column} = now() - interval '1 second'"
            " WHERE client_id = %s AND kind = 'refresh'",
            [confidential_client.client_id],
        )
    assert refusal(confidential_client.refresh(issued["refresh_token"])) == REFUSED
    assert confidential_client.is_active(issued["access_token"])


def test_log_should_say_that_a_refresh_token_was_reused_when_that_revoked_something(
    stack: Stack, auth_client: AuthClient, postgres: Postgres, user: User
) -> None:
    issued = auth_client.tokens(user)
    auth_client.refresh("never issued")
    auth_client.refresh(issued["refresh_token"])
    auth_client.refresh(issued["refresh_token"])
    revoked = rows(postgres, REVOKED_AT, auth_client.client_id)
    auth_client.refresh(issued["refresh_token"])
    assert rows(postgres, REVOKED_AT, auth_client.client_id) == revoked
    assert times_logged(stack, auth_client, "refresh token reused") == 1
