"""Whether a webhook comes from the payment provider, by the Standard Webhooks specification.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping

from shared.problems import Problem

PREFIX = "whsec_"
# HMAC-SHA256; v1a, by public keys, is not ours.
VERSION = "v1"


class SecretError(Exception):
    """A secret of the settings is none."""


def secrets_of(setting: str) -> list[bytes]:
    """Return the keys in a setting: `whsec_` and base64 each, several while one is replaced.

    Raises SecretError, without the secret.
    """
    try:
        keys = [
            base64.b64decode(secret.removeprefix(PREFIX), validate=True)
            for secret in setting.split()
        ]
    except binascii.Error as error:
        raise SecretError(f"a secret of webhooks is not {PREFIX} and base64") from error
    # The specification's bounds; a short key could be guessed.
    if not keys or not all(24 <= len(key) <= 64 for key in keys):
        raise SecretError("a secret of webhooks has 24 to 64 bytes")
    return keys


def verify(
    headers: Mapping[str, str],
    body: bytes,
    keys: Iterable[bytes],
    tolerance_s: float,
    now: float,
) -> str:
    """Return the id of a webhook that the provider signed, and sent a moment ago.

    The id is signed, too, so that who sends one again cannot give it another. Raises `Problem`:
    invalid_signature, and only for who signed it old_timestamp.
    """
    event_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signed = b".".join((event_id.encode("latin-1"), sent_at.encode("latin-1"), body))
    expected = [hmac.digest(key, signed, "sha256") for key in keys]
    given = list(_given(headers.get("webhook-signature", "")))
    # All are compared, each in constant time: how long that takes tells nothing.
    equal = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in given]
    if not event_id or not sent_at or not any(equal):
        raise Problem(400, "invalid_signature", "the payment provider has not signed this")
    try:
        age_s = now - int(sent_at)
    except ValueError as error:
        raise Problem(400, "old_timestamp", "webhook-timestamp is no number") from error
    if abs(age_s) > tolerance_s:
        detail = f"webhook-timestamp differs by more than {tolerance_s:g} s"
        raise Problem(400, "old_timestamp", detail)
    return event_id


def _given(header: str) -> Iterable[bytes]:
    """Return the signatures of a header, in which a space stands between two."""
    for signature in header.split():
        version, _, encoded = signature.partition(",")
        if version == VERSION:
            try:
                yield base64.b64decode(encoded, validate=True)
            except ValueError:  # one that is no base64, or not ASCII
                continue
