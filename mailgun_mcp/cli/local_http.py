"""HTTP to servers that run on this machine: the simulator, and the receivers of its webhooks."""

import asyncio
from base64 import b64encode
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

TIMEOUT = 10.0
"""Time-out of a request in seconds."""
NO_ANSWER = 0
"""The status to report when there was no response."""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow no redirect: a receiver on this machine must not send the request elsewhere."""


def opener() -> OpenerDirector:
    """Return an opener that uses no proxy and follows no redirect."""
    return build_opener(ProxyHandler({}), _NoRedirects())


async def post(url: str, content_type: str, body: bytes) -> int:
    """Post to a URL and return the status of the response, or NO_ANSWER if there was none."""
    return await asyncio.to_thread(_post, url, content_type, body)


def _post(url: str, content_type: str, body: bytes) -> int:
    if not url.lower().startswith(("http://", "https://")):
        return NO_ANSWER
    headers = {"content-type": content_type, "user-agent": "mailgun/simulator"}
    try:
        target, authorization = _without_login(url)
        with opener().open(Request(target, body, headers | authorization), timeout=TIMEOUT) as response:  # noqa: S310 - http or https
            return int(response.status)
    except HTTPError as error:
        error.close()
        return error.code
    except (URLError, HTTPException, OSError, ValueError):
        return NO_ANSWER


def _without_login(url: str) -> tuple[str, dict[str, str]]:
    """Return a URL without the login in it, and the header that sends the login."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, {}
    encoded = b64encode(unquote(login).encode()).decode()
    return urlunsplit(parts._replace(netloc=host)), {"authorization": f"Basic {encoded}"}
