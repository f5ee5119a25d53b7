"""Puts a server together from its settings, and opens its socket. Beside `cli` and `evals` the one room that knows the simulator.

Must not know how a single call is made, or MCP.
"""
