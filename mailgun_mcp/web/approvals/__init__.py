"""The approvals page and the approvals API: pending calls, answers, grants, marks of third-party text, and the history.

Must not know MCP, and makes no calls: after a yes, the client makes the same call again.
"""
