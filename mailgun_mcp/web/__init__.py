"""The HTTP layers around MCP: which requests may reach the server, who makes them, and what their tokens allow.

Must not know the MCP SDK, and does not decide about calls: the policy does.
"""
