"""The page of one's instances, without a browser: who is let in, and what browsers are told."""

import base64
import hashlib
import re
from collections.abc import Callable
from http.cookies import Morsel, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from helpers.orders import Orders

from nomock import Stack

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
    gone, broken, runs = (
        orders.running(unique_name()),
        orders.placed(unique_name(), "broken"),
        orders.running(unique_name()),
    )
    orders.reach(broken["id"], "failed")
    orders.give_back(gone["id"])
    orders.reach(gone["id"], "deprovisioned")
    text = shown(stack, token).text
    assert re.findall(r'action="/ui/instances/([^/]+)/give-back"', text) == [runs["id"]]
    assert "failed: no rack has room for another broken" in text


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
