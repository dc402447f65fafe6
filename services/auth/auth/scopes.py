"""What a token reaches: its scope and its audience."""

from auth.errors import OAuthError

# A resource (RFC 8707) is a URI, or our short name for it; the audience is always the short one.
AUDIENCES = {
    "instances": "instances",
    "mcp": "mcp",
    "billing": "billing",
    "http://instances:8000": "instances",
    "http://mcp:8000/mcp": "mcp",
    "http://billing:8000": "billing",
}


def narrowed(granted: str, asked: str | None) -> str:
    """Return the scope asked for, which must lie within `granted`; all of it when none is named."""
    if not asked:
        return granted
    if not set(asked.split()) <= set(granted.split()):
        raise OAuthError("invalid_scope", f"the scope must lie within: {granted}")
    return " ".join(dict.fromkeys(asked.split()))


def audience_of(resource: str | None) -> str:
    """Return the audience that a `resource` names; `instances` when none is named."""
    if resource and resource not in AUDIENCES:
        raise OAuthError("invalid_target", f"the resources are {', '.join(AUDIENCES)}")
    return AUDIENCES[resource or "instances"]
