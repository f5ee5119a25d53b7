"""Answers plain tool calls without the SDK's models: they check and copy known data, for a tenth of a call's time.

Everything else stays the SDK's: dispatch, cancellation, progress, elicitation. A request or result that is not plain
goes through the models.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mailgun_mcp.server.context import ServerContext
from mailgun_mcp.server.description import SERVER_INFO

META = "io.modelcontextprotocol/"
ENVELOPE = frozenset(f"{META}{name}" for name in ("protocolVersion", "clientInfo", "clientCapabilities"))
"""Names in `_meta` that the SDK has already checked."""
PLAIN_RESULT = frozenset({"resultType", "content", "isError", "structuredContent"})
CallTool = Callable[[ServerContext, types.CallToolRequestParams], Awaitable[Any]]

_answered: ContextVar[Any] = ContextVar("answered", default=None)
"""The result of a finished call, on its way to the SDK's models."""


class PlainCalls:
    """Makes calls with `call_tool`, both as the SDK's handler and as a middleware before it."""

    def __init__(self, call_tool: CallTool) -> None:
        self._call_tool = call_tool

    async def handle(self, context: ServerContext, params: types.CallToolRequestParams) -> Any:
        """Make a call, unless the middleware has made it."""
        result = _answered.get()
        return await self._call_tool(context, params) if result is None else result

    async def answer(self, ctx: ServerContext, call_next: CallNext) -> HandlerResult:
        """Make a plain call, and return its result in the form that is sent."""
        if ctx.method != "tools/call" or not _is_plain(ctx):
            return await call_next(ctx)
        given: dict[str, Any] = dict(ctx.params or {})
        params = types.CallToolRequestParams.model_construct(
            meta=ctx.meta, name=given["name"], arguments=given.get("arguments")
        )
        result = await self._call_tool(ctx, params)
        modern = ctx.protocol_version in MODERN_PROTOCOL_VERSIONS
        if isinstance(result, dict) and result.keys() <= PLAIN_RESULT and len(result["content"]) == 1:
            return as_sent(result, modern=modern)
        token = _answered.set(result)
        try:
            return await call_next(ctx)
        finally:
            _answered.reset(token)


def _is_plain(context: ServerContext) -> bool:
    """Return whether the message is a request that holds only a name and arguments, in an open session."""
    if context.request_id is None:
        return False
    params: Any = context.params
    if not isinstance(params, dict) or not isinstance(params.get("name"), str):
        return False
    if not isinstance(params.get("arguments", {}), dict) or context.session.client_params is None:
        return False
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return params.keys() <= {"name", "arguments"}
    meta = params.get("_meta")
    return params.keys() <= {"name", "arguments", "_meta"} and isinstance(meta, dict) and meta.keys() <= ENVELOPE


def as_sent(result: dict[str, Any], *, modern: bool) -> dict[str, Any]:
    """Return a plain result as the SDK sends it, with the keys in its order."""
    content = [{"text": item["text"], "type": "text"} for item in result["content"]]
    sent: dict[str, Any] = {"content": content, "isError": result["isError"]}
    if modern:
        sent["resultType"] = result["resultType"]
    if result.get("structuredContent") is not None:
        sent["structuredContent"] = result["structuredContent"]
    if modern:
        sent["_meta"] = {f"{META}serverInfo": SERVER_INFO}
    return sent
