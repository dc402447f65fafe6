"""What the service is told by its environment."""

from dataclasses import dataclass

from shared import settings
from shared.waits import CallWaits, TokenWaits


@dataclass(frozen=True)
class Config:
    """Addresses, credentials and waits; URLs without a trailing slash."""

    issuer: str
    auth_url: str
    instances_url: str
    resource_url: str
    allowed_hosts: tuple[str, ...]
    client_id: str
    client_secret: str
    auth_waits: CallWaits
    instances_waits: CallWaits
    token_waits: TokenWaits

    @classmethod
    def from_environment(cls) -> "Config":
        """Read it; what is missing or will not do stops the start."""
        auth = CallWaits.from_environment("AUTH_TIMEOUT_S")
        instances = CallWaits.from_environment("INSTANCES_TIMEOUT_S")
        settings.seconds(
            "INSTANCES_TIMEOUT_S",
            above_s=auth.try_s,
            why="the AUTH_TIMEOUT_S: instances calls auth itself before it answers",
        )
        return cls(
            issuer=settings.text("AUTH_ISSUER", "http://auth:8000"),
            auth_url=settings.text("AUTH_URL"),
            instances_url=settings.text("INSTANCES_URL"),
            resource_url=settings.text("MCP_RESOURCE_URL", "http://mcp:8000/mcp"),
            allowed_hosts=tuple(
                settings.text("MCP_ALLOWED_HOSTS", "127.0.0.1:*,localhost:*,mcp:*").split(",")
            ),
            client_id=settings.text("AUTH_CLIENT_ID"),
            client_secret=settings.text("AUTH_CLIENT_SECRET"),
            auth_waits=auth,
            instances_waits=instances,
            token_waits=TokenWaits.from_environment(),
        )
