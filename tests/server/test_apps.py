"""MCP Apps, checked against the extension's text: the view of a chart, who gets it, and what it may not do."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Literal

import mcp_types as types
import pytest
from mcp import Client
from mcp.client.extension import ClientExtension, advertise
from mcp.shared.exceptions import MCPError

from mailgun_mcp.call.services import Services
from mailgun_mcp.call.workflows import charts
from mailgun_mcp.call.workflows.chart_picture import Chart
from mailgun_mcp.catalogue.workflow_tools import CHART_VIEW
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server.apps import META, chart_view
from mailgun_mcp.server.description import UI
from mailgun_mcp.server.plain_messages import VIEW_TYPE as MIME_TYPE
from mailgun_mcp.server.server import create_server
from tests.support.apps import services_at
from tests.support.calls import LOCAL_USER
from tests.support.stdio_sessions import made
from tests.support.workflows import account_of

pytestmark = pytest.mark.anyio

ERAS: tuple[Literal["legacy", "auto"], ...] = ("legacy", "auto")
VIEWS = advertise(UI, {"mimeTypes": [MIME_TYPE]})
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Chart]:
    """The pictures that are drawn, without drawing them."""
    pictures: list[Chart] = []

    def draw(chart: Chart, form: str) -> bytes:
        pictures.append(chart)
        return form.encode()

    monkeypatch.setattr(charts, "draw", draw)
    return pictures


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[Services]:
    async with account_of("blocklisting", str(tmp_path)) as opened:
        yield opened._services


def connected(
    services: Services,
    mode: Literal["legacy", "auto"] = "auto",
    extensions: Sequence[ClientExtension] = (),
    principal: Principal = LOCAL_USER,
) -> Client:
    return Client(create_server(services, principal), mode=mode, cache=None, extensions=extensions)


async def chart(client: Client, **arguments: Any) -> types.CallToolResult:
    result = await client.call_tool("chart_metrics", {"metric": "bounces", **arguments})
    assert not result.is_error
    return result


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_with_views_draws_the_figures_itself(
    account: Services, mode: Literal["legacy", "auto"], drawn: list[Chart]
) -> None:
    async with connected(account, mode, [VIEWS]) as client:
        result = await chart(client)
        assert [part.type for part in result.content] == ["text"], "the text is there for the model"
        assert result.structured_content is not None
        assert result.structured_content["facts"]["figures"]
        assert "picture" not in result.structured_content["facts"]
        assert drawn == []
        # Who asks for a picture gets one.
        assert [part.type for part in (await chart(client, format="png")).content] == ["text", "image"]


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("extensions", [(), (advertise(UI, {"mimeTypes": ["text/uri-list"]}),)])
async def test_other_clients_get_a_picture(
    account: Services, mode: Literal["legacy", "auto"], extensions: Sequence[ClientExtension]
) -> None:
    async with connected(account, mode, extensions) as client:
        assert [part.type for part in (await chart(client)).content] == ["text", "image"]


async def test_the_view_needs_no_plotting_library(account: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    async with connected(account, extensions=[VIEWS]) as client:
        await chart(client, by="provider")


@pytest.mark.parametrize("mode", ERAS)
async def test_the_tool_names_the_view_and_the_view_is_there(mode: Literal["legacy", "auto"]) -> None:
    async with connected(services_at(NOWHERE), mode) as client:
        tools = {tool.name: tool.meta or {} for tool in (await client.list_tools()).tools}
        assert [(name, meta["ui"]) for name, meta in tools.items() if "ui" in meta] == [
            ("chart_metrics", {"resourceUri": CHART_VIEW})
        ]
        (content,) = (await client.read_resource(CHART_VIEW)).contents
        assert isinstance(content, types.TextResourceContents)
        assert (content.uri, content.mime_type, content.text) == (CHART_VIEW, MIME_TYPE, chart_view())
        assert content.meta == META
        assert all(domains == [] for domains in META["ui"]["csp"].values())


async def test_without_the_tool_there_is_no_view() -> None:
    nobody = Principal("ann", access=Access(frozenset({"send"})))
    for services, principal in ((made(exclude_tools=("chart_metrics",)), LOCAL_USER), (made(), nobody)):
        async with connected(services, principal=principal) as client:
            with pytest.raises(MCPError, match="Resource not found"):
                await client.read_resource(CHART_VIEW)


async def test_the_extension_is_announced() -> None:
    async with connected(services_at(NOWHERE)) as client:
        capabilities = client.server_capabilities
        assert capabilities is not None
        assert capabilities.extensions is not None
        assert capabilities.extensions[UI] == {}


def test_the_view_loads_nothing_and_allows_its_own_script_and_style_alone() -> None:
    document = chart_view()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', document)
    for name, tag in (("script", "script"), ("style", "style")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", document, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "connect-src" not in policy, "nothing loosens the default"
    addresses = re.findall(r"https?://[^\s\"']+", document)
    assert addresses == ["http://www.w3.org/2000/svg"], "the name of SVG is no address that is loaded"
    assert not re.search(r"\b(?:src=|href=|innerHTML|insertAdjacentHTML|eval\(|fetch\(|import\b)", document)


def test_the_view_is_small() -> None:
    assert len(chart_view()) < 20_000
