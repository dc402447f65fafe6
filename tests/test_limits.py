"""What auth counts and keeps for a while: how many times, and that everything there has an end."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from helpers.oauth import AuthClient, Pkce, User, claims_of
from helpers.orders import rows
from psycopg.types.json import Jsonb

from nomock import Postgres, Stack

Ask = Callable[[], httpx.Response]

KEYS = "SELECT kid, jwk FROM auth.signing_keys"

# Windows begin for all at the same moment: what began too late is asked anew, in the next one.
TRIES = 3


def in_one_window(stack: Stack, times: int, make: Callable[[], Ask]) -> list[int]:
    """Return the statuses of requests that were all counted in one window."""
    window_s = float(stack["auth"].config.environment["RATE_WINDOW_S"] or 0)
    for _ in range(TRIES):
        ask = make()
        began = time.time() // window_s
        statuses = [ask().status_code for _ in range(times)]
        if time.time() // window_s == began:
            return statuses
    raise AssertionError(f"{times} requests took longer than {window_s:g} s, {TRIES} times")


def test_login_should_be_tried_as_often_as_promised_when_passwords_are_guessed(
    stack: Stack, auth_client: AuthClient, unique_name: Callable[[], str]
) -> None:
    def make() -> Ask:
        nobody = User(unique_name(), "", "", password="a guess")
        return lambda: auth_client.log_in(nobody, Pkce())

    assert in_one_window(stack, 22, make) == [401] * 20 + [429] * 2


def test_tokens_should_be_asked_for_as_often_as_promised_when_a_client_never_stops(
    stack: Stack, make_client: Callable[..., AuthClient]
) -> None:
    def make() -> Ask:
        client = make_client()
        return lambda: client.refresh("never issued")

    assert in_one_window(stack, 62, make) == [400] * 60 + [429] * 2


def test_everything_in_redis_should_have_an_end_when_a_user_has_logged_in(
    stack: Stack, auth_client: AuthClient, user: User
) -> None:
    auth_client.code(user, Pkce())
    redis, settings = stack["redis"], stack["auth"].config.environment
    longest_s = {
        "code": float(settings["CODE_LIFETIME_S"] or 0),
        "rate": float(settings["RATE_WINDOW_S"] or 0),
    }
    keys = redis.exec("redis-cli", "--scan").split()
    assert {key.partition(":")[0] for key in keys} >= {"code", "rate"}
    left_ms = {key: int(redis.exec("redis-cli", "pttl", key)) for key in keys}
    kept = {key: ms for key, ms in left_ms.items() if ms != -2}  # -2: it has ended by now
    assert kept
    for key, ms in kept.items():
        assert 0 <= ms <= 1000 * longest_s[key.partition(":")[0]], key


@pytest.mark.serial("stack")
def test_key_should_be_made_once_and_be_kept_when_there_is_none(
    stack: Stack, postgres: Postgres, auth_client: AuthClient, user: User, undo: ExitStack
) -> None:
    auth = stack["auth"]

    def restart_with(keys: list[tuple[str, Any]]) -> None:
        with postgres.connect() as conn:
            conn.execute("DELETE FROM auth.signing_keys")
            for kid, jwk in keys:
                conn.execute("INSERT INTO auth.signing_keys VALUES (%s, %s)", [kid, Jsonb(jwk)])
        auth.restart()

    before = rows(postgres, KEYS)
    undo.callback(restart_with, before)  # other tests have tokens that it has signed
    restart_with([])
    (key,) = auth.http.get("/jwks").json()["keys"]
    ((kid, jwk),) = rows(postgres, KEYS)
    assert kid == key["kid"]
    assert kid not in {each for each, _ in before}
    assert (key["crv"], jwk["x"], jwk["y"]) == ("P-256", key["x"], key["y"])
    token = auth_client.tokens(user)["access_token"]
    # Who has known only the keys before learns of this one.
    bearer = {"Authorization": f"Bearer {token}"}
    assert stack["instances"].http.get("/instances", headers=bearer).status_code == 200
    auth.restart()
    assert auth.http.get("/jwks").json()["keys"] == [key]
    again = auth_client.tokens(user)["access_token"]
    assert [claims_of(each, part=0)["kid"] for each in (token, again)] == [kid, kid]
