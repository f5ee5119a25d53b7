"""Subscriptions to resources, in both eras."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server.server import create_server
from mailgun_mcp.server.subscriptions import changed_uris
from mailgun_mcp.settings import Settings
from tests.support.calls import LOCAL_USER

pytestmark = pytest.mark.anyio

TEMPLATES = "mailgun-mcp://domains/mail.example.com/templates"
NEW = {"domain": "mail.example.com", "name": "welcome", "template": "Hello"}
PATIENCE = 10.0


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with create_services(Settings(simulator=True, policy="unguarded", state=str(tmp_path))) as services:
        yield services


async def ask(client: Client, method: str, uri: str) -> None:
    """Send a request that the newer era no longer has."""
    request: Any = types.Request[dict[str, Any], str](method=method, params={"uri": uri})
    await client.session.send_request(request, types.EmptyResult)


async def test_an_older_client_hears_of_changes_until_it_unsubscribes(services: Services) -> None:
    heard: list[str] = []
    woken = anyio.Event()

    async def hear(message: Any) -> None:
        if isinstance(message, types.ResourceUpdatedNotification):
            heard.append(str(message.params.uri))
            woken.set()

    server = create_server(services, LOCAL_USER)
    async with Client(server, mode="legacy", message_handler=hear, cache=None) as client:
        await ask(client, "resources/subscribe", TEMPLATES)
        await client.call_tool("list_templates", {"domain": "mail.example.com"})
        result = await client.call_tool("create_template", NEW)
        with anyio.fail_after(PATIENCE):
            await woken.wait()
        assert heard == [TEMPLATES]
        await ask(client, "resources/unsubscribe", TEMPLATES)
        await client.call_tool("delete_template", {"domain": "mail.example.com", "template_name": "welcome"})
        await client.list_prompts()
        assert heard == [TEMPLATES]
    assert not result.is_error


async def test_a_newer_client_listens_to_a_stream(services: Services) -> None:
    server = create_server(services, LOCAL_USER)
    async with Client(server, cache=None) as client, client.listen(resource_subscriptions=[TEMPLATES]) as events:
        await client.call_tool("create_template", NEW)
        with anyio.fail_after(PATIENCE):
            event = await anext(aiter(events))
        assert str(getattr(event, "uri", "")) == TEMPLATES


async def test_undo_tells_everybody_who_watches(services: Services) -> None:
    server = create_server(services, LOCAL_USER)
    heard: list[str] = []
    woken = anyio.Event()

    async def hear(message: Any) -> None:
        if isinstance(message, types.ResourceUpdatedNotification):
            heard.append(str(message.params.uri))
            if len(heard) == 2:
                woken.set()

    async with Client(server, mode="legacy", message_handler=hear, cache=None) as client:
        await ask(client, "resources/subscribe", TEMPLATES)
        made = await client.call_tool("create_template", NEW)
        assert made.structured_content is not None
        await client.call_tool("undo_operation", {"id": made.structured_content["undo"]["id"]})
        with anyio.fail_after(PATIENCE):
            await woken.wait()
    assert heard == [TEMPLATES, TEMPLATES]


@pytest.mark.parametrize("uri", ["mailgun-mcp://nothing", "mailgun-mcp://domains/other.example/templates"])
async def test_nobody_watches_what_they_may_not_read(services: Services, uri: str) -> None:
    reader = Principal("kim", access=Access(scopes=frozenset({"mailgun:read"}), domains=("mail.example.com",)))
    async with Client(create_server(services, reader), mode="legacy", cache=None) as client:
        await ask(client, "resources/subscribe", TEMPLATES)
        with pytest.raises(MCPError, match="Resource not found"):
            await ask(client, "resources/subscribe", uri)


@pytest.mark.parametrize(
    ("toolset", "arguments", "paths"),
    [
        ("domains", {"domain": "a.example"}, ["domains"]),
        (
            "templates",
            {"domain": "a.example", "name": "x"},
            ["domains/a.example/templates", "domains/a.example/templates/x"],
        ),
        ("templates", {"domain": "a.example"}, ["domains/a.example/templates"]),
        ("webhooks", {"domain": "a.example", "id": "opened"}, ["domains/a.example/webhooks/opened"]),
        ("lists", {"list_address": "a@b.example"}, ["lists/a@b.example"]),
        ("routes", {"id": "a/b"}, ["routes/a%2Fb"]),
        ("bounces", {"domain": "a.example"}, []),
    ],
)
def test_a_call_changes_what_its_arguments_name(toolset: str, arguments: dict[str, str], paths: list[str]) -> None:
    assert list(changed_uris(toolset, arguments)) == [f"mailgun-mcp://{path}" for path in paths]
