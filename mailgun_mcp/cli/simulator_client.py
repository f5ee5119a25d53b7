"""Sends control requests to a simulator that runs on this machine."""

import json
from base64 import b64encode
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from io import BufferedReader
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

from mailgun_mcp.cli.local_http import opener
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.text.host_names import LOOPBACK

TIMEOUT = 60.0
"""Time-out of a request in seconds."""
PART = 1 << 20
"""Number of bytes of a response to read at a time."""


class SimulatorError(Exception):
    """The simulator refused a control request. The message says why."""


def request(url: str, key: str, method: str, route: str, body: Any) -> Any:
    """Return the response of a control route. `body` is sent as JSON, or as it is if it is an open file.

    Raises SimulatorError if the simulator refuses the request, and SettingsError if the URL is not on this machine or
    nothing answers there.
    """
    with _response(url, key, method, route, body) as response:
        answer = _object(response.read())
    if answer is None:
        raise SimulatorError(_not_a_simulator(url))
    return answer


def download(url: str, key: str, route: str) -> Iterator[bytes]:
    """Return the parts of a control route's response.

    Raises the errors of `request` at once, and SimulatorError later if the response breaks off.
    """
    response = _response(url, key, "GET", route, None)
    if "json" not in response.headers.get("content-type", ""):
        response.close()
        raise SimulatorError(_not_a_simulator(url))
    return _parts(response)


def _parts(response: HTTPResponse) -> Iterator[bytes]:
    with response:
        try:
            while part := response.read(PART):
                yield part
        except (OSError, HTTPException) as error:
            raise SimulatorError(f"the answer ended early: {error}") from error


def _response(url: str, key: str, method: str, route: str, body: Any) -> HTTPResponse:
    url = _checked(url)
    content = body if body is None or isinstance(body, BufferedReader) else json.dumps(body).encode()
    login = b64encode(f"api:{key}".encode()).decode()
    headers = {"content-type": "application/json", "authorization": f"Basic {login}"}
    control = Request(f"{url}/simulator/{route}", content, headers, method=method)  # noqa: S310 - `_checked`
    try:
        response: HTTPResponse = opener().open(control, timeout=TIMEOUT)
    except HTTPError as error:
        with error:
            answer = _object(error.read())
        message = _not_a_simulator(url) if answer is None else str(answer.get("message", f"HTTP {error.code}"))
        raise SimulatorError(message) from error
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise SettingsError(
            f"no simulator answers at {url} ({reason}): start one with `mailgun-mcp simulator`"
        ) from error
    return response


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_local = parts.scheme in ("http", "https") and parts.hostname in LOOPBACK and parts.port != 0
    except ValueError:
        is_local = False
    if not is_local:
        raise SettingsError(f"url: {url!r} is not the URL of a simulator on this machine")
    return url.rstrip("/")


def _not_a_simulator(url: str) -> str:
    return f"{url} has no control routes: check that it is a simulator, started without --no-control"


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
