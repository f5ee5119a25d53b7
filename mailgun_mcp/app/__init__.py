"""Puts a server together from its settings, and opens its socket. The one room beside `cli` that knows the simulator.

Must not know how a single call is made, or MCP.
"""
