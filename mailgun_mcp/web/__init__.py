"""ASGI layers beside MCP: which requests may reach the server, who makes them, and what their token allows.

Must not know the MCP SDK, and does not decide about calls: the policy does.
"""
