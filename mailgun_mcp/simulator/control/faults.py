"""Injects faults by operation and rate. The same seed gives the same faults."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal, get_args

from starlette.types import Message, Send

from mailgun_mcp.simulator.http.asgi import Next, RoutedRequest, discard
from mailgun_mcp.simulator.model.clock import Clock
from mailgun_mcp.simulator.replies.reply import CHALLENGE, TEXT, Reply
from mailgun_mcp.text.suggest import unknown

FaultKind = Literal["rate_limited", "server_error", "slow", "reset", "truncated", "content_type", "unauthorized"]
Sleep = Callable[[float], Awaitable[None]]
KINDS: tuple[str, ...] = get_args(FaultKind)
HTML = "text/html; charset=utf-8"


class FaultError(ValueError):
    """An invalid description of a fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: what goes wrong, in which operations, and how often."""

    kind: FaultKind
    operation: str = "*"
    """A glob pattern for tool names."""
    rate: float = 1.0
    times: int | None = None
    """How often the fault occurs at most; None means no limit."""
    status: int = 503
    seconds: float = 5.0
    """The delay of `slow` and the value of `Retry-After`, in seconds."""
    performed: bool = False
    """Whether the request is performed before `server_error` or `reset`, so that the client can't know the outcome."""
    shape: Literal["text", "json"] = "text"
    """The shape of the `unauthorized` response."""

    @classmethod
    def from_record(cls, record: dict[str, Any], operations: Collection[str]) -> "Fault":
        """Return the fault that a JSON object describes. Raises FaultError, also when it hits none of `operations`."""
        names = [field.name for field in fields(cls)]
        for name in record:
            if name not in names:
                raise FaultError(unknown("field of a fault", name, names))
        if record.get("kind") not in KINDS:
            raise FaultError(unknown("kind of fault", str(record.get("kind")), KINDS))
        for name, fits in FITS.items():
            if name in record and not fits(record[name]):
                raise FaultError(f"{name}: {record[name]!r} is not a valid value")
        fault = cls(**record)
        if not any(fnmatchcase(name, fault.operation) for name in operations):
            raise FaultError(unknown("operation", fault.operation, operations))
        return fault


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


FITS: dict[str, Callable[[Any], bool]] = {
    "operation": lambda value: isinstance(value, str) and value != "",
    "rate": lambda value: _is_number(value) and value <= 1,
    "times": lambda value: value is None or (_is_number(value) and isinstance(value, int)),
    "status": lambda value: isinstance(value, int) and 500 <= value <= 599,
    "seconds": lambda value: _is_number(value) and value < 1e6,
    "performed": lambda value: isinstance(value, bool),
    "shape": lambda value: value in ("text", "json"),
}


class Faults:
    """The active faults. A seeded generator decides which requests they hit."""

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self.set(faults, seed)

    def __bool__(self) -> bool:
        return bool(self._faults)

    def set(self, faults: Iterable[Fault], seed: int = 0) -> None:
        """Replace the active faults, and restart the generator."""
        self.seed = seed
        self._random = Random(seed)  # noqa: S311 - the same seed must give the same faults
        self._faults: list[Fault] = list(faults)

    def records(self) -> list[dict[str, Any]]:
        """Return the active faults as JSON."""
        return [asdict(fault) for fault in self._faults]

    def draw(self, operation: str) -> list[Fault]:
        """Return the faults that hit a request."""
        hit = []
        for index, fault in enumerate(self._faults):
            if fault.times == 0 or not fnmatchcase(operation, fault.operation):
                continue
            if self._random.random() < fault.rate:
                hit.append(fault)
                if fault.times is not None:
                    self._faults[index] = replace(fault, times=fault.times - 1)
        return hit


async def fail(request: RoutedRequest, faults: list[Fault], clock: Clock, sleep: Sleep, go_on: Next) -> None:
    """Answer a request with its faults. Raises ConnectionResetError if a fault breaks the connection."""
    for fault in faults:
        if fault.kind == "slow":
            await sleep(fault.seconds)
    worst = next((fault for fault in faults if fault.kind != "slow"), None)
    if worst is None:
        await go_on(request)
    elif worst.kind in SPOILS:
        await go_on(replace(request, send=SPOILS[worst.kind](request.send)))
    else:
        if worst.performed:
            await go_on(replace(request, send=discard))
        if worst.kind == "reset":
            await _reset(request.send)
        await REPLIES[worst.kind](worst, clock)(request.scope, request.receive, request.send)


async def _reset(send: Send) -> None:
    """Break the connection. A server that has started a response closes it; in process, the error is raised."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
    raise ConnectionResetError("a fault of the simulator broke the connection")


def _rate_limited(fault: Fault, clock: Clock) -> Reply:
    return too_many(fault.seconds, clock.now() + fault.seconds)


def too_many(seconds: float, reset: float, limit: int = 300, body: dict[str, Any] | None = None) -> Reply:
    """Return the 429 response of a limit that accepts requests again in `seconds`."""
    wait = max(1, round(seconds))
    text = {"message": f"account-requests-per-sec limit exceeded, try again after {wait} seconds"}
    headers = {
        "retry-after": f"{wait}",
        "x-ratelimit-limit": f"{limit}",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": f"{reset:.0f}",
    }
    return Reply(text if body is None else body, 429, headers=headers)


def _server_error(fault: Fault, _: Clock) -> Reply:
    if fault.status == 500:
        return Reply({"message": "Internal Server Error"}, 500)
    text = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}.get(
        fault.status, "Error"
    )
    page = f"<html>\r\n<head><title>{fault.status} {text}</title></head>\r\n<body></body>\r\n</html>\r\n"
    return Reply(page, fault.status, HTML)


def _unauthorized(fault: Fault, _: Clock) -> Reply:
    return unauthorized(fault.shape)


def unauthorized(shape: str) -> Reply:
    """Return Mailgun's 401 response, as plain text or as JSON."""
    if shape == "json":
        return Reply({"message": "Invalid private key"}, 401, headers=CHALLENGE)
    return Reply("Forbidden", 401, TEXT, CHALLENGE)


REPLIES: dict[str, Callable[[Fault, Clock], Reply]] = {
    "rate_limited": _rate_limited,
    "server_error": _server_error,
    "unauthorized": _unauthorized,
}


def _truncated(send: Send) -> Send:
    async def cut(message: Message) -> None:
        if message["type"] == "http.response.body":
            body: bytes = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2]}
        await send(message)

    return cut


def _wrong_type(send: Send) -> Send:
    async def relabel(message: Message) -> None:
        if message["type"] == "http.response.start":
            others = [(name, value) for name, value in message["headers"] if name != b"content-type"]
            message = {**message, "headers": [(b"content-type", HTML.encode()), *others]}
        await send(message)

    return relabel


SPOILS: dict[str, Callable[[Send], Send]] = {"truncated": _truncated, "content_type": _wrong_type}
"""Faults that only damage the response. The request is performed."""
