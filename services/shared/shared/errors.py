"""The one error that every service translates in the same way: something it needs is away."""


class Unavailable(Exception):  # noqa: N818 - named for what the caller is told
    """A dependency did not answer in time; the caller should answer 503 with Retry-After."""

    def __init__(self, what: str, reason: str, retry_after_s: int = 1) -> None:
        self.what = what
        self.reason = reason
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.what} is unavailable: {self.reason}"
