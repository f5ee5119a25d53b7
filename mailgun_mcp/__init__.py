"""mailgun-mcp: every Mailgun operation as a typed, guarded MCP tool."""

__version__ = "0.1.0"
