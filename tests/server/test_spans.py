"""The span of an MCP request names what this server has, and nothing that the client wrote."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from mailgun_mcp.server.server import create_server
from mailgun_mcp.server.spans import Spans
from tests.support.calls import LOCAL_USER
from tests.support.recorder import Recorder, recorded_services
from tests.support.team import modern, modern_headers, team_server, token_of
from tests.support.traces import PARENT, TRACE, TRACEPARENT, Exporter, tracing

pytestmark = pytest.mark.anyio

PERSON = "ann@personal.example"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exporter]:
    with tracing(monkeypatch) as exporter:
        yield exporter


async def ask(method: str, name: str | None = None, number: Any = 1, **params: Any) -> None:
    """Send a message of the newer era."""
    services = recorded_services(Recorder())
    token = token_of(services, "ann", "read")
    async with team_server(services) as client:
        named = {} if name is None else {"name": name}
        message = {**modern(method, **named, **params), "id": number}
        message["params"]["_meta"] |= {"traceparent": TRACEPARENT, "tracestate": f"vendor={PERSON}"}
        answer = await client.post(
            "/mcp", json=message, headers={**token, **modern_headers(method, name or params.get("uri"))}
        )
        assert answer.status_code in (200, 400, 404)


async def test_a_call_continues_the_clients_trace_and_names_the_tool(exporter: Exporter) -> None:
    await ask("tools/call", "list_domains", arguments={})
    (span,) = [span for span in exporter.ended() if span.name == "tools/call list_domains"]
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == PARENT
    assert span.attributes["gen_ai.tool.name"] == "list_domains"
    assert span.attributes["jsonrpc.request.id"] == "1"
    assert PERSON not in exporter.told()


@pytest.mark.parametrize(
    ("method", "name", "params"),
    [
        ("tools/call", PERSON, {"arguments": {}}),
        ("tools/call", "get_bounce", {"arguments": PERSON}),
        ("prompts/get", PERSON, {"arguments": {}}),
        ("prompts/get", "triage-bounces", {"arguments": {PERSON: PERSON}}),
        ("resources/read", None, {"uri": f"mailgun-mcp://{PERSON}"}),
        ("tools/list", None, {"cursor": PERSON}),
        (PERSON, None, {}),
    ],
)
async def test_a_refused_request_leaves_nothing_of_the_client_in_its_span(
    exporter: Exporter, method: str, name: str | None, params: dict[str, Any]
) -> None:
    await ask(method, name, PERSON, **params)
    errors = [span.attributes.get("error.type") for span in exporter.ended() if span.parent is not None]
    assert errors != []
    assert None not in errors
    assert PERSON not in exporter.told()


@pytest.mark.parametrize("method", ["tools/call", "prompts/get"])
async def test_a_name_that_nobody_has_looked_up_is_not_in_its_span(exporter: Exporter, method: str) -> None:
    async def nothing(_: Any) -> None:
        """Answer a notification, or ask something before the call."""

    services = recorded_services(Recorder())
    context: Any = SimpleNamespace(
        method=method, params={"name": PERSON}, meta=None, request_id=None, protocol_version="2025-11-25"
    )
    await Spans(create_server(services, LOCAL_USER), services)(context, nothing)
    assert [span.name for span in exporter.ended()] == [method]
    assert PERSON not in exporter.told()


async def test_a_failed_call_is_an_error_in_its_span(exporter: Exporter) -> None:
    await ask("tools/call", "list_bounces", arguments={"domain": PERSON})
    (span,) = exporter.ended()
    assert span.name == "tools/call list_bounces"
    assert span.attributes["error.type"] == "tool_error"
    assert span.status.status_code.name == "ERROR"
    assert PERSON not in exporter.told()
