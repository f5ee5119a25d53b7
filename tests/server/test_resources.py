"""Resources, completions and prompts at their edges; the plain cases run on every transport in tests/e2e."""

import json
from collections.abc import AsyncIterator
from typing import Any

import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.builtin_tools import OWN_TOOLS
from mailgun_mcp.catalogue.procedures import ENDING, Procedure, ProcedureArgument
from mailgun_mcp.server import prompts
from mailgun_mcp.server.server import create_server
from tests.support.apps import services_at
from tests.support.calls import LOCAL_USER, run
from tests.support.operations import catalogue
from tests.support.several_accounts import ANN, two_accounts
from tests.support.upstream import Upstream, says

pytestmark = pytest.mark.anyio

PROMPT = Procedure(
    name="look_at",
    title="Look at a domain",
    description="Looks at a domain",
    needs=("get_domain",),
    arguments=(
        ProcedureArgument(name="domain", description="Which", required=True),
        ProcedureArgument(name="since", description="From when", required=False),
    ),
    body="Look at {domain} since {since}; keep {other}.",
)
DOMAIN = types.ResourceTemplateReference(type="ref/resource", uri="mailgun-mcp://domains/{domain}/templates")
TOOL = types.ResourceTemplateReference(type="ref/resource", uri="mailgun-mcp://tools/{name}")


@pytest.fixture
def services(upstream: Upstream) -> Services:
    return services_at(upstream.url)


@pytest.fixture(params=["legacy", "auto"])
async def client(request: pytest.FixtureRequest, services: Services) -> AsyncIterator[Client]:
    async with Client(create_server(services, LOCAL_USER), mode=request.param, cache=None) as connected:
        yield connected


@pytest.fixture
def only_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's prompts are this one: what ships may change."""
    monkeypatch.setattr(prompts.Prompts, "_procedures", {PROMPT.name: PROMPT})


async def text_of(client: Client, uri: str) -> str:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, types.TextResourceContents)
    return content.text


async def test_the_index_holds_every_operation_once(client: Client) -> None:
    rows = [
        line.split("`")[1]
        for line in (await text_of(client, "mailgun-mcp://tools")).splitlines()
        if line.startswith("| `")
    ]
    assert sorted(rows) == sorted(catalogue().names)


async def test_each_reference_names_every_argument(services: Services) -> None:
    async with Client(create_server(services, LOCAL_USER), cache=None) as client:
        references = {name: await text_of(client, f"mailgun-mcp://tools/{name}") for name in catalogue().names}
    assert [
        (operation.name, argument)
        for operation in catalogue()
        for argument in operation.input_schema.get("properties", {})
        if f"| `{argument}` |" not in references[operation.name]
    ] == []


async def test_resources_and_templates_are_listed_whole(client: Client) -> None:
    resources = (await client.list_resources()).resources
    templates = (await client.list_resource_templates()).resource_templates
    assert [(str(item.uri), item.mime_type) for item in resources if not str(item.uri).startswith("skill://")] == [
        ("mailgun-mcp://tools", "text/markdown"),
        ("mailgun-mcp://presets", "text/markdown"),
        ("mailgun-mcp://policy", "text/markdown"),
        ("mailgun-mcp://domains", "application/json"),
    ]
    assert [(template.uri_template, template.mime_type) for template in templates] == [
        ("mailgun-mcp://tools/{name}", "text/markdown"),
        ("mailgun-mcp://log/{call}", "application/json"),
        ("mailgun-mcp://charts/{chart}", "image/png"),
        ("mailgun-mcp://domains/{domain}/templates", "application/json"),
        ("mailgun-mcp://domains/{domain}/templates/{template}", "application/json"),
        ("mailgun-mcp://domains/{domain}/webhooks/{webhook}", "application/json"),
        ("mailgun-mcp://domains/{domain}/messages/{storage_key}{?storage_host}", "application/json"),
        ("mailgun-mcp://domains/{domain}/messages/{storage_key}/source{?storage_host}", "application/json"),
        (
            "mailgun-mcp://domains/{domain}/messages/{storage_key}/attachments/{index}{?storage_host}",
            "application/octet-stream",
        ),
        ("mailgun-mcp://lists/{list}", "application/json"),
        ("mailgun-mcp://routes/{route}", "application/json"),
    ]
    assert all((item.title or item.name) and item.description for item in resources)
    assert all(item.title and item.description for item in templates)


UNKNOWN = [
    "mailgun-mcp://",
    "mailgun-mcp://tools/",
    "mailgun-mcp://tools/nothing",
    "mailgun-mcp://tools/list_domains/more",
    "mailgun-mcp://domains/",
    "mailgun-mcp://domains/mg.example.com",
    "mailgun-mcp://domains/a/b/templates",
    "file:///etc/passwd",
    "https://example.com/tools",
    "tools",
]


@pytest.mark.parametrize("uri", UNKNOWN)
async def test_an_unknown_uri_is_not_found_and_named(uri: str, client: Client, upstream: Upstream) -> None:
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    error = caught.value.error
    assert (error.code, error.message, error.data) == (types.INVALID_PARAMS, "Resource not found", {"uri": uri})
    assert upstream.received == []


@pytest.mark.parametrize("domain", ["routes", "..", "%2e%2e", "%2e%2e%2froutes", "a%00b.com", "a%0d%0ab.com"])
async def test_a_domain_that_is_none_leaves_nothing(domain: str, client: Client, upstream: Upstream) -> None:
    with pytest.raises(MCPError, match="Nothing was sent") as caught:
        await client.read_resource(f"mailgun-mcp://domains/{domain}/templates")
    assert caught.value.error.code == types.INVALID_PARAMS
    assert upstream.received == []


async def test_a_resource_that_mailgun_refuses_says_so(client: Client, upstream: Upstream) -> None:
    upstream.then(says({"message": "Domain not found: mg.example.com"}, 404))
    with pytest.raises(MCPError, match=r"Not found at Mailgun \(HTTP 404\)"):
        await client.read_resource("mailgun-mcp://domains/mg.example.com/templates")


async def test_what_the_server_does_not_offer_is_no_resource_either(upstream: Upstream) -> None:
    services = services_at(upstream.url, catalogue=catalogue().select(tools=["list_routes"]))
    async with Client(create_server(services, LOCAL_USER), cache=None) as client:
        for uri in (
            "mailgun-mcp://domains",
            "mailgun-mcp://tools/list_domains",
            "mailgun-mcp://domains/a.com/templates",
        ):
            with pytest.raises(MCPError, match="Resource not found"):
                await client.read_resource(uri)
        completed = await client.complete(DOMAIN, {"name": "domain", "value": ""})
        assert "list_domains" not in await text_of(client, "mailgun-mcp://tools")
    assert completed.completion.values == []
    assert upstream.received == []


async def test_completions_are_at_most_a_hundred_and_say_how_many_there_are(client: Client) -> None:
    found = (await client.complete(TOOL, {"name": "name", "value": ""})).completion
    assert (len(found.values), found.total, found.has_more) == (100, len(catalogue()) + len(OWN_TOOLS), True)


async def test_completions_match_any_part_in_any_case(client: Client) -> None:
    found = (await client.complete(TOOL, {"name": "name", "value": "BOUNCE_CLASS"})).completion
    assert found.values
    assert [name for name in found.values if "bounce_class" not in name] == []


@pytest.mark.parametrize(
    "answer", [{"message": "no"}, {"items": None}, {"items": ["text", {"name": None}, {"id": 1}]}], ids=json.dumps
)
async def test_no_domains_complete_to_nothing(answer: dict[str, Any], client: Client, upstream: Upstream) -> None:
    upstream.then(says(answer))
    assert (await client.complete(DOMAIN, {"name": "domain", "value": ""})).completion.values == []


async def test_an_account_that_cannot_be_read_completes_to_nothing(client: Client, upstream: Upstream) -> None:
    upstream.then(says({"message": "no"}, 401))
    assert (await client.complete(DOMAIN, {"name": "domain", "value": ""})).completion.values == []


async def test_an_argument_that_nobody_knows_completes_to_nothing(client: Client) -> None:
    assert (await client.complete(TOOL, {"name": "colour", "value": ""})).completion.values == []


@pytest.mark.usefixtures("only_prompt")
async def test_a_prompt_is_filled_with_what_was_given(client: Client) -> None:
    filled = await client.get_prompt("look_at", {"domain": "{since}"})
    (message,) = filled.messages
    assert message.role == "user"
    assert message.content == types.TextContent(
        type="text", text=f"Look at {{since}} since (not given); keep {{other}}.\n\n{ENDING}"
    )


@pytest.mark.usefixtures("only_prompt")
@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("Look_At", {}, "Unknown prompt 'Look_At': did you mean 'look_at'?"),
        ("look_at", {}, "Prompt look_at needs domain"),
        ("look_at", {"domain": ""}, "Prompt look_at needs domain"),
        (
            "look_at",
            {"domain": "a.com", "Domian": "b"},
            "Unknown argument of prompt look_at 'Domian': did you mean 'domain'?",
        ),
    ],
)
async def test_a_wrong_prompt_is_a_protocol_error(
    name: str, arguments: dict[str, str], told: str, client: Client
) -> None:
    with pytest.raises(MCPError) as caught:
        await client.get_prompt(name, arguments)
    assert (caught.value.error.code, caught.value.error.message) == (types.INVALID_PARAMS, told)


async def test_domains_of_several_accounts_are_read_and_completed_together() -> None:
    services = two_accounts(policy="unguarded")
    for account, domain in (("production", "one.example.com"), ("staging", "two.example.com")):
        await run(services, "create_domain", {"account": account, "domain": domain}, ANN)
    async with Client(create_server(services, ANN.principal)) as client:
        parts = json.loads(await text_of(client, "mailgun-mcp://domains"))
        assert [part["account"] for part in parts] == ["production", "staging"]
        completed = await client.complete(DOMAIN, {"name": "domain", "value": "e.example.com"})
        assert completed.completion.values == ["one.example.com"]
        completed = await client.complete(DOMAIN, {"name": "domain", "value": "two.ex"})
        assert completed.completion.values == ["two.example.com"]
