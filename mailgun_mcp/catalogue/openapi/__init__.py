"""OpenAPI 3.x documents -> operations: for `--spec`, for `spec diff`, and for the compiler.

`documents`, `extension`, `schemas` and `operations` read what was written for this project; the other modules
prepare a document that was not. Knows nothing of MCP or of requests.
"""
