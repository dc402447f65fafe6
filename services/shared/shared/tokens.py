"""Bearer tokens of `auth`: the signature by its keys, then introspection for revocation."""

import asyncio
import time
from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from shared.errors import Unavailable
from shared.http import Client, read
from shared.waits import TokenWaits, whole_s

ALGORITHMS = ["ES256"]
# A header is untrusted, and joserfc lets Python's own errors through, e.g. for {"crit": 1}.
MALFORMED = (JoseError, ValueError, TypeError, KeyError, AttributeError)


class InvalidToken(Exception):  # noqa: N818 - RFC 6750's own word, invalid_token
    """No token, or not a valid one: answer 401 with `WWW-Authenticate`."""


class InsufficientScope(Exception):  # noqa: N818 - RFC 6750's own word, insufficient_scope
    """The token is valid and does not reach that far: answer 403."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"the scope {scope} is needed")
        self.scope = scope


@dataclass(frozen=True)
class Claims:
    """What a verified access token says."""

    subject: str
    client_id: str
    scopes: frozenset[str]
    tenant: str
    tier: str
    expires_at: int
    token: str

    def require(self, scope: str) -> None:
        """Raise `InsufficientScope` unless the token has `scope`."""
        if scope not in self.scopes:
            raise InsufficientScope(scope)


def bearer(authorization: str | None) -> str:
    """Return the token in an `Authorization` header; raise `InvalidToken` when it holds none."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidToken("a bearer token is needed")
    return token.strip()


class Verifier:
    """Verifies access tokens made for one audience; raises `InvalidToken` or `Unavailable`."""

    def __init__(
        self,
        auth: Client,
        waits: TokenWaits,
        *,
        issuer: str,
        audience: str,
        client_id: str,
        client_secret: str,
    ) -> None:
        self.auth = auth
        self.waits = waits
        self.credentials = (client_id, client_secret)
        self.rules = jwt.JWTClaimsRegistry(
            # The clocks of two machines differ: a token that was made this moment may come from the
            # future. One that has expired gains nothing by it: introspection goes by auth's clock.
            leeway=whole_s(waits.leeway_s),
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
            client_id={"essential": True},
        )
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._fetching: asyncio.Task[KeySet] | None = None

    async def verify(self, token: str) -> Claims:
        """Return the claims of a token that is genuine, not expired and not revoked."""
        claims = self._decode(token, await self._key_set(since=0.0))
        if claims is None:  # signed by a key that came after ours
            since = time.monotonic() - self.waits.keys_every_s
            claims = self._decode(token, await self._key_set(since))
        if claims is None:
            raise InvalidToken("the token is signed by an unknown key")
        reply = await self.auth.request(
            "POST", "/introspect", data={"token": token}, auth=self.credentials, repeatable=True
        )
        if reply.status_code != 200:
            raise Unavailable("auth", f"introspection answered {reply.status_code}")
        if read("auth", reply, lambda told: told.get("active")) is not True:
            raise InvalidToken("the token is revoked or expired")
        return claims

    def _decode(self, token: str, keys: KeySet) -> Claims | None:
        try:
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            self.rules.validate(decoded.claims)
        except InvalidKeyIdError:
            return None
        except MALFORMED as error:
            raise InvalidToken(f"the token is not valid: {error}") from error
        if decoded.header.get("typ") != "at+jwt":
            raise InvalidToken("the token is not an access token")
        said = decoded.claims
        return Claims(
            subject=said["sub"],
            client_id=said["client_id"],
            scopes=frozenset(said.get("scope", "").split()),
            tenant=said.get("tenant", ""),
            tier=said.get("tier", "free"),
            expires_at=said["exp"],
            token=token,
        )

    async def _key_set(self, since: float) -> KeySet:
        if self._keys is not None and self._fetched_at >= since:
            return self._keys
        # One fetch at a time, and not too often, however many unknown keys are presented.
        # Who comes meanwhile shares its end: one by one they would wait longer than they may.
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(self._fetched)
        return await asyncio.shield(self._fetching)

    async def _fetch(self) -> KeySet:
        reply = await self.auth.request("GET", "/jwks")
        if reply.status_code != 200:
            raise Unavailable("auth", f"the key set answered {reply.status_code}")
        self._keys = read("auth", reply, KeySet.import_key_set)
        self._fetched_at = time.monotonic()
        return self._keys

    def _fetched(self, task: asyncio.Task[KeySet]) -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()  # heard of, also where all who waited have left
