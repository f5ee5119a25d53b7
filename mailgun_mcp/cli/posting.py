"""Posts the simulator's webhooks over HTTP."""

import asyncio
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

TIMEOUT = 10.0
NO_ANSWER = 0


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow none: a receiver on this machine must not send the posting elsewhere."""


def opener() -> OpenerDirector:
    """Return what opens URLs of this machine: no proxy stands between, no redirect leads elsewhere."""
    return build_opener(ProxyHandler({}), _NoRedirects())


async def post(url: str, content_type: str, body: bytes) -> int:
    """Post to a URL, and return the status of the answer; 0 when there was none."""
    return await asyncio.to_thread(_post, url, content_type, body)


def _post(url: str, content_type: str, body: bytes) -> int:
    if not url.lower().startswith(("http://", "https://")):
        return NO_ANSWER
    headers = {"content-type": content_type, "user-agent": "mailgun/simulator"}
    try:
        with opener().open(Request(url, body, headers), timeout=TIMEOUT) as answer:  # noqa: S310 - http or https
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code
    except (URLError, HTTPException, OSError, ValueError):
        return NO_ANSWER
