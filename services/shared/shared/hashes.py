"""What the database keeps of a secret that was made at random."""

import hashlib
import hmac


def digest(secret: str) -> str:
    """Return the SHA-256 of a random secret; 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, hashed: str) -> bool:
    """Return whether `hashed` is the digest of `secret`, in constant time."""
    return hmac.compare_digest(digest(secret), hashed)
