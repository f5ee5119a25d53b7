"""Builds a server from its settings, and opens its socket. Only this, `cli` and `evals` know the simulator.

Must not know MCP, or how a single call is made.
"""
