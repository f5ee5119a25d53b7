"""Reads messages that every JSON parser understands alike, and finds out who sends them. Needs no SDK."""

import json
from typing import Any, NamedTuple, TypeGuard

from mailgun_mcp.server.description import UI
from mailgun_mcp.text.compact_json import compact

LONGEST = 64 * 1024
"""Maximum size of a message that is read here, in bytes. Longer ones are not plain."""
META = "io.modelcontextprotocol/"
VERSION, CLIENT, ABILITIES = f"{META}protocolVersion", f"{META}clientInfo", f"{META}clientCapabilities"
MODERN = "2026-07-28"
DEEPEST = 100
"""Maximum number of opening brackets in a message that is read here. Parsers differ in the depth that they allow."""
CANCELLED = b"cancelled"
"""Part of every message that cancels a request. The slash in its method may be written as an escape."""
CLIENT_FIELDS = frozenset({"name", "version", "title", "description", "websiteUrl"})
VIEW_TYPE = "text/html;profile=mcp-app"
"""Media type of the MCP Apps views that are shown beside a result."""

Message = dict[str, Any]


class NotUnderstoodError(Exception):
    """The message is left to the SDK, because it is not plain."""


class Client(NamedTuple):
    """The sender of a request, as it describes itself."""

    name: str = ""
    modern: bool = False
    """Whether it speaks the protocol since 2026-07-28."""
    shows_forms: bool = False
    shows_views: bool = False
    progress: int | str | None = None
    """The token for the progress reports that it asked for."""


def client_of(info: Any, abilities: Any, *, modern: bool) -> Client:
    """Return the client that these fields describe. Raises NotUnderstoodError for what the SDK could refuse."""
    check_client(info, abilities)
    elicitation = abilities.get("elicitation")
    forms = elicitation is not None and ("form" in elicitation or "url" not in elicitation)
    return Client(info["name"], modern, forms, shows_views(abilities.get("extensions")))


def shows_views(extensions: Any) -> bool:
    """Return whether a client with these extensions can show the views of MCP Apps."""
    settings = extensions.get(UI) if isinstance(extensions, dict) else None
    supported = settings.get("mimeTypes") if isinstance(settings, dict) else None
    return isinstance(supported, list) and VIEW_TYPE in supported


def client_of_call(params: Any, opened: Client) -> Client:
    """Return the client that makes a call with these parameters. Raises NotUnderstoodError if the call is not plain.

    `opened` is the client that opened the session. In the newer era, each request names its sender.
    """
    if not isinstance(params, dict) or not {"name"} <= params.keys() <= {"name", "arguments", "_meta"}:
        raise NotUnderstoodError
    meta = params.get("_meta", {})
    plain = isinstance(params["name"], str) and isinstance(params.get("arguments", {}), dict) and isinstance(meta, dict)
    if not plain or not is_identifier(meta.get("progressToken", 0)):
        raise NotUnderstoodError
    envelope = {name for name in meta if name.startswith(META)}
    if opened.modern:
        if not {VERSION, ABILITIES} <= envelope <= {VERSION, CLIENT, ABILITIES} or meta[VERSION] != MODERN:
            raise NotUnderstoodError
        opened = client_of(meta.get(CLIENT, NOBODY), meta[ABILITIES], modern=True)
    elif envelope:
        raise NotUnderstoodError
    return opened._replace(progress=meta.get("progressToken"))


NOBODY = {"name": "", "version": ""}
"""A client that does not say who it is."""


def parsed(line: bytes) -> Message:
    """Return the message, if every JSON parser reads the same in it. Raises NotUnderstoodError."""
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
    if not is_identifier(message.get("id", 0)):
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


def check_client(info: Any, abilities: Any) -> None:
    """Raise NotUnderstoodError for anything that the SDK could refuse. It ignores unknown capabilities."""
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


def to_line(message: Message) -> bytes:
    """Return the message as a line."""
    return compact(message).encode() + b"\n"


def is_identifier(value: Any) -> TypeGuard[int | str]:
    return isinstance(value, int | str) and not isinstance(value, bool)


def cancelled_in(body: bytes) -> int | str | None:
    """Return the id of the request that a message cancels, also if the message is not plain. None for any other."""
    if CANCELLED not in body:
        return None
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("method") != "notifications/cancelled" or "id" in message:
        return None
    params = message.get("params")
    identifier = params.get("requestId") if isinstance(params, dict) else None
    return identifier if is_identifier(identifier) else None
