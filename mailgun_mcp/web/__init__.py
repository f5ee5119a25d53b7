"""What HTTP serves beside MCP: who may reach the server, who calls, and what their token is for. Layers of ASGI.

Must not know the MCP SDK, and decides on no call: that is the policy's.
"""
