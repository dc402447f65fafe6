"""The application: settings, stores and the endpoints."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from shared import database, logs, settings, tracing
from shared.middleware import RequestLog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from auth import authorize, clients, document, errors, forms, grants, users
from auth.errors import OAuthError
from auth.limits import Limits
from auth.signing import Signer
from auth.tokens import Tokens
from auth.waits import Waits

logs.configure("auth")

ISSUER = settings.text("AUTH_ISSUER")
LOGINS_PER_MINUTE = 20
NO_STORE = {"Cache-Control": "no-store"}
PAGE_HEADERS = {
    **NO_STORE,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "registration_endpoint": f"{ISSUER}/register",
    "revocation_endpoint": f"{ISSUER}/revoke",
    "introspection_endpoint": f"{ISSUER}/introspect",
    "jwks_uri": f"{ISSUER}/jwks",
    "scopes_supported": clients.SCOPES,
    "response_types_supported": ["code"],
    "grant_types_supported": list(grants.GRANTS),
    "code_challenge_methods_supported": ["S256"],
    "token_endpoint_auth_methods_supported": clients.AUTH_METHODS,
    "authorization_response_iss_parameter_supported": True,
}

waits = Waits.from_environment()
pool = database.pool(settings.text("DATABASE_URL"), waits.database)
limits = Limits(settings.text("REDIS_URL"), waits)
signer = Signer(pool)
tokens = Tokens(pool, signer, ISSUER)

Body = TypeVar("Body", bound=BaseModel)


async def _body(request: Request, kind: type[Body], code: str, status: int) -> Body:
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise OAuthError(code, f"{where}: {first['msg']}", status) from error


async def _client(request: Request, form: dict[str, str]) -> clients.Client:
    return await clients.authenticate(pool, request.headers.get("authorization"), form)


async def health(_: Request) -> Response:
    """Say that the process serves; the stores have healthchecks of their own."""
    return JSONResponse({"status": "ok"})


async def openapi(_: Request) -> Response:
    """Describe what programs may ask."""
    return JSONResponse(document.DOCUMENT)


async def metadata(_: Request) -> Response:
    """Describe this server (RFC 8414)."""
    return JSONResponse(METADATA)


async def jwks(_: Request) -> Response:
    """Publish the key that tokens are verified with."""
    return JSONResponse(await signer.public())


async def sign_up(request: Request) -> Response:
    """Create a user."""
    asked = await _body(request, users.SignUp, "invalid_request", 422)
    return JSONResponse(await users.sign_up(pool, asked), 201)


async def register(request: Request) -> Response:
    """Create a client."""
    asked = await _body(request, clients.Metadata, "invalid_client_metadata", 400)
    return JSONResponse(await clients.register(pool, asked, ISSUER), 201, NO_STORE)


async def registration(request: Request) -> Response:
    """Show, replace or remove a client, with its registration access token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise OAuthError("invalid_token", "a bearer token is needed", 401, clients.BEARER)
    client = await clients.manage(pool, request.path_params["client_id"], token)
    if request.method == "DELETE":
        await clients.delete(pool, client)
        return Response(status_code=204)
    if request.method == "PUT":
        asked = await _body(request, clients.Metadata, "invalid_client_metadata", 400)
        told = await clients.update(pool, client, asked, ISSUER)
    else:
        told = clients.describe(client, ISSUER)
    # RFC 7592, section 3, wants it in each answer; only its hash is kept.
    return JSONResponse({**told, "registration_access_token": token}, headers=NO_STORE)


async def authorization(request: Request) -> Response:
    """Show the login form, or take it and send the user back with a code."""
    posted = request.method == "POST"
    form = await forms.read(request) if posted else forms.single(request.query_params)
    try:
        asked = await authorize.check(pool, form)
    except authorize.RedirectError as error:
        back = authorize.location(error.redirect_uri, ISSUER, error.state, **error.parameters)
        return RedirectResponse(back, 302, NO_STORE)
    if not posted:
        return HTMLResponse(asked.page(form), headers=PAGE_HEADERS)
    username = forms.needed(form, "username")
    await limits.spend(f"login:{username}", LOGINS_PER_MINUTE)
    user_id = await users.log_in(pool, username, forms.needed(form, "password"))
    if user_id is None:
        page = asked.page(form, "Wrong user name or password.")
        return HTMLResponse(page, 401, PAGE_HEADERS)
    code = await authorize.grant_code(pool, limits, asked, user_id)
    back = authorize.location(asked.redirect_uri, ISSUER, asked.state, code=code)
    return RedirectResponse(back, 302, NO_STORE)


async def token(request: Request) -> Response:
    """Issue tokens."""
    form = await forms.read(request)
    client = await _client(request, form)
    return JSONResponse(await grants.issue(tokens, limits, client, form), headers=NO_STORE)


async def introspect(request: Request) -> Response:
    """Tell a confidential client whether a token is good."""
    form = await forms.read(request)
    client = await _client(request, form)
    if client["secret_hash"] is None:
        raise OAuthError("invalid_client", "only for clients with a secret", 401, clients.BASIC)
    told = await tokens.introspect(client, forms.needed(form, "token"))
    return JSONResponse(told, headers=NO_STORE)


async def revoke(request: Request) -> Response:
    """Revoke a token."""
    form = await forms.read(request)
    await tokens.revoke(await _client(request, form), forms.needed(form, "token"))
    return Response(headers=NO_STORE)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Open the stores, without waiting for them: what is away is answered with 503."""
    await pool.open(wait=False)
    try:
        yield
    finally:
        await pool.close(timeout=waits.database.close_s)
        await limits.aclose()


app = Starlette(
    routes=[
        Route("/health", health),
        Route("/openapi.json", openapi),
        Route("/.well-known/oauth-authorization-server", metadata),
        Route("/jwks", jwks),
        Route("/users", sign_up, methods=["POST"]),
        Route("/register", register, methods=["POST"]),
        Route("/register/{client_id}", registration, methods=["GET", "PUT", "DELETE"]),
        Route("/authorize", authorization, methods=["GET", "POST"]),
        Route("/token", token, methods=["POST"]),
        Route("/introspect", introspect, methods=["POST"]),
        Route("/revoke", revoke, methods=["POST"]),
    ],
    middleware=[Middleware(RequestLog)],
    exception_handlers=errors.HANDLERS,
    lifespan=lifespan,
)
app.add_middleware(tracing.Traced, routes=app.routes)
