"""The span of each MCP request, below the parent that `traceparent` in its `_meta` names.

The SDK has such a middleware too. But it writes into spans what the client wrote: unknown names, ids of requests,
`tracestate`, and the errors that quote them. These may contain anything, personal data too, and be of any length.
"""

import re
from typing import Any

from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from opentelemetry.context import Context
from opentelemetry.propagate import extract
from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span, get_tracer
from pydantic import ValidationError

from mailgun_mcp.app.tracing import TRACER
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.procedures import compiled_procedures
from mailgun_mcp.server.context import ServerContext

NAMED = {"tools/call": "gen_ai.tool.name", "prompts/get": "gen_ai.prompt.name"}
"""Method -> the attribute for the name of what it asks for."""
OF_EVERY_SERVER = frozenset({"initialize", "notifications/initialized", "notifications/cancelled"})
"""Methods without a handler of their own."""
OTHER = "other"
IDENTIFIER = re.compile(r"[0-9a-fA-F-]{1,36}")
"""An id that is a number or a UUID."""


class Spans:
    """Middleware that traces each message of a server."""

    def __init__(self, server: Server[Any], services: Services) -> None:
        self._server = server
        self._services = services
        self._tracer = get_tracer(TRACER)

    async def __call__(self, ctx: ServerContext, call_next: CallNext) -> HandlerResult:
        """Pass the message on within a span."""
        method = ctx.method if self._is_known(ctx.method) else OTHER
        attributes = {"mcp.method.name": method, "mcp.protocol.version": ctx.protocol_version}
        if IDENTIFIER.fullmatch(identifier := str(ctx.request_id)):
            attributes["jsonrpc.request.id"] = identifier
        if method == "tools/call":
            attributes["gen_ai.operation.name"] = "execute_tool"
        with self._tracer.start_as_current_span(
            method,
            kind=SpanKind.SERVER,
            attributes=attributes,
            context=_parent(ctx.meta),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                result = await call_next(ctx)
            except Exception as error:
                _failed(span, error)
                raise
            name = (ctx.params or {}).get("name")
            if method in NAMED and isinstance(name, str) and self._has(method, name):
                span.update_name(f"{method} {name}")
                span.set_attribute(NAMED[method], name)
            if _is_failure(result):
                span.set_attribute("error.type", "tool_error")
                span.set_status(StatusCode.ERROR)
            return result

    def _is_known(self, method: str) -> bool:
        server = self._server
        return (
            method in OF_EVERY_SERVER
            or server.get_request_handler(method) is not None
            or server.get_notification_handler(method) is not None
        )

    def _has(self, method: str, name: str) -> bool:
        """Return whether the server has a tool or prompt of that name. A notification may get here with any."""
        if method == "prompts/get":
            return name in compiled_procedures()
        return name in self._services.builtin_tools or name in self._services.catalogue


def _is_failure(result: HandlerResult) -> bool:
    """Return whether it is the result of a call that failed."""
    return result.get("isError") is True if isinstance(result, dict) else getattr(result, "is_error", None) is True


def _failed(span: Span, error: Exception) -> None:
    span.set_status(StatusCode.ERROR)
    if isinstance(error, (MCPError, ValidationError)):
        code = str(error.error.code if isinstance(error, MCPError) else INVALID_PARAMS)
        span.set_attributes({"error.type": code, "rpc.response.status_code": code})
    else:
        span.set_attribute("error.type", type(error).__name__)


def _parent(meta: Any) -> Context | None:
    """Return the context that `traceparent` names. None without a valid one: the span then starts a trace."""
    try:
        # Nothing else of `meta`: `tracestate` and `baggage` hold text of the client's.
        context = extract({"traceparent": (meta or {}).get("traceparent")})
    except (ValueError, TypeError):
        return None
    return context if get_current_span(context).get_span_context().is_valid else None
