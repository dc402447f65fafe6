"""The page of one's instances, without a browser: who is let in, and what browsers are told."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from helpers.oauth import User, claims_of, redirected
from helpers.orders import Orders

from nomock import Faults, Postgres, Stack

PAGE = "/ui"
LOGIN_MAX_S = "600"


def cookie(reply: httpx.Response, name: str) -> Morsel[str]:
    """Return a cookie that an answer sets."""
    found: SimpleCookie = SimpleCookie()
    for header in reply.headers.get_list("set-cookie"):
        found.load(header)
    return found[name]


def shown(stack: Stack, token: str, **request: Any) -> httpx.Response:
    """Ask for the page as a browser does that has a token."""
    headers = {"Cookie": f"token={token}"}
    reply: httpx.Response = stack["instances"].http.get(PAGE, headers=headers, **request)
    return reply


def test_login_should_begin_with_a_secret_of_this_browser_when_nobody_is_logged_in(
    stack: Stack,
) -> None:
    reply = stack["instances"].http.get(PAGE)
    assert reply.status_code == 303
    target = urlsplit(reply.headers["location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == "http://auth:8000/authorize"
    asked = {name: value for name, [value] in parse_qs(target.query).items()}
    kept = cookie(reply, "login")
    state, _, verifier = kept.value.partition(".")
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    assert asked == {
        "response_type": "code",
        "client_id": asked["client_id"],
        "redirect_uri": "http://instances:8000/ui/callback",
        "state": state,
        "code_challenge": hashed.decode().rstrip("="),
        "code_challenge_method": "S256",
        "scope": "instances:read instances:write",
        "resource": "instances",
    }
    assert (len(state), len(verifier)) == (22, 64)  # 128 and 384 random bits
    assert (kept["path"], kept["max-age"], kept["samesite"]) == (PAGE, LOGIN_MAX_S, "lax")
    assert (kept["httponly"], kept["secure"]) == (True, "")  # the page is at http


@dataclass(frozen=True)
class SentBack:
    """What a browser has once auth has sent its user back: a cookie, and where to."""

    stack: Stack
    pending: str
    told: dict[str, str]

    def callback(self, cookies: str | None = None, **changes: str | None) -> httpx.Response:
        """Follow the redirect; ``None`` leaves out what auth told."""
        told = {**self.told, **changes}
        reply: httpx.Response = self.stack["instances"].http.get(
            f"{PAGE}/callback",
            params={name: value for name, value in told.items() if value is not None},
            headers={"Cookie": f"login={self.pending}" if cookies is None else cookies},
        )
        return reply


@pytest.fixture
def sent_back(stack: Stack, user: User) -> SentBack:
    """Return what a browser has whose user has logged in at auth."""
    begun = stack["instances"].http.get(PAGE)
    asked = dict(parse_qsl(urlsplit(begun.headers["location"]).query))
    form = {**asked, "username": user.username, "password": user.password}
    back = stack["auth"].http.post("/authorize", data=form)
    return SentBack(stack, cookie(begun, "login").value, redirected(back))


def test_login_should_end_with_a_token_for_this_page_when_auth_sends_the_user_back(
    stack: Stack, sent_back: SentBack
) -> None:
    reply = sent_back.callback()
    assert (reply.status_code, reply.headers["location"]) == (303, "http://instances:8000/ui")
    kept, pending = cookie(reply, "token"), cookie(reply, "login")
    claims = claims_of(kept.value)
    assert (claims["aud"], claims["scope"]) == ("instances", "instances:read instances:write")
    assert kept["max-age"] == str(claims["exp"] - claims["iat"])
    assert (kept["path"], kept["samesite"]) == (PAGE, "lax")
    assert (kept["httponly"], kept["secure"]) == (True, "")
    assert (pending.value, pending["path"], pending["max-age"]) == ("", PAGE, "0")
    assert shown(stack, kept.value).status_code == 200


def test_login_should_be_told_to_come_back_when_auth_answers_nonsense(
    sent_back: SentBack, faults: Faults
) -> None:
    with faults.http_status("instances->auth", 200, body="<html>", path="/token"):
        reply = sent_back.callback()
    assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
    assert reply.json()["detail"].startswith("auth did not answer")


@pytest.mark.parametrize(
    ("cookies", "changes"),
    [
        ("", {}),
        ("login=", {"state": ""}),
        ("login=.verifier", {"state": ""}),
        (None, {"state": "another"}),
        (None, {"state": None}),
        (None, {"iss": "http://elsewhere:8000"}),
        (None, {"code": None, "error": "access_denied"}),
    ],
    ids=["no cookie", "empty", "no state", "another's", "none told", "another server", "refused"],
)
def test_login_should_be_refused_when_it_was_not_begun_by_this_browser_or_did_not_end_well(
    sent_back: SentBack, cookies: str | None, changes: dict[str, str | None]
) -> None:
    reply = sent_back.callback(cookies, **changes)
    problem = reply.json()
    assert (reply.status_code, problem["code"]) == (400, "login_failed")
    assert problem["detail"] == "this login was not begun here, or was refused"


def test_login_should_be_refused_when_the_code_is_not_good(sent_back: SentBack) -> None:
    for changes in ({"code": "guessed"}, {}, {}):
        reply = sent_back.callback(**changes)
    problem = reply.json()
    assert (reply.status_code, problem["code"]) == (400, "login_failed")
    assert problem["detail"] == "the code is unknown, expired or used"


@pytest.mark.parametrize("token", ["", "no token", "a.b.c"])
def test_page_should_send_to_the_login_when_the_token_is_no_good(stack: Stack, token: str) -> None:
    reply = shown(stack, token)
    assert reply.status_code == 303
    assert reply.headers["location"].startswith("http://auth:8000/authorize?")


def test_page_should_be_closed_to_frames_scripts_and_caches_when_it_is_shown(
    stack: Stack, orders: Orders
) -> None:
    reply = shown(stack, orders.tenant.new_token(resource="instances"))
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["referrer-policy"] == "same-origin"
    style = re.search(r"<style>(.*?)</style>", reply.text, re.DOTALL)
    assert style is not None
    hashed = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert reply.headers["content-security-policy"].split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{hashed}'",
        "form-action 'self' http://auth:8000",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]


def test_page_should_offer_to_give_back_when_an_instance_is_still_there(
    stack: Stack, orders: Orders, unique_name: Callable[[], str]
) -> None:
    token = orders.tenant.new_token(resource="instances")
    gone = orders.running(unique_name())
    orders.reach(orders.placed(unique_name(), "broken")["id"], "failed")
    runs = orders.running(unique_name())
    orders.give_back(gone["id"])
    orders.reach(gone["id"], "deprovisioned")
    text = shown(stack, token).text
    assert re.findall(r'action="/ui/instances/([^/]+)/give-back"', text) == [runs["id"]]
    assert text.count('</tr><tr><th scope="row">') == 2
    assert "failed: no rack has room for another broken" in text


def test_page_should_offer_to_give_back_when_the_state_is_one_of_those_that_live(
    stack: Stack, orders: Orders, postgres: Postgres, unique_name: Callable[[], str]
) -> None:
    live = {"requested": True, "provisioning": True, "running": True}
    states = live | {"failed": False, "deprovisioning": False, "deprovisioned": False}
    names = {state: unique_name() for state in states}
    orders.insert(postgres, *((name, state) for state, name in names.items()))
    text = shown(stack, orders.tenant.token).text
    offered = {state: f'aria-label="Give back {name}"' in text for state, name in names.items()}
    assert offered == states
    assert text.count("<td></td>") == 3


def test_page_should_have_an_end_when_there_are_more_instances(
    stack: Stack, orders: Orders, postgres: Postgres, unique_name: Callable[[], str]
) -> None:
    orders.insert(postgres, *[(unique_name(), "deprovisioned")] * 201)
    assert shown(stack, orders.tenant.token).text.count('<th scope="row">') == 200


def test_page_should_be_for_those_who_may_read_when_a_token_has_other_scopes(
    stack: Stack, orders: Orders
) -> None:
    token = orders.tenant.new_token(resource="instances", scope="instances:write")
    reply = shown(stack, token)
    assert (reply.status_code, reply.json()["code"]) == (403, "insufficient_scope")


def test_form_should_be_refused_by_name_when_it_is_of_another_page(
    stack: Stack, orders: Orders, unique_name: Callable[[], str]
) -> None:
    ordered = orders.placed(unique_name())
    token = orders.tenant.new_token(resource="instances")
    path = f"/ui/instances/{ordered['id']}/give-back"
    for origin in ({"Origin": "http://elsewhere:8000"}, {}):
        headers = {"Cookie": f"token={token}", **origin}
        reply = stack["instances"].http.post(path, headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (403, "another_origin")
