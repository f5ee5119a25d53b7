"""The server in the test's own process: listings, snapshots, and what must never reach the wire."""

import json
from typing import Any, Literal

import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.builtin_tools import OWN_TOOLS
from mailgun_mcp.server.instructions import instructions
from mailgun_mcp.server.server import create_server
from tests.support import snapshots
from tests.support.apps import services_at
from tests.support.calls import LOCAL_USER
from tests.support.operations import catalogue
from tests.support.upstream import Upstream

pytestmark = pytest.mark.anyio

ERAS = ("legacy", "auto")
Era = Literal["legacy", "auto"]


@pytest.fixture
def services(upstream: Upstream) -> Services:
    return services_at(upstream.url)


async def test_every_tool_is_as_its_snapshot_says(services: Services) -> None:
    async with Client(create_server(services, LOCAL_USER)) as client:
        tools = {tool.name: snapshots.written(tool) for tool in (await client.list_tools()).tools}
    if snapshots.wants_update():
        snapshots.update(tools)
    assert tools == snapshots.snapshots(), "review the change, then run the test with UPDATE_SNAPSHOTS=1"


def test_snapshots_are_never_written_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPDATE_SNAPSHOTS", "1")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(RuntimeError, match="UPDATE_SNAPSHOTS is set in CI"):
        snapshots.wants_update()


@pytest.mark.parametrize("era", ERAS)
async def test_tools_come_in_the_order_of_the_catalogue_then_the_servers_own_and_deprecated_ones_last(
    era: Era, services: Services
) -> None:
    async with Client(create_server(services, LOCAL_USER), mode=era) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
    deprecated = [tool["name"] for tool in catalogue().tools() if tool["_meta"]["mailgun-mcp/deprecated"]]
    current = [name for name in catalogue().names if name not in deprecated]
    assert names == [*current, *OWN_TOOLS, *deprecated]


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_not_selected_is_neither_listed_nor_callable(era: Era, upstream: Upstream) -> None:
    services = services_at(upstream.url, catalogue=catalogue().select(tools=["list_domains"]))
    async with Client(create_server(services, LOCAL_USER), mode=era) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["list_domains", "read_result", "whoami"]
        with pytest.raises(MCPError) as caught:
            await client.call_tool("list_routes", {})
    assert caught.value.error.code == types.INVALID_PARAMS
    assert upstream.received == []


@pytest.mark.parametrize("era", ERAS)
async def test_the_instructions_reach_the_client(era: Era, services: Services) -> None:
    async with Client(create_server(services, LOCAL_USER), mode=era) as client:
        assert client.instructions == instructions(services)


@pytest.mark.parametrize("era", ERAS)
async def test_a_bug_is_an_internal_error_without_its_text(
    era: Era, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Secret(RuntimeError):
        pass

    def fail(*_: object) -> dict[str, Any]:
        raise Secret("key-of-the-tests at https://api.mailgun.net")

    monkeypatch.setattr("mailgun_mcp.call.pipeline.shape", fail)
    async with Client(create_server(services, LOCAL_USER), mode=era) as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("list_domains", {})
    assert (caught.value.error.code, caught.value.error.message, caught.value.error.data) == (
        types.INTERNAL_ERROR,
        "Internal error",
        None,
    )


@pytest.mark.parametrize("era", ERAS)
async def test_no_answer_to_a_client_can_change_the_next_ones_list(era: Era, services: Services) -> None:
    server = create_server(services, LOCAL_USER)
    lists = []
    for _ in range(2):
        async with Client(server, mode=era, cache=None) as client:
            listed = await client.list_tools()
            lists.append(listed.model_dump_json())
            listed.tools.clear()
    assert lists[0] == lists[1]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("listing", ["list_tools", "list_prompts", "list_resources", "list_resource_templates"])
async def test_a_list_has_one_page_and_no_cursor_leads_to_another(listing: str, era: Era, services: Services) -> None:
    async with Client(create_server(services, LOCAL_USER), mode=era, cache=None) as client:
        assert (await getattr(client, listing)()).next_cursor is None
        with pytest.raises(MCPError) as caught:
            await getattr(client, listing)(cursor="2")
    assert (caught.value.error.code, caught.value.error.message) == (
        types.INVALID_PARAMS,
        "Unknown cursor: this list has one page",
    )


def test_the_whole_listing_is_json_that_any_client_reads() -> None:
    text = json.dumps(catalogue().tools(), allow_nan=False)
    assert json.loads(text) == catalogue().tools()


@pytest.mark.parametrize("era", ERAS)
async def test_in_search_mode_few_tools_are_listed_and_all_can_be_called(era: Era, upstream: Upstream) -> None:
    services = services_at(upstream.url, search_mode=True)
    async with Client(create_server(services, LOCAL_USER), mode=era) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert names[:4] == ["search_tools", "describe_tools", "read_tool", "call_tool"]
        assert len(names) == 11
        assert client.instructions is not None
        assert "find them with search_tools" in client.instructions
        assert len(client.instructions) < 2_048
        found = await client.call_tool("search_tools", {"queries": ["which inbound rules do we have"]})
        assert found.structured_content is not None
        assert "list_routes" in [tool["name"] for tool in found.structured_content["tools"]]
        for name, arguments in (("read_tool", {"name": "list_routes"}), ("list_routes", {})):
            assert not (await client.call_tool(name, arguments)).is_error
    assert [request.target.partition("?")[0] for request in upstream.received] == ["/v3/routes", "/v3/routes"]


def test_no_tool_has_an_argument_that_clients_repeat_in_a_header() -> None:
    assert "x-mcp-header" not in json.dumps(catalogue().tools())
