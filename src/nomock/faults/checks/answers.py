"""What an answer of the system under test says, whichever client brought it."""

from __future__ import annotations

from typing import Any

_MOST_OF_A_BODY = 200


def status_of(answer: object) -> int | None:
    """Return the status of an HTTP response, or of an error that carries one; else None."""
    response = getattr(answer, "response", None) if isinstance(answer, Exception) else answer
    status = getattr(response, "status_code", None)
    return status if isinstance(status, int) else None


def is_good(answer: object) -> bool:
    """Tell whether it says yes: 2xx of an HTTP response, which is truthy whatever it says."""
    if isinstance(answer, BaseException):
        return False
    status = status_of(answer)
    return bool(answer) if status is None else 200 <= status < 300


def described(answer: object) -> str:
    """Return it in one line: ``GET http://…/health: 503 {"code": …}``, or an error's own words."""
    if isinstance(answer, BaseException):
        text = f"{type(answer).__name__}: {answer}".removesuffix(": ")
    elif (status := status_of(answer)) is not None:
        text = str(status) if is_good(answer) else f"{status} {_body(answer)}".strip()
    else:
        text = repr(answer)
    return f"{_asked(answer)}{' '.join(text.split())[:_MOST_OF_A_BODY]}"


def _asked(answer: Any) -> str:
    try:
        return f"{answer.request.method} {answer.request.url}: "
    except (AttributeError, RuntimeError):  # httpx's, where an answer came without a request
        return ""


def _body(answer: Any) -> str:
    try:
        return str(answer.text)
    except Exception:  # a body that was streamed, or is no text: the status has to do
        return ""
