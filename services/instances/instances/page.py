"""The page of one's instances: HTML without a script, for people."""

import base64
import hashlib
from html import escape
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Cookie, Depends, Header, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from shared import tenants
from shared.problems import Problem
from shared.tenants import Caller, Requires
from shared.tokens import InvalidToken

from instances import orders
from instances.login import TOKEN, Login
from instances.orders import Instance

MOST = 200
LIVE = ("requested", "provisioning", "running")

STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } caption { text-align: left }
th, td { text-align: left; padding: .5rem; border-bottom: 1px solid #767676 }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Instances</title>
<meta name="viewport" content="width=device-width"><style>{style}</style></head>
<body><main><h1>Instances</h1>{content}<p><a href="/ui">Look again</a></p></main></body></html>
"""
TABLE = """<table><caption>The newest first</caption><thead><tr><th scope="col">Name</th>
<th scope="col">Size</th><th scope="col">State</th><th scope="col">Change</th></tr></thead>
<tbody>{rows}</tbody></table>"""
ROW = """<tr><th scope="row">{name}</th><td>{size}</td><td>{state}</td><td>{change}</td></tr>"""
GIVE_BACK = """<form method="post" action="/ui/instances/{id}/give-back">
<button aria-label="Give back {name}">Give back</button></form>"""

router = APIRouter(prefix="/ui", include_in_schema=False)


def headers(issuer: str) -> dict[str, str]:
    """Return what keeps scripts, frames and other people's forms off the page."""
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            # A form may end at `auth`: the user may have to log in again.
            f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self' {issuer};"
            " frame-ancestors 'none'; base-uri 'none'"
        ),
        "Referrer-Policy": "same-origin",
    }


class LoggedOutError(Exception):
    """The browser shows no token that is good: the user has to log in."""


class LoggedIn:
    """Dependency: the caller whose token is in the cookie, with `scope`."""

    def __init__(self, scope: str) -> None:
        self.requires = Requires(scope)

    async def __call__(
        self, request: Request, token: Annotated[str | None, Cookie(alias=TOKEN)] = None
    ) -> Caller:
        if token is None:
            raise LoggedOutError
        try:
            return await self.requires(request, f"Bearer {token}")
        except InvalidToken as error:  # mostly one that has expired
            raise LoggedOutError from error


Reader = Annotated[Caller, Depends(LoggedIn("instances:read"))]
Writer = Annotated[Caller, Depends(LoggedIn("instances:write"))]


def html(instances: list[Instance]) -> str:
    """Return the page."""
    rows = "".join(map(_row, instances))
    content = TABLE.format(rows=rows) if rows else "<p>You have no instances.</p>"
    return PAGE.format(style=STYLE, content=content)


def _row(instance: Instance) -> str:
    name = escape(instance.name)
    is_live = instance.state in LIVE
    change = GIVE_BACK.format(id=instance.id, name=name) if is_live else ""
    state = instance.state
    if instance.failure_reason:
        state = f"{state}: {escape(instance.failure_reason)}"
    return ROW.format(name=name, size=escape(instance.size), state=state, change=change)


@router.get("")
async def show(caller: Reader, request: Request) -> Response:
    """Show the tenant's instances."""
    async with tenants.transaction(caller.pool, caller.tenant) as conn:
        found = await orders.find_all(conn, None, MOST)
    return HTMLResponse(html(found), headers=headers(request.app.state.login.issuer))


@router.get("/callback")
async def log_in(request: Request) -> Response:
    """Take the user whom `auth` sends back."""
    login: Login = request.app.state.login
    return await login.end(request)


@router.post("/instances/{instance_id}/give-back")
async def give_back(
    instance_id: UUID, caller: Writer, request: Request, origin: Annotated[str, Header()] = ""
) -> Response:
    """Give an instance back, and show the page again."""
    # SameSite says the same, but not of another port of this host.
    if origin != f"{request.url.scheme}://{request.url.netloc}":
        raise Problem(403, "another_origin", "this form is of another page")
    async with tenants.transaction(caller.pool, caller.tenant) as conn:
        await orders.give_back(conn, instance_id)
    return RedirectResponse("/ui", 303)
