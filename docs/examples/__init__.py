"""Examples: agents of four frameworks that use the tools through `mailgun_mcp.Toolkit`. They know only its public names."""
