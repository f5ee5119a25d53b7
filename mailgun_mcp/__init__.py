"""mailgun-mcp: every Mailgun operation as a typed, guarded MCP tool."""

__version__ = "0.1.0"

DISTRIBUTION = "mailgun-mcp-server"
"""Our name on package indexes. `mailgun-mcp` is the command; on PyPI that name belongs to somebody else."""
