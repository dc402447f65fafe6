"""The signing key, kept in the database so that a restart keeps tokens valid."""

from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from psycopg.types.json import Jsonb
from shared.database import Pool, connection

ALGORITHM = "ES256"
# A header is untrusted, and joserfc lets Python's own errors through, e.g. for {"crit": 1}.
MALFORMED = (JoseError, ValueError, TypeError, KeyError, AttributeError)
# Two processes that start at once must agree on one key; the number is this lock's name.
LOCK = 7_207_002


class Signer:
    """Signs and reads access tokens; the key is loaded, or made, when it is first needed."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._key: ECKey | None = None

    async def key(self) -> ECKey:
        """Return the key of this issuer."""
        if self._key is None:
            async with connection(self.pool) as conn:
                await conn.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
                found = await conn.execute(
                    "SELECT jwk FROM auth.signing_keys ORDER BY created_at DESC LIMIT 1"
                )
                if row := await found.fetchone():
                    self._key = ECKey.import_key(row["jwk"])
                else:
                    key = ECKey.generate_key("P-256", auto_kid=True)
                    await conn.execute(
                        "INSERT INTO auth.signing_keys (kid, jwk) VALUES (%s, %s)",
                        [key.kid, Jsonb(key.as_dict(private=True))],
                    )
                    self._key = key
        return self._key

    async def sign(self, claims: Mapping[str, Any]) -> str:
        """Return `claims` as a signed access token (RFC 9068)."""
        key = await self.key()
        header = {"alg": ALGORITHM, "typ": "at+jwt", "kid": key.kid}
        return jwt.encode(header, dict(claims), key, algorithms=[ALGORITHM])

    async def read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that we signed, expired or not; None for any other."""
        try:
            return jwt.decode(token, await self.key(), algorithms=[ALGORITHM]).claims
        except MALFORMED:
            return None

    async def public(self) -> dict[str, Any]:
        """Return the key set for the public (RFC 7517)."""
        key = await self.key()
        return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}]}
