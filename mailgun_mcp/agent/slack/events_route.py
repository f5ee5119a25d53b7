"""Requests that Slack posts to this server: only those that it signed in the last five minutes, and each only once."""

import time
from collections import OrderedDict
from collections.abc import Callable
from hmac import compare_digest

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mailgun_mcp.web.bodies import BodyTooLargeError, read_bounded

PREFIX = "/slack"
PATHS = (f"{PREFIX}/events", f"{PREFIX}/interactivity")
WINDOW = 300
"""Seconds before and after its time for which a signature is valid."""
MOST = 1024 * 1024
"""Maximum size of a request in bytes."""


class EventsRoute:
    """The route that Slack posts to."""

    def __init__(self, bolt: AsyncApp, signing_secret: str, clock: Callable[[], float] = time.time) -> None:
        self._bolt = bolt
        self._signatures = SignatureVerifier(signing_secret)
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()

    def app(self) -> Starlette:
        """Return the app. It needs no token: the signature proves that a request is from Slack."""
        return Starlette(routes=[Route(path, self._receive, methods=["POST"]) for path in PATHS])

    async def _receive(self, request: Request) -> Response:
        try:
            body = await read_bounded(request, MOST)
        except BodyTooLargeError:
            return _refused(413, "the request is too large")
        refusal = self._refusal(request, body)
        if refusal is not None:
            return refusal
        return to_starlette_response(await self._bolt.async_dispatch(to_async_bolt_request(request, body)))

    def _refusal(self, request: Request, body: bytes) -> Response | None:
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 15:
            return _refused(401, "it has no time")
        now = self._clock()
        if abs(now - int(timestamp)) > WINDOW:
            return _refused(401, "it was signed too long ago, or the clock of one side is wrong")
        try:
            right = self._signatures.generate_signature(timestamp=timestamp, body=body) or ""
        except UnicodeDecodeError:
            return _refused(400, "it is not text")
        if not compare_digest(right.encode(), signature.encode()):
            return _refused(401, "the signature is not that of this app's signing secret")
        if self._was_seen(signature, now):
            # When Slack sends something again, it signs it again. A repeat by a proxy has been handled already.
            return _refused(401, "it was sent before") if "x-slack-retry-num" not in request.headers else Response()
        return None

    def _was_seen(self, signature: str, now: float) -> bool:
        while self._seen and next(iter(self._seen.values())) < now - 2 * WINDOW:
            self._seen.popitem(last=False)
        if signature in self._seen:
            return True
        self._seen[signature] = now
        return False


def _refused(status: int, why: str) -> Response:
    return JSONResponse({"error": f"Refused: {why}."}, status)
