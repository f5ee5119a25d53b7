"""Answers a client's first requests before the SDK is imported, byte for byte as the SDK would.

It answers only what it fully understands. At the first message that it does not, it stops, and the SDK takes over: the
SDK gets `replay` (the earlier messages that it must see to continue the session), then that message.
"""

from collections.abc import Callable
from typing import Any, Literal

from mailgun_mcp.call.services import Services
from mailgun_mcp.server.description import COMPLETE, HOUR, SERVER_INFO, capabilities
from mailgun_mcp.server.instructions import instructions
from mailgun_mcp.server.plain_messages import (
    ABILITIES,
    CLIENT,
    META,
    MODERN,
    NOBODY,
    VERSION,
    Client,
    Message,
    NotUnderstoodError,
    check_client,
    client_of,
    is_identifier,
    parsed,
    to_line,
)

LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Versions that `initialize` negotiates. A client that asks for another version is offered the last of these."""
NOTHING = b""


class EarlyAnswers:
    """The answers to the first requests of one session, in either protocol era."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._era: Literal["legacy", "modern"] | None = None
        self.opened: Client | None = None
        """The client that opened the session, once it is open."""
        self.replay: list[bytes] = []
        """Messages that the SDK must see: the request that opened the session, and that the client is ready."""
        self.listed = False
        """Whether the client has the list of tools, and may call one at any moment."""

    def answer(self, line: bytes) -> bytes:
        """Return what to write in answer to a line: NOTHING if no answer is due. Raises NotUnderstoodError."""
        if not line.strip():
            return NOTHING
        message = parsed(line)
        request = message.get("method"), message.get("params", {})
        if "id" not in message:
            return self._noted(line, *request)
        result = self._result(line, *request)
        return to_line({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _noted(self, line: bytes, method: Any, params: Any) -> bytes:
        if (self._era, method, params, len(self.replay)) != ("legacy", "notifications/initialized", {}, 1):
            raise NotUnderstoodError
        self.replay.append(line)
        return NOTHING

    def _result(self, line: bytes, method: Any, params: Any) -> Message:
        modern = _is_modern(params)
        if self._era is None and method == "initialize":
            self.opened = _client_of_initialize(params)
            self._era = "legacy"
            self.replay.append(line)
            return self._initialized(params["protocolVersion"])
        if self._era == "modern" or (self._era is None and modern):
            return self._modern(line, method, modern=modern)
        if self._era is None or modern or not _is_plain(params):
            raise NotUnderstoodError
        if method == "ping":
            return {}
        if method == "tools/list":
            return {"tools": self._listed_tools()}
        raise NotUnderstoodError

    def _initialized(self, requested: str) -> Message:
        return {
            "capabilities": capabilities(modern=False),
            "instructions": instructions(self._services),
            "protocolVersion": requested if requested in LEGACY else LEGACY[-1],
            "serverInfo": dict(sorted(SERVER_INFO.items())),
        }

    def _modern(self, line: bytes, method: Any, *, modern: bool) -> Message:
        results: dict[str, Callable[[], Message]] = {"server/discover": self._discovered, "tools/list": self._tools}
        if not modern or method not in results:
            raise NotUnderstoodError
        if self._era is None:
            self._era = "modern"
            self.opened = Client(modern=True)
            self.replay.append(line)
        return {**results[method](), "_meta": {f"{META}serverInfo": SERVER_INFO}}

    def _discovered(self) -> Message:
        return {
            "cacheScope": "private",
            "capabilities": capabilities(modern=True),
            "instructions": instructions(self._services),
            **COMPLETE,
            "supportedVersions": [MODERN],
            "ttlMs": 0,
        }

    def _tools(self) -> Message:
        return {"cacheScope": "public", **COMPLETE, "tools": self._listed_tools(), "ttlMs": HOUR}

    def _listed_tools(self) -> list[Message]:
        self.listed = True
        return self._services.listed_tools


def _client_of_initialize(params: Any) -> Client:
    if not isinstance(params, dict) or params.keys() != {"protocolVersion", "capabilities", "clientInfo"}:
        raise NotUnderstoodError
    if not isinstance(params["protocolVersion"], str):
        raise NotUnderstoodError
    return client_of(params["clientInfo"], params["capabilities"], modern=False)


def _is_modern(params: Any) -> bool:
    """Return whether params hold only the envelope used since 2026-07-28. Raises NotUnderstoodError for part of one."""
    meta = params.get("_meta") if isinstance(params, dict) else None
    if not isinstance(meta, dict) or VERSION not in meta:
        return False
    meta_keys = {VERSION, CLIENT, ABILITIES, "progressToken"}
    if params.keys() != {"_meta"} or meta[VERSION] != MODERN or not meta.keys() <= meta_keys or ABILITIES not in meta:
        raise NotUnderstoodError
    check_client(meta.get(CLIENT, NOBODY), meta[ABILITIES])
    return _is_plain({"_meta": {"progressToken": meta.get("progressToken", 0)}})


def _is_plain(params: Any) -> bool:
    """Return whether a request has no parameters except a progress token."""
    if params == {}:
        return True
    if not isinstance(params, dict) or params.keys() != {"_meta"} or not isinstance(params["_meta"], dict):
        return False
    meta = params["_meta"]
    return meta.keys() <= {"progressToken"} and is_identifier(meta.get("progressToken", 0))
