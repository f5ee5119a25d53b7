"""Rate limits by section, with their response headers. Off by default."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from starlette.types import Message, Send

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.simulator.control.faults import too_many
from mailgun_mcp.simulator.http.asgi import Next, RoutedRequest
from mailgun_mcp.simulator.model.clock import Clock


@dataclass(slots=True)
class Limit:
    """A maximum number of requests per period, for operations whose name or toolset matches a glob pattern."""

    globs: tuple[str, ...]
    requests: int
    seconds: float
    body: dict[str, Any] | None = None
    """The body of the 429 response, instead of the usual one."""
    began: float = field(default=float("-inf"))
    used: int = 0

    def covers(self, operation: Operation) -> bool:
        return any(fnmatchcase(operation.name, glob) or fnmatchcase(operation.toolset, glob) for glob in self.globs)

    def take(self, now: float) -> bool:
        """Count a request. Return False if the current window is used up."""
        if now - self.began >= self.seconds or now < self.began:
            self.began, self.used = now, 0
        if self.used >= self.requests:
            return False
        self.used += 1
        return True

    @property
    def reset(self) -> float:
        return self.began + self.seconds


DOCUMENTED: Callable[[], list[Limit]] = lambda: [  # noqa: E731
    Limit(("metrics",), 500, 10.0),
    Limit(("domains", "webhooks"), 300, 60.0, {"retry-seconds": 60}),
]
"""Makes the limits that Mailgun documents."""


async def limited(request: RoutedRequest, limits: list[Limit], clock: Clock, go_on: Next) -> None:
    """Pass a request on unless its limit is reached. The response headers show the limit."""
    operation = request.operation
    limit = next((limit for limit in limits if operation and limit.covers(operation)), None)
    if limit is None:
        await go_on(request)
        return
    now = clock.now()
    if limit.take(now):
        await go_on(replace(request, send=_telling(request.send, limit)))
    else:
        reply = too_many(limit.reset - now, limit.reset, limit.requests, limit.body)
        await reply(request.scope, request.receive, request.send)


def _telling(send: Send, limit: Limit) -> Send:
    headers = [
        (b"x-ratelimit-limit", b"%d" % limit.requests),
        (b"x-ratelimit-remaining", b"%d" % (limit.requests - limit.used)),
        (b"x-ratelimit-reset", b"%d" % round(limit.reset)),
    ]

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *headers]}
        await send(message)

    return tell
