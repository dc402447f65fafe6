"""The reference MCP server: an agent orders instances with its user's own rights."""
