"""What the operations of the Mailgun API are: the compiled catalogue, and what can be asked of it.

Knows nothing of MCP, sockets, files that a call sends or the simulator. Two rooms below it make operations
out of OpenAPI documents: `openapi` any document while a server runs, `compile` our own in a checkout.
"""
