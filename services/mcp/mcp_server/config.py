"""What the service is told by its environment."""

from dataclasses import dataclass

from shared import settings


@dataclass(frozen=True)
class Config:
    """Addresses, credentials and time-outs; URLs without a trailing slash."""

    issuer: str
    auth_url: str
    instances_url: str
    resource_url: str
    allowed_hosts: tuple[str, ...]
    client_id: str
    client_secret: str
    timeout_s: float
    deadline_s: float

    @classmethod
    def from_environment(cls) -> "Config":
        """Read it; a missing secret stops the start."""
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
            timeout_s=settings.number("CALL_TIMEOUT_S", 2.0),
            deadline_s=settings.number("CALL_DEADLINE_S", 4.0),
        )
