"""The exit codes of `mailgun-mcp`, for every command."""

OK = 0
FAILED = 1
USAGE = 2
REFUSED = 3
INTERRUPTED = 130

MEANINGS = {
    OK: "done",
    FAILED: "a call, check or comparison failed",
    USAGE: "a flag, variable, file or argument is unknown or unusable; nothing was done",
    REFUSED: "denied by policy, waiting for an approval, or declined by a person; nothing was sent",
    INTERRUPTED: "interrupted",
}
"""Exit code -> its meaning in help and docs."""
