"""Who calls: tokens of `auth` for this server, swapped for tokens that `instances` accepts."""

import time
from collections import OrderedDict
from operator import itemgetter
from typing import NamedTuple

from mcp.server.auth.provider import AccessToken
from shared.errors import Unavailable
from shared.http import Client, read
from shared.tokens import InvalidToken, Verifier
from shared.waits import TokenWaits

_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


class BearerTokens:
    """The SDK's `TokenVerifier` over the services' own; an absent `auth` stays `Unavailable`."""

    def __init__(self, verifier: Verifier, issuer: str) -> None:
        self.verifier = verifier
        self.issuer = issuer

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what the token says, None when it is not valid here."""
        try:
            claims = await self.verifier.verify(token)
        except InvalidToken:
            return None
        # Client, issuer and subject are what the SDK binds a session to.
        return AccessToken(
            token=token,
            client_id=claims.client_id,
            scopes=sorted(claims.scopes),
            expires_at=claims.expires_at,
            subject=claims.subject,
            claims={"iss": self.issuer, "tenant": claims.tenant},
        )


class ExchangeRefused(Exception):  # noqa: N818 - named for what auth did
    """`auth` does not give a token for `instances`; the text is its error_description."""


class _Exchanged(NamedTuple):
    token: str
    expires_at: float


class TokenExchange:
    """Swaps a caller's token for one with another audience (RFC 8693).

    A caller's token is never passed on: `instances` would have to accept tokens made for this
    server. Answers are kept until shortly before they expire, at most `limit` of them; the
    caller's own token is introspected on every request, so a revoked one gets nothing from here.
    """

    def __init__(
        self,
        auth: Client,
        waits: TokenWaits,
        *,
        audience: str,
        credentials: tuple[str, str],
        limit: int = 1000,
    ) -> None:
        self.auth = auth
        self.waits = waits
        self.audience = audience
        self.credentials = credentials
        self.limit = limit
        self._kept: OrderedDict[str, _Exchanged] = OrderedDict()

    async def token_for(self, subject_token: str) -> str:
        """Return a token of the same user for the audience; raise `ExchangeRefused`."""
        kept = self._kept.get(subject_token)
        if kept is None or kept.expires_at <= time.monotonic():
            kept = await self._exchange(subject_token)
            self._kept[subject_token] = kept
            while len(self._kept) > self.limit:
                self._kept.popitem(last=False)
        return kept.token

    def forget(self, subject_token: str) -> None:
        """Drop what is kept for a token, as when `instances` no longer accepts the answer."""
        self._kept.pop(subject_token, None)

    async def _exchange(self, subject_token: str) -> _Exchanged:
        form = {
            "grant_type": _GRANT,
            "subject_token": subject_token,
            "subject_token_type": _ACCESS_TOKEN,
            "audience": self.audience,
        }
        asked_at = time.monotonic()
        reply = await self.auth.request(
            "POST", "/token", data=form, auth=self.credentials, repeatable=True
        )
        if reply.status_code == 429:
            raise Unavailable("auth", "too many token exchanges")
        if reply.is_server_error:
            raise Unavailable("auth", f"the token exchange answered {reply.status_code}")
        if reply.status_code != 200:
            raise ExchangeRefused(
                read("auth", reply, lambda told: told.get("error_description") or told["error"])
            )
        token, lasts_s = read("auth", reply, itemgetter("access_token", "expires_in"))
        # Given up while it is good by every clock.
        return _Exchanged(token, asked_at + lasts_s - self.waits.leeway_s)
