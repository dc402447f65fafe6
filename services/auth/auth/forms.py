"""Form bodies and queries, in which RFC 6749 allows no parameter twice."""

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request

from auth.errors import OAuthError

FORM = "application/x-www-form-urlencoded"


def single(values: ImmutableMultiDict[str, object]) -> dict[str, str]:
    """Return the parameters; refuse one that is there twice or is not text."""
    pairs = [(name, value) for name, value in values.multi_items() if isinstance(value, str)]
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names) or len(pairs) < len(values.multi_items()):
        raise OAuthError("invalid_request", "a parameter is repeated or is not text")
    return dict(pairs)


async def read(request: Request) -> dict[str, str]:
    """Return the parameters of a form body."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise OAuthError("invalid_request", f"the body must be {FORM}")
    return single(await request.form())


def needed(form: dict[str, str], name: str) -> str:
    """Return the parameter `name`; refuse a request without it."""
    if not form.get(name):
        raise OAuthError("invalid_request", f"the parameter {name} is missing")
    return form[name]
