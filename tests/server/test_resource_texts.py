"""The texts of resources that no tool returns, as a client reads them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server.server import create_server
from mailgun_mcp.settings import Settings
from tests.support.calls import LOCAL_USER

pytestmark = pytest.mark.anyio

NOT_FOUND = "Resource not found"


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with create_services(Settings(simulator=True, state=str(tmp_path))) as services:
        yield services


async def text_of(services: Services, uri: str, principal: Principal = LOCAL_USER) -> str:
    async with Client(create_server(services, principal), cache=None) as client:
        try:
            (content,) = (await client.read_resource(uri)).contents
        except MCPError as error:
            return error.error.message
    assert isinstance(content, types.TextResourceContents)
    return content.text


async def test_the_policy_says_what_becomes_of_each_tool(services: Services) -> None:
    text = await text_of(services, "mailgun-mcp://policy")
    assert text.startswith("# Policy guarded\n")
    assert "| `delete_domain` | destructive | confirm" in text
    assert "| `explain_delivery` | read | allow" in text


async def test_a_principal_sees_only_what_they_could_call(services: Services) -> None:
    reader = Principal("kim", access=Access(scopes=frozenset({"mailgun:read"})))
    for uri in ("mailgun-mcp://policy", "mailgun-mcp://tools"):
        text = await text_of(services, uri, reader)
        assert "`list_domains`" in text
        assert "`delete_domain`" not in text
    assert await text_of(services, "mailgun-mcp://tools/delete_domain", reader) == NOT_FOUND


async def test_presets_say_what_they_are_for_and_who_chooses(services: Services) -> None:
    text = await text_of(services, "mailgun-mcp://presets")
    assert "A person chooses them" in text
    assert "| `suppressions` | Keep bounces" in text


async def test_the_servers_own_tools_have_a_reference_too(services: Services) -> None:
    assert (await text_of(services, "mailgun-mcp://tools/explain_delivery")).startswith("# explain_delivery\n")


async def test_a_log_entry_is_of_ones_own_call_and_without_its_arguments(services: Services) -> None:
    async with Client(create_server(services, LOCAL_USER), cache=None) as client:
        await client.call_tool("add_allowlist_entry", {"domain": "mail.example.com", "address": "kim@example.net"})
    services.close()
    (logged,) = [call for call in services.audit_log.calls() if call.fields["tool"] == "add_allowlist_entry"]
    uri = f"mailgun-mcp://log/{logged.id}"
    entry = json.loads(await text_of(services, uri))
    assert (entry["call"], entry["tool"], entry["outcome"]) == (logged.id, "add_allowlist_entry", logged.outcome)
    assert "kim@example.net" not in json.dumps(entry)
    assert await text_of(services, uri, Principal("somebody else")) == NOT_FOUND
    assert await text_of(services, "mailgun-mcp://log/unknown") == NOT_FOUND


async def test_without_a_log_there_is_no_entry(services: Services) -> None:
    assert await text_of(services, "mailgun-mcp://log/anything") == NOT_FOUND


async def test_a_chart_is_an_image_block_and_can_be_read_again_by_its_owner(services: Services) -> None:
    async with Client(create_server(services, LOCAL_USER), cache=None) as client:
        result = await client.call_tool("chart_metrics", {"metric": "bounces"})
        text, image = result.content
        assert isinstance(text, types.TextContent)
        assert isinstance(image, types.ImageContent)
        assert image.mime_type == "image/png"
        uri = json.loads(text.text)["facts"]["picture"]
        (content,) = (await client.read_resource(uri)).contents
        assert isinstance(content, types.BlobResourceContents)
        assert (content.blob, content.mime_type) == (image.data, "image/png")
    assert await text_of(services, uri, Principal("somebody else")) == NOT_FOUND
