"""The tools that an agent sees; their docstrings and types are what it is told of them."""

import uuid
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, ToolAnnotations
from pydantic import Field

from mcp_server.instances import Instance, Instances

Name = Annotated[str, Field(min_length=1, description="What the tenant calls the instance")]
Size = Annotated[str, Field(description="small, medium or large")]
Key = Annotated[str | None, Field(description="Repeat an order with the same key to get it once")]
Id = Annotated[uuid.UUID, Field(description="The id that order_instance returned")]

READS = ToolAnnotations(read_only_hint=True)
ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False)
DESTROYS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True)


def register(server: MCPServer[Any], instances: Instances) -> None:
    """Give `server` the four tools over `instances`."""

    @server.tool(annotations=ADDS)
    async def order_instance(name: Name, size: Size, idempotency_key: Key = None) -> Instance:
        """Order an instance; it is ready when get_instance says that its state is running."""
        return await instances.order(name, size, idempotency_key)

    @server.tool(annotations=READS)
    async def list_instances() -> list[Instance]:
        """List the tenant's instances."""
        return await instances.all()

    @server.tool(annotations=READS)
    async def get_instance(instance_id: Id) -> Instance:
        """Show one instance and its state."""
        return await instances.get(instance_id)

    @server.tool(annotations=DESTROYS)
    async def deprovision_instance(instance_id: Id) -> Instance:
        """Give an instance back; its state is deprovisioned when that is done."""
        return await instances.deprovision(instance_id)

    names = {"order_instance", "list_instances", "get_instance", "deprovision_instance"}

    async def refuse_unknown_tool(
        ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        # The SDK answers with a tool error; the specification asks for a JSON-RPC one.
        name = (ctx.params or {}).get("name")
        if ctx.method == "tools/call" and isinstance(name, str) and name not in names:
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {name}")
        return await call_next(ctx)

    server.middleware.append(refuse_unknown_tool)
