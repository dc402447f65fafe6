"""A client and a user of the authorization server, as a program and a person would act."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

REDIRECT_URI = "https://client.example/callback"
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Pkce:
    """A code verifier and its S256 challenge (RFC 7636)."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        hashed = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


@dataclass(frozen=True)
class User:
    """Who can log in."""

    username: str
    user_id: str
    tenant_id: str
    password: str = PASSWORD


def redirected(reply: httpx.Response) -> dict[str, str]:
    """Return the parameters that a redirect carries back to the client."""
    assert reply.status_code == 302, reply.text
    query = parse_qs(urlsplit(reply.headers["location"]).query, keep_blank_values=True)
    return {name: values[0] for name, values in query.items()}


def refusal(reply: httpx.Response) -> tuple[int, str]:
    """Return the status and the error code of an answer; the code is "" when it is no error."""
    if not reply.headers.get("content-type", "").startswith("application/json"):
        return reply.status_code, ""
    body = reply.json()
    assert body.get("error_description") or "error" not in body, body
    return reply.status_code, body.get("error", "")


def claims_of(token: str, part: int = 1) -> dict[str, Any]:
    """Return what a JWT says (part 1) or its header (part 0), without verifying it."""
    encoded = token.split(".")[part]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(encoded + "=" * 3))
    return decoded


class AuthClient:
    """A registered OAuth client.

    `service` is `stack["auth"]`: it is asked for its HTTP client at each request, since its port
    changes when it is started again.
    """

    def __init__(self, service: Any, registration: dict[str, Any]) -> None:
        self.service = service
        self.registration = registration
        self.client_id: str = registration["client_id"]
        self.secret: str | None = registration.get("client_secret")

    @classmethod
    def register(cls, service: Any, client_name: str, **metadata: Any) -> "AuthClient":
        """Register a client; a public one with both grants unless `metadata` says otherwise."""
        asked = {
            "client_name": client_name,
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
            **metadata,
        }
        reply = service.http.post("/register", json=asked)
        assert reply.status_code == 201, reply.text
        return cls(service, reply.json())

    @property
    def registration_headers(self) -> dict[str, str]:
        """The header that manages the registration (RFC 7592)."""
        return {"Authorization": f"Bearer {self.registration['registration_access_token']}"}

    def manage(self, method: str, **kwargs: Any) -> httpx.Response:
        """Read, replace or delete the registration."""
        path = f"/register/{self.client_id}"
        kwargs.setdefault("headers", self.registration_headers)
        reply: httpx.Response = self.service.http.request(method, path, **kwargs)
        return reply

    def request(self, pkce: Pkce, **changes: str | None) -> dict[str, str]:
        """Return the parameters of an authorization request; None removes one."""
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "state": "a state",
            "code_challenge": pkce.challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def log_in(self, user: User, pkce: Pkce, **changes: str | None) -> httpx.Response:
        """Send the login form of `user`."""
        form = {"username": user.username, "password": user.password}
        reply: httpx.Response = self.service.http.post(
            "/authorize", data=self.request(pkce, **changes) | form
        )
        return reply

    def code(self, user: User, pkce: Pkce, **changes: str | None) -> str:
        """Return an authorization code."""
        return redirected(self.log_in(user, pkce, **changes))["code"]

    def post(self, path: str, **form: str | None) -> httpx.Response:
        """Send a form as this client, authenticated in the way it registered; None removes."""
        given = {"client_id": self.client_id} if self.secret is None else {}
        data = {name: value for name, value in (given | form).items() if value is not None}
        auth = None if self.secret is None else (self.client_id, self.secret)
        reply: httpx.Response = self.service.http.post(path, data=data, auth=auth)
        return reply

    def redeem(self, code: str, pkce: Pkce, **changes: str | None) -> httpx.Response:
        """Exchange a code for tokens."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": pkce.verifier,
        }
        return self.post("/token", **(form | changes))

    def refresh(self, refresh_token: str, **changes: str | None) -> httpx.Response:
        """Exchange a refresh token for a new pair."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.post("/token", **(form | changes))

    def tokens(self, user: User, **changes: str | None) -> dict[str, Any]:
        """Return the token response for a user who logs in and consents."""
        pkce = Pkce()
        reply = self.redeem(self.code(user, pkce, **changes), pkce)
        assert reply.status_code == 200, reply.text
        issued: dict[str, Any] = reply.json()
        return issued

    def is_active(self, token: str) -> bool:
        """Return what introspection says; for a confidential client."""
        reply = self.post("/introspect", token=token)
        assert reply.status_code == 200, reply.text
        active: bool = reply.json()["active"]
        return active


@dataclass(frozen=True)
class Tenant:
    """A tenant with one user, and the client through which that user gets tokens."""

    name: str
    tier: str
    user: User
    client: AuthClient
    token: str

    @property
    def tenant_id(self) -> str:
        return self.user.tenant_id

    @property
    def headers(self) -> dict[str, str]:
        """The header that shows the tenant's token to `instances`."""
        return {"Authorization": f"Bearer {self.token}"}

    def new_token(self, **changes: str | None) -> str:
        """Return another access token, e.g. of `resource="mcp"` or a narrower `scope`."""
        token: str = self.client.tokens(self.user, **changes)["access_token"]
        return token
