"""The server's description of itself. Needs no SDK: `early_answers` sends it before the SDK is imported."""

from typing import Any

from mailgun_mcp import __version__

NAME = "mailgun-mcp"
SERVER_INFO = {
    "name": NAME,
    "title": "Mailgun",
    "version": __version__,
    "description": "Every Mailgun operation as a typed, guarded tool",
    "websiteUrl": "https://documentation.mailgun.com",
}
SKILLS, TASKS, UI = (f"io.modelcontextprotocol/{name}" for name in ("skills", "tasks", "ui"))
EXTENSIONS: dict[str, dict[str, Any]] = {SKILLS: {"directoryRead": True}, TASKS: {}, UI: {}}
"""Further capabilities, announced to clients since 2026-07-28."""
HOUR = 3_600_000
"""One hour in milliseconds, for cache hints. The lists do not change while the server runs."""
COMPLETE = {"resultType": "complete"}
"""Required in every result since 2026-07-28. The SDK adds it to models but not to dicts, and drops it for older clients."""


def capabilities(*, modern: bool) -> dict[str, Any]:
    """Return the capabilities that `server.create_server` announces. The lists never change."""
    return {
        "completions": {},
        **({"extensions": EXTENSIONS} if modern else {}),
        "prompts": {"listChanged": False},
        "resources": {"listChanged": False, "subscribe": True},
        "tools": {"listChanged": False},
    }
