"""The same behaviour on every transport and in both protocol eras, from a real client to the wire to Mailgun."""

import asyncio
import json
import re
from base64 import b64encode

import anyio
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from mailgun_mcp import __version__
from tests.e2e.conftest import Reached
from tests.support.apps import KEY
from tests.support.snapshots import snapshots, written
from tests.support.upstream import Received, hangs, replies, says

pytestmark = pytest.mark.anyio

DOMAINS = {"total_count": 1, "items": [{"name": "mg.example.com", "state": "active", "type": "custom"}]}
BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}


async def test_all_tools_are_listed_as_their_snapshots_say(reached: Reached) -> None:
    listed = (await reached.client.list_tools()).tools
    assert {tool.name: written(tool) for tool in listed} == snapshots()
    assert len(listed) == 250


async def test_a_second_list_is_the_same(reached: Reached) -> None:
    assert await reached.client.list_tools() == await reached.client.list_tools()


async def test_a_call_reaches_mailgun_as_one_exact_request(reached: Reached) -> None:
    reached.upstream.then(says(DOMAINS))
    result = await reached.client.call_tool("list_domains", {"limit": 1, "state": "active"})
    assert (result.is_error, result.structured_content) == (False, {**DOMAINS, "next": {"skip": 1}})
    (request,) = reached.upstream.received
    assert request == Received(
        "GET",
        "/v4/domains?limit=1&state=active",
        {
            "host": reached.upstream.url.removeprefix("http://"),
            "authorization": f"Basic {b64encode(f'api:{KEY}'.encode()).decode()}",
            "user-agent": request.headers["user-agent"],
            "accept": "application/json",
            "accept-encoding": "gzip",
        },
        b"",
    )


async def test_the_text_of_a_result_is_its_structure(reached: Reached) -> None:
    reached.upstream.then(says(DOMAINS))
    result = await reached.client.call_tool("list_domains", {})
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    assert json.loads(content.text) == result.structured_content


async def test_wrong_arguments_answer_with_every_fault_and_send_nothing(reached: Reached) -> None:
    result = await reached.client.call_tool("get_bounce", {"domain": "mg", "adress": "x"})
    assert (result.is_error, result.structured_content, texts(result)) == (
        True,
        None,
        [
            "Nothing was sent: 3 faults in the arguments of get_bounce.\n"
            "- address: is required (string)\n"
            "- adress: unknown argument; did you mean address?\n"
            "- domain: 'mg' is not a domain name: it has no dot"
        ],
    )
    assert reached.upstream.received == []


async def test_a_call_that_nobody_can_confirm_waits_for_approval_and_changes_nothing(reached: Reached) -> None:
    result = await reached.client.call_tool("delete_bounce", BOUNCE)
    assert (result.is_error, result.structured_content) == (True, None)
    assert re.match(r"Pending approval [a-z2-9]{8}; nothing was sent\. ", texts(result)[0])
    assert reached.upstream.lines == ["GET /v3/mg.example.com/bounces/ann%40example.com"]


async def test_mailguns_own_refusal_is_a_result(reached: Reached) -> None:
    reached.upstream.then(replies(401, b"Forbidden", [("Content-Type", "text/plain")]))
    result = await reached.client.call_tool("get_bounce", BOUNCE)
    assert result.is_error
    assert texts(result)[0].startswith('Mailgun refused the API key (HTTP 401): "Forbidden". Check MAILGUN_API_KEY.')


async def test_an_unknown_tool_is_a_protocol_error_that_names_the_nearest(reached: Reached) -> None:
    with pytest.raises(MCPError) as caught:
        await reached.client.call_tool("list_domain", {})
    assert (caught.value.error.code, caught.value.error.message) == (
        types.INVALID_PARAMS,
        "Unknown tool 'list_domain': did you mean 'list_domains'?",
    )


async def test_the_server_tells_its_name_and_version(reached: Reached) -> None:
    info = reached.client.server_info
    assert info is not None
    assert (info.name, info.version) == ("mailgun-mcp", __version__)


async def test_lists_carry_cache_hints_in_the_modern_era_only(reached: Reached) -> None:
    client = reached.client
    lists: list[types.CacheableResult] = [
        await client.list_tools(),
        await client.list_prompts(),
        await client.list_resources(),
        await client.list_resource_templates(),
    ]
    hints = [(found.ttl_ms, found.cache_scope) if "ttl_ms" in found.model_fields_set else None for found in lists]
    # Over HTTP each principal is listed what their scopes reach.
    scope = "public" if reached.way in ("memory", "stdio") else "private"
    assert hints == ([(3_600_000, scope)] * 4 if reached.modern else [None] * 4)


async def test_every_prompt_is_told_with_its_arguments_filled_in(reached: Reached) -> None:
    for prompt in (await reached.client.list_prompts()).prompts:
        given = {argument.name: f"the-{argument.name}" for argument in prompt.arguments or []}
        told = await reached.client.get_prompt(prompt.name, given)
        (message,) = told.messages
        assert (told.description, message.role) == (prompt.description, "user")
        assert isinstance(message.content, types.TextContent)
        assert [value for value in given.values() if value not in message.content.text] == []


async def test_an_unknown_prompt_is_a_protocol_error(reached: Reached) -> None:
    with pytest.raises(MCPError, match="Unknown prompt 'Make_Coffee'") as caught:
        await reached.client.get_prompt("Make_Coffee")
    assert caught.value.error.code == types.INVALID_PARAMS


async def test_the_index_of_the_tools_is_a_resource(reached: Reached) -> None:
    index = await read(reached, "mailgun-mcp://tools")
    assert "| `get_bounce` | `GET /v3/{domain_name}/bounces/{address}` | read |" in index


async def test_each_tool_has_its_reference(reached: Reached) -> None:
    assert (await read(reached, "mailgun-mcp://tools/get_bounce")).startswith("# get_bounce\n")


async def test_the_domains_are_a_resource(reached: Reached) -> None:
    reached.upstream.then(says(DOMAINS))
    assert json.loads(await read(reached, "mailgun-mcp://domains")) == DOMAINS
    assert reached.upstream.lines == ["GET /v4/domains?limit=1000"]


async def test_the_templates_of_a_domain_are_a_resource(reached: Reached) -> None:
    reached.upstream.then(says({"items": [{"name": "welcome"}]}))
    assert json.loads(await read(reached, "mailgun-mcp://domains/mg.example.com/templates")) == {
        "items": [{"name": "welcome"}]
    }
    assert reached.upstream.lines == ["GET /v3/mg.example.com/templates"]


async def test_an_unknown_resource_is_a_protocol_error_that_names_it(reached: Reached) -> None:
    with pytest.raises(MCPError) as caught:
        await reached.client.read_resource("mailgun-mcp://tools/get_bounces")
    assert (caught.value.error.code, caught.value.error.data) == (
        types.INVALID_PARAMS,
        {"uri": "mailgun-mcp://tools/get_bounces"},
    )


async def test_domains_and_tool_names_are_completed(reached: Reached) -> None:
    reached.upstream.then(says(DOMAINS))
    templates = types.ResourceTemplateReference(type="ref/resource", uri="mailgun-mcp://domains/{domain}/templates")
    tools = types.ResourceTemplateReference(type="ref/resource", uri="mailgun-mcp://tools/{name}")
    domains = await reached.client.complete(templates, {"name": "domain", "value": "mg"})
    names = await reached.client.complete(tools, {"name": "name", "value": "get_bounce"})
    assert (domains.completion.values, "get_bounce" in names.completion.values) == (["mg.example.com"], True)


async def test_a_retry_is_told_as_progress(reached: Reached) -> None:
    reached.upstream.then(replies(503, b"busy", [("Retry-After", "0")]), says({"address": "ann@example.com"}))
    told: list[tuple[float, str]] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, (message or "").partition(";")[0]))

    result = await reached.client.call_tool("get_bounce", BOUNCE, progress_callback=listen)
    assert result.structured_content == {"listed": True, "address": "ann@example.com"}
    assert told == [(1.0, 'Mailgun failed (HTTP 503): "busy"')]


async def test_a_cancelled_call_closes_its_request_and_the_next_call_works(reached: Reached) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    reached.upstream.then(hangs(begun, ended), says(DOMAINS))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reached.client.call_tool, "get_bounce", BOUNCE)
        await begun.wait()
        tasks.cancel_scope.cancel()
    with anyio.fail_after(30):
        await ended.wait()
    result = await reached.client.call_tool("list_domains", {})
    assert result.structured_content == DOMAINS


async def test_many_calls_at_once_each_get_their_own_answer(reached: Reached) -> None:
    answers: dict[str, object] = {}

    async def call(address: str) -> None:
        result = await reached.client.call_tool("get_bounce", {**BOUNCE, "address": address})
        answers[address] = result.structured_content

    addresses = [f"person{number}@example.com" for number in range(32)]
    reached.upstream.then(*[reached.upstream.echoes] * 32)
    async with anyio.create_task_group() as tasks:
        for address in addresses:
            tasks.start_soon(call, address)
    assert answers == {address: {"listed": True, "address": address} for address in addresses}
    assert sorted(reached.upstream.lines) == sorted(
        f"GET /v3/mg.example.com/bounces/{address.replace('@', '%40')}" for address in addresses
    )


def texts(result: types.CallToolResult) -> list[str]:
    return [content.text for content in result.content if isinstance(content, types.TextContent)]


async def read(reached: Reached, uri: str) -> str:
    (content,) = (await reached.client.read_resource(uri)).contents
    assert isinstance(content, types.TextResourceContents)
    return content.text
