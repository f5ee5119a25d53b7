"""The exit codes of `mailgun-mcp`."""

OK = 0
FAILED = 1
"""A call, check or comparison did not come out well."""
USAGE = 2
"""Something unknown or unusable in a flag, variable, file or argument; nothing was done."""
REFUSED = 3
"""Policy did not let the call through; nothing was sent."""
INTERRUPTED = 130
