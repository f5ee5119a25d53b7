"""Answers a client's first requests before the SDK is imported, with what the SDK would answer, byte for byte.

It answers only what it fully understands. The first message that it does not ends its part: the SDK gets that message
and all that follow. Then the SDK also gets `replay`, the messages that it must have seen to go on with the session.
"""

import json
from collections.abc import Callable
from typing import Any, Literal

from mailgun_mcp.call.services import Services
from mailgun_mcp.server.description import COMPLETE, HOUR, SERVER_INFO, capabilities
from mailgun_mcp.server.instructions import instructions

LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""The versions that `initialize` negotiates. A client that asks for another is offered the last."""
MODERN = "2026-07-28"
LONGEST = 64 * 1024
"""Bytes of a message that is read here. First requests are short."""
META = "io.modelcontextprotocol/"
VERSION, CLIENT, ABILITIES = f"{META}protocolVersion", f"{META}clientInfo", f"{META}clientCapabilities"
DEEPEST = 100
"""Opening brackets in a message that is read here. Parsers differ in how deep they go."""
CLIENT_FIELDS = frozenset({"name", "version", "title", "description", "websiteUrl"})
NOTHING = b""

Message = dict[str, Any]


class NotUnderstoodError(Exception):
    """The message is left to the SDK."""


class EarlyAnswers:
    """The answers to the first requests of one session, in either protocol era."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._era: Literal["legacy", "modern"] | None = None
        self.replay: list[bytes] = []
        """What the SDK must have seen: the request that opened the session, and that the client is ready."""
        self.listed = False
        """Whether the client has been given the tools, and may call one at any moment."""

    def answer(self, line: bytes) -> bytes:
        """Return what to write in answer to a line, NOTHING if no answer is due. Raises NotUnderstoodError."""
        if not line.strip():
            return NOTHING
        message = _parsed(line)
        request = message.get("method"), message.get("params", {})
        if "id" not in message:
            return self._noted(line, *request)
        result = self._result(line, *request)
        return _serialized({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _noted(self, line: bytes, method: Any, params: Any) -> bytes:
        if (self._era, method, params, len(self.replay)) != ("legacy", "notifications/initialized", {}, 1):
            raise NotUnderstoodError
        self.replay.append(line)
        return NOTHING

    def _result(self, line: bytes, method: Any, params: Any) -> Message:
        modern = _is_modern(params)
        if self._era is None and method == "initialize":
            _check_initialize(params)
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


def _serialized(message: Message) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _parsed(line: bytes) -> Message:
    """Return the message if every JSON parser reads the same in it."""
    if len(line) > LONGEST or b"\\u" in line or line.count(b"{") + line.count(b"[") > DEEPEST:
        raise NotUnderstoodError
    try:
        message = _DECODER.decode(line.decode("utf-8"))
    except ValueError:
        raise NotUnderstoodError from None
    if not isinstance(message, dict) or not message.keys() <= {"jsonrpc", "id", "method", "params"}:
        raise NotUnderstoodError
    if message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
        raise NotUnderstoodError
    if not _is_identifier(message.get("id", 0)):
        raise NotUnderstoodError
    return message


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 15:
        raise NotUnderstoodError
    return int(text)


def _other(_: str) -> Any:
    raise NotUnderstoodError


def _object(pairs: list[tuple[str, Any]]) -> Message:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise NotUnderstoodError
    return fields


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_other, parse_constant=_other, object_pairs_hook=_object)


def _check_initialize(params: Any) -> None:
    if not isinstance(params, dict) or params.keys() != {"protocolVersion", "capabilities", "clientInfo"}:
        raise NotUnderstoodError
    if not isinstance(params["protocolVersion"], str):
        raise NotUnderstoodError
    _check_client(params["clientInfo"], params["capabilities"])


def _check_client(info: Any, abilities: Any) -> None:
    """Raise NotUnderstoodError for what the SDK could refuse. It ignores capabilities that it does not know."""
    if not isinstance(info, dict) or not {"name", "version"} <= info.keys() <= CLIENT_FIELDS:
        raise NotUnderstoodError
    if not isinstance(abilities, dict) or not all(isinstance(value, str) for value in info.values()):
        raise NotUnderstoodError
    if not all(_is_ability(name, value) for name, value in abilities.items()):
        raise NotUnderstoodError


def _is_ability(name: str, value: Any) -> bool:
    if name == "roots":
        return value in ({}, {"listChanged": True}, {"listChanged": False})
    if name in ("experimental", "extensions"):
        return isinstance(value, dict) and all(isinstance(each, dict) for each in value.values())
    return name not in ("elicitation", "sampling", "tasks") or _is_dicts(value)


def _is_dicts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_dicts, value.values()))


def _is_modern(params: Any) -> bool:
    """Return whether params are only the envelope of a request since 2026-07-28. Raises NotUnderstoodError for half of it."""
    meta = params.get("_meta") if isinstance(params, dict) else None
    if not isinstance(meta, dict) or VERSION not in meta:
        return False
    known = {VERSION, CLIENT, ABILITIES, "progressToken"}
    if params.keys() != {"_meta"} or meta[VERSION] != MODERN or not meta.keys() <= known or ABILITIES not in meta:
        raise NotUnderstoodError
    _check_client(meta.get(CLIENT, {"name": "", "version": ""}), meta[ABILITIES])
    return _is_plain({"_meta": {"progressToken": meta.get("progressToken", 0)}})


def _is_plain(params: Any) -> bool:
    """Return whether a request has no parameters, besides the token of its progress."""
    if params == {}:
        return True
    if not isinstance(params, dict) or params.keys() != {"_meta"} or not isinstance(params["_meta"], dict):
        return False
    meta = params["_meta"]
    return meta.keys() <= {"progressToken"} and _is_identifier(meta.get("progressToken", 0))


def _is_identifier(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)
