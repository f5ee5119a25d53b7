"""OpenTelemetry in the test's own process: what would go to a collector is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SpanExportResult

from mailgun_mcp.app.tracing import start_tracing

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Exporter:
    def __init__(self) -> None:
        self.spans: list[Any] = []

    def export(self, spans: Any) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is open."""

    def force_flush(self, timeout_millis: int = 0) -> bool:
        return True

    def ended(self) -> list[Any]:
        """Return all spans that have ended."""
        provider: Any = trace.get_tracer_provider()
        provider.force_flush()
        return self.spans

    def told(self) -> str:
        """Return all text in the spans that have ended."""
        return " ".join(span.to_json() for span in self.ended())


@contextmanager
def tracing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exporter]:
    """Trace during the block. OpenTelemetry takes one provider a process, and keeps it."""
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", type(trace._TRACER_PROVIDER_SET_ONCE)())
    exporter = Exporter()
    end = start_tracing("http://127.0.0.1:9", exporter)
    yield exporter
    end()
