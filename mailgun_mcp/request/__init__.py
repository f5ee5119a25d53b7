"""Turns arguments into one exact HTTP request: coercion, validation, formats, files and building.

Knows operations. Knows nothing of policy, MCP or the HTTP client: the request that is built here is shown, hashed and
sent elsewhere.
"""
