"""Errors as the caller sees them: RFC 9457 problem details."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared import tracing
from shared.errors import Unavailable
from shared.tokens import InsufficientScope, InvalidToken

_DOCUMENTED = {
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "code"],
                "properties": {
                    "type": {"type": "string", "format": "uri"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                },
            }
        }
    }
}
# What each operation may answer besides what it is for, for the OpenAPI document.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "The request is refused", **_DOCUMENTED},
    503: {"description": "Something that it needs is away", **_DOCUMENTED},
}


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """A request is refused; `code` is the stable part, `detail` is for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers
        self.more = more

    def reply(self) -> JSONResponse:
        """Return the answer that tells it."""
        body = {
            "type": f"urn:problem:{self.code}",
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.more,
        }
        return JSONResponse(
            body, self.status, headers=self.headers, media_type="application/problem+json"
        )


def install(app: FastAPI) -> None:
    """Give `app` one handler for each kind of error."""
    log = logging.getLogger(f"{app.title}.problems")

    @app.exception_handler(Problem)
    async def refused(_: Request, error: Problem) -> JSONResponse:
        return error.reply()

    @app.exception_handler(InvalidToken)
    async def unauthorized(_: Request, error: InvalidToken) -> JSONResponse:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        return Problem(401, "invalid_token", str(error), challenge).reply()

    @app.exception_handler(InsufficientScope)
    async def forbidden(_: Request, error: InsufficientScope) -> JSONResponse:
        challenge = {
            "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{error.scope}"'
        }
        return Problem(403, "insufficient_scope", str(error), challenge).reply()

    @app.exception_handler(Unavailable)
    async def unavailable(_: Request, error: Unavailable) -> JSONResponse:
        # The reason names hosts and statements: it is for the log only.
        log.warning("unavailable", extra={"what": error.what, "reason": error.reason})
        tracing.failed(error)
        detail = f"{error.what} did not answer in time; try again in {error.retry_after_s} s"
        headers = {"Retry-After": str(error.retry_after_s)}
        return Problem(503, "unavailable", detail, headers).reply()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        wrong = [{"where": e["loc"], "what": e["msg"]} for e in jsonable_encoder(error.errors())]
        detail = "; ".join(f"{'.'.join(map(str, e['where']))}: {e['what']}" for e in wrong)
        return Problem(422, "invalid_request", detail, errors=wrong).reply()

    @app.exception_handler(HTTPException)
    async def other(_: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        headers = dict(error.headers) if error.headers else None
        return Problem(error.status_code, code, str(error.detail), headers).reply()

    @app.exception_handler(Exception)
    async def broken(_: Request, error: Exception) -> JSONResponse:
        # uvicorn logs it with its trace, which is nobody else's business.
        return Problem(500, "internal_error", "the service is at fault").reply()
