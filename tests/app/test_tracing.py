"""One trace leads from the MCP request to each request to Mailgun, and holds nothing personal."""

import logging
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client
from opentelemetry import trace

from mailgun_mcp.app.tracing import send_rest, start_tracing, trace_calls
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.identity.start_token import start_token
from mailgun_mcp.output import logs
from mailgun_mcp.server.server import create_server
from tests.support.calls import BOUNCE, LOCAL_USER, run
from tests.support.processes import environment
from tests.support.recorder import Recorder, recorded_services
from tests.support.replicas import serving
from tests.support.team import bearer, modern, modern_headers
from tests.support.traces import PARENT, TRACE, TRACEPARENT, Exporter, tracing

pytestmark = pytest.mark.anyio


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exporter]:
    with tracing(monkeypatch) as exporter:
        yield exporter


async def test_a_call_and_its_requests_are_in_the_clients_trace(exporter: Exporter) -> None:
    mailgun = Recorder()
    services = recorded_services(mailgun)
    trace_calls(services)
    meta: Any = {"traceparent": TRACEPARENT}
    async with Client(create_server(services, LOCAL_USER)) as client:
        await client.call_tool("list_domains", {}, meta=meta)
        mailgun.answer = lambda _: httpx.Response(400, json={"message": "no"})
        await client.call_tool("get_bounce", BOUNCE)
    spans = {(span.name, span.attributes.get("http.response.status_code")): span for span in exporter.ended()}
    request, call = spans["Mailgun GET", 200], spans["tools/call list_domains", None]
    assert f"{request.context.trace_id:032x}" == TRACE
    assert f"{call.parent.span_id:016x}" == PARENT
    assert request.parent.span_id == call.context.span_id
    assert spans["Mailgun GET", 400].status.status_code.name == "ERROR"
    (recorded, *_) = [entry for entry in services.audit_log.calls() if entry.fields["tool"] == "list_domains"]
    assert call.attributes["mailgun_mcp.call"] == recorded.id
    assert "ann@example.com" not in exporter.told()
    assert "mg.example.com" not in exporter.told()


async def test_a_request_that_breaks_off_is_an_error_in_the_trace(exporter: Exporter) -> None:
    def break_off(_: str) -> httpx.Response:
        raise httpx.ReadError("gone")

    services = recorded_services(Recorder(break_off))
    trace_calls(services)
    await run(services, "list_domains", {})
    spans = [span for span in exporter.ended() if span.name == "Mailgun GET"]
    assert {span.attributes["error.type"] for span in spans} == {"NoAnswerError"}
    assert [span.attributes.get("http.request.resend_count") for span in spans] == [None, 1, 2, 3]


async def test_a_record_of_the_log_names_the_call_and_the_trace(
    exporter: Exporter, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.reset()
    logging.getLogger("mailgun_mcp").setLevel(logging.INFO)
    with trace.get_tracer("tests").start_as_current_span("outer") as span:
        token = logs.current_call.set("abc123")
        logs.logger().info("something")
        logs.current_call.reset(token)
        logs.logger().info("later")
    first, second = capsys.readouterr().err.splitlines()
    assert ("call='abc123'" in first, "call=" in second) == (True, False)
    assert f"trace='{span.get_span_context().trace_id:032x}'" in first


@pytest.mark.slow
def test_a_server_that_a_signal_ends_sends_its_last_traces(tmp_path: Path) -> None:
    received: list[str] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Collector) as collector:
        Thread(target=collector.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{collector.server_port}"
        variables = environment(tmp_path, {"OTEL_BSP_SCHEDULE_DELAY": "3600000"})
        with serving(variables, "--simulator", "--otlp-endpoint", endpoint) as server:
            token = bearer(start_token(tmp_path / "state"))
            with httpx.Client(base_url=server.url, headers=token) as client:
                headers = modern_headers("tools/call", "whoami")
                client.post("/mcp", json=modern("tools/call", name="whoami", arguments={}), headers=headers)
            server.process.terminate()
            server.process.wait(60)
        collector.shutdown()
    assert received == ["/v1/traces"]


async def test_nobody_waits_long_for_a_collector_at_the_end(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider: Any = trace.get_tracer_provider()
    monkeypatch.setattr("mailgun_mcp.app.tracing.PATIENCE", 0.1)
    never = Event()
    monkeypatch.setattr(provider, "force_flush", lambda: never.wait(60))
    with anyio.fail_after(30):
        await send_rest()
    never.set()


def test_without_the_extra_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match=r"mailgun-mcp-server\[metrics\]"):
        start_tracing("http://127.0.0.1:9")
