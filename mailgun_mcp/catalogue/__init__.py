"""What the operations of the Mailgun API are: the compiled catalogue, and lookups in it.

Knows nothing of MCP, sockets, files that a call sends or the simulator. Two packages turn OpenAPI documents into
operations: `openapi` reads any document while a server runs, `compile` reads our own in a checkout.
"""
