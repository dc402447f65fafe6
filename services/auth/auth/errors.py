"""Every error as the JSON of RFC 6749, and never a trace to the caller."""

import logging

import psycopg
from shared import tracing
from shared.errors import Unavailable
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

log = logging.getLogger("auth")


class OAuthError(Exception):
    """An error with the code of its RFC; `status` is the HTTP status that goes with it."""

    def __init__(
        self, code: str, description: str, status: int = 400, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status
        self.headers = headers


def reply(error: OAuthError) -> Response:
    """Return the error as a response that no cache keeps."""
    body = {"error": error.code, "error_description": error.description}
    headers = {"Cache-Control": "no-store", **(error.headers or {})}
    return JSONResponse(body, status_code=error.status, headers=headers)


async def handle(request: Request, error: Exception) -> Response:
    """Translate whatever a handler raised."""
    match error:
        case OAuthError():
            return reply(error)
        case Unavailable():
            # Fails closed: without the stores no limit and no single use can be kept.
            log.warning("unavailable", extra={"what": error.what, "reason": error.reason})
            tracing.failed(error)
            retry = {"Retry-After": str(error.retry_after_s)}
            description = f"{error.what} does not answer"
            return reply(OAuthError("temporarily_unavailable", description, 503, retry))
        case psycopg.DataError() | psycopg.IntegrityError():
            # A NUL byte, which no text column holds; a client or user deleted a moment ago.
            return reply(OAuthError("invalid_request", "a value cannot be stored"))
        case HTTPException():
            headers = dict(error.headers or {})
            return reply(OAuthError("invalid_request", error.detail, error.status_code, headers))
        case _:
            return reply(OAuthError("server_error", "the request could not be served", 500))


HANDLERS = dict.fromkeys(
    (OAuthError, Unavailable, psycopg.DataError, psycopg.IntegrityError, HTTPException, 500), handle
)
