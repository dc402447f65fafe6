"""Logging in by a browser: the authorization code flow of `auth`, with PKCE.

There is no store of sessions. What a login needs until its code comes, and the access token after
that, are cookies that no script can read; the token ends by itself, as every token of `auth` does.
"""

import base64
import hashlib
import hmac
import secrets
from operator import itemgetter
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from shared.errors import Unavailable
from shared.http import Client, read
from shared.problems import Problem

TOKEN, PENDING = "token", "login"
# A user who takes longer begins again.
PENDING_S = 600


class Login:
    """The OAuth client of the page."""

    def __init__(self, auth: Client, issuer: str, page_url: str, credentials: tuple[str, str]):
        self.auth = auth
        # Also where a browser finds `auth`: it knows the services by the names that they have.
        self.issuer = issuer
        self.page_url = page_url
        self.credentials = credentials

    @property
    def callback_url(self) -> str:
        """Where `auth` sends the user back to, as it is registered."""
        return f"{self.page_url}/callback"

    def begin(self) -> Response:
        """Send the user to `auth`."""
        state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
        hashed = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.credentials[0],
            "redirect_uri": self.callback_url,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(hashed).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "scope": "instances:read instances:write",
            "resource": "instances",
        }
        reply = RedirectResponse(f"{self.issuer}/authorize?{urlencode(asked)}", 303)
        self._keep(reply, PENDING, f"{state}.{verifier}", PENDING_S)
        return reply

    async def end(self, request: Request) -> Response:
        """Take the code that `auth` sent the user back with; raises `Problem` login_failed."""
        told = request.query_params
        state, _, verifier = request.cookies.get(PENDING, "").partition(".")
        # Else somebody could log a user in as another one: RFC 9700, 4.7; RFC 9207.
        is_ours = state and hmac.compare_digest(state.encode(), told.get("state", "").encode())
        if not is_ours or told.get("iss") != self.issuer or "code" not in told:
            raise Problem(400, "login_failed", "this login was not begun here, or was refused")
        form = {
            "grant_type": "authorization_code",
            "code": told["code"],
            "redirect_uri": self.callback_url,
            "code_verifier": verifier,
        }
        reply = await self.auth.request("POST", "/token", data=form, auth=self.credentials)
        if reply.is_server_error:
            raise Unavailable("auth", f"the code was answered {reply.status_code}")
        if reply.is_error:
            raise Problem(400, "login_failed", "the code is unknown, expired or used")
        token, lasts_s = read("auth", reply, itemgetter("access_token", "expires_in"))
        answer = RedirectResponse(self.page_url, 303)
        answer.delete_cookie(PENDING, path=self._path)
        self._keep(answer, TOKEN, token, lasts_s)
        return answer

    @property
    def _path(self) -> str:
        return "/" + self.page_url.split("/", 3)[3]

    def _keep(self, reply: Response, name: str, value: str, lasts_s: int) -> None:
        # Lax: with no request that another site's form makes, but when `auth` sends the user back.
        is_https = self.page_url.startswith("https:")
        reply.set_cookie(
            name,
            value,
            max_age=lasts_s,
            path=self._path,
            secure=is_https,
            httponly=True,
            samesite="lax",
        )
