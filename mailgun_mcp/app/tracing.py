"""OpenTelemetry traces, from the MCP request to each request to Mailgun, for a collector that speaks OTLP over HTTP.

`server.spans` creates the span of the MCP request, below the parent that `traceparent` in the request's `_meta` names.
A span contains the tool's name and the id of the call in the audit log, but no arguments.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mailgun_mcp import __version__
from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.mailgun.client import Client

if TYPE_CHECKING:
    from mailgun_mcp.audit.call_record import CallRecord

TRACER = "mailgun_mcp"
PATIENCE = 3.0
"""Seconds for which a server that stops waits for the collector."""


def start_tracing(endpoint: str, exporter: Any = None) -> Callable[[], None]:
    """Send the traces of this process to the collector at `endpoint`. Return a function that sends the rest and stops.

    Must run before a server is created. Tests replace the network with `exporter`.
    Raises SettingsError if the extra `metrics` is not installed.
    """
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise SettingsError("otlp-endpoint: install mailgun-mcp-server[metrics]") from error
    resource = Resource.create({"service.name": "mailgun-mcp", "service.version": __version__})
    provider = TracerProvider(resource=resource)
    exporter = exporter or OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider.shutdown


async def send_rest() -> None:
    """Send the traces that are still to be sent, if there are any, for a few seconds at most.

    A server that a signal ended needs this: it never comes to what `atexit` has to do.
    """
    from anyio import move_on_after, to_thread
    from opentelemetry import trace

    flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if flush is not None:
        with move_on_after(PATIENCE):
            await to_thread.run_sync(flush, abandon_on_cancel=True)


def trace_calls(services: Services) -> None:
    """Add a span for each request to Mailgun, and the call's id to the span of the MCP request."""
    services.observers.append(_name_call)
    for client in (services.client, *(account.client for account in services.accounts)):
        client.watches.append(_watch_of(client))
    if services.personal is not None:
        services.personal.watches.append(_watch_of)


def _name_call(record: "CallRecord", _: float) -> None:
    from opentelemetry import trace

    trace.get_current_span().set_attributes(
        {
            "mailgun_mcp.call": record.call,
            "mailgun_mcp.risk": record.risk,
            "mailgun_mcp.outcome": record.outcome or "failed",
            "mailgun_mcp.decision": record.decision.effect if record.decision else "none",
        }
    )


def _watch_of(client: Client) -> Callable[[str, int], Any]:
    from urllib.parse import urlsplit

    from opentelemetry import trace
    from opentelemetry.trace import SpanKind, StatusCode

    tracer, host = trace.get_tracer(TRACER), urlsplit(client.endpoint.url).hostname or ""

    @contextmanager
    def watch(method: str, attempt: int) -> Iterator[Callable[[int], None]]:
        # The path is left out, because it may contain email addresses.
        attributes: dict[str, Any] = {"http.request.method": method, "server.address": host}
        if attempt > 1:
            attributes["http.request.resend_count"] = attempt - 1
        with tracer.start_as_current_span(
            f"Mailgun {method}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            def answered(status: int) -> None:
                span.set_attribute("http.response.status_code", status)
                if status >= 400:
                    span.set_status(StatusCode.ERROR)

            try:
                yield answered
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise

    return watch
