"""Asks something of a simulator that runs on this machine."""

import json
from base64 import b64encode
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

from mailgun_mcp.cli.posting import opener
from mailgun_mcp.settings import SettingsError

TIMEOUT = 60.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotDone(Exception):
    """The simulator did not do what it was asked for. The text says why."""


def ask(url: str, key: str, method: str, route: str, body: Any) -> Any:
    """Return what the control route answers.

    Raises NotDone, and SettingsError for a URL that is not of this machine or that nothing answers at.
    """
    url = _checked(url)
    content = None if body is None else json.dumps(body).encode()
    login = b64encode(f"api:{key}".encode()).decode()
    headers = {"content-type": "application/json", "authorization": f"Basic {login}"}
    request = Request(f"{url}/simulator/{route}", content, headers, method=method)  # noqa: S310 - `_checked`
    try:
        with opener().open(request, timeout=TIMEOUT) as answer:
            found = _object(answer.read())
    except HTTPError as error:
        with error:
            found = _object(error.read())
        raise NotDone(_foreign(url) if found is None else str(found.get("message", f"HTTP {error.code}"))) from error
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise SettingsError(
            f"no simulator answers at {url} ({reason}): start it with `mailgun-mcp simulator`"
        ) from error
    if found is None:
        raise NotDone(_foreign(url))
    return found


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname in LOOPBACK and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise SettingsError(f"url: {url!r} is not the URL of a simulator on this machine")
    return url.rstrip("/")


def _foreign(url: str) -> str:
    return f"{url} has no control routes: is it a simulator, and without --no-control?"


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
