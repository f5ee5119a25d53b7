"""Where a browser finds the pages of the server that these settings describe."""

from urllib.parse import urlsplit

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.settings import load


def page_url(given: str | None) -> str:
    """Return the base URL: `given`, or the one in the environment or configuration file. Raises SettingsError."""
    if given is not None:
        parts = urlsplit(given)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise SettingsError(f"url: {given!r} must be like https://mail-admin.example.com")
        return given.rstrip("/")
    settings = load({})
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"
