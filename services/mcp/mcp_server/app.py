"""The application: Streamable HTTP at /mcp, its metadata, and /health."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp.server import MCPServer
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.auth import ProtectedResourceMetadata
from pydantic import AnyHttpUrl
from shared import logs, tracing
from shared.errors import Unavailable
from shared.http import Client
from shared.middleware import RequestLog
from shared.tokens import Verifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server import tools
from mcp_server.config import Config
from mcp_server.identity import BearerTokens, TokenExchange
from mcp_server.instances import Instances

METADATA_PATH = "/.well-known/oauth-protected-resource"
SCOPES = ["instances:read", "instances:write"]

log = logging.getLogger("mcp_server")


def create_app(config: Config) -> Starlette:
    """Return the application; its connections close when it stops."""
    auth = Client("auth", config.auth_url, config.auth_waits)
    instances = Client("instances", config.instances_url, config.instances_waits)
    credentials = (config.client_id, config.client_secret)
    verifier = Verifier(
        auth,
        config.token_waits,
        issuer=config.issuer,
        audience="mcp",
        client_id=config.client_id,
        client_secret=config.client_secret,
    )
    exchange = TokenExchange(
        auth, config.token_waits, audience="instances", credentials=credentials
    )

    @asynccontextmanager
    async def lifespan(_: MCPServer[None]) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await auth.aclose()
            await instances.aclose()

    server = MCPServer(
        "nomock-mcp",
        title="Instances",
        instructions="Order, watch and give back the instances of your tenant.",
        version="1.0.0",
        lifespan=lifespan,
        token_verifier=BearerTokens(verifier, config.issuer),
        auth=AuthSettings.model_validate(
            {
                "issuer_url": config.issuer,
                "resource_server_url": config.resource_url,
                # The verifier refuses every audience but "mcp".
                "validate_token_resource": False,
                # Reading is what every tool needs; `instances` itself asks for more where it must.
                "required_scopes": ["instances:read"],
            }
        ),
    )
    tools.register(server, Instances(instances, exchange))
    app = server.streamable_http_app(
        host="0.0.0.0",
        transport_security=TransportSecuritySettings(
            allowed_hosts=list(config.allowed_hosts),
            allowed_origins=[f"http://{host}" for host in config.allowed_hosts],
        ),
    )
    app.router.routes[:0] = [Route("/health", _health), *_metadata_routes(config)]
    app.add_middleware(AnswerUnavailable)
    app.add_middleware(RequestLog)
    app.add_middleware(tracing.Traced, routes=app.routes)
    return app


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _metadata_routes(config: Config) -> list[Route]:
    # Before the SDK's own route, which names only the scope that opens the door. RFC 9728 puts
    # the resource's path behind the well-known one; clients that know no path try it without.
    resource = AnyHttpUrl(config.resource_url)
    metadata = ProtectedResourceMetadata.model_validate(
        {
            "resource": config.resource_url,
            "authorization_servers": [config.issuer],
            "scopes_supported": SCOPES,
            "resource_name": "nomock-mcp",
        }
    ).model_dump(mode="json", exclude_none=True)

    async def show(_: Request) -> Response:
        return JSONResponse(metadata)

    return [Route(METADATA_PATH, show), Route(f"{METADATA_PATH}{resource.path}", show)]


class AnswerUnavailable:
    """503 with Retry-After when `auth` cannot say whether a token is good: it fails closed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Unavailable as error:
            # Raised while the token is verified, so before anything was answered.
            log.warning("unavailable", extra={"what": error.what, "reason": error.reason})
            tracing.failed(error)
            body = {"error": "temporarily_unavailable", "error_description": str(error)}
            headers = {"Retry-After": str(error.retry_after_s)}
            await JSONResponse(body, 503, headers)(scope, receive, send)


logs.configure("mcp")
app = create_app(Config.from_environment())
