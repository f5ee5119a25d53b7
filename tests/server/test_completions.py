"""Completions for arguments of prompts and resources, against the simulator."""

from collections.abc import AsyncIterator
from pathlib import Path

import mcp_types as types
import pytest
from mcp import Client

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call import pipeline
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.procedures import compiled_procedures
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server import completions
from mailgun_mcp.server.completions import CHOICES, FRESH, SOURCES
from mailgun_mcp.server.resource_kinds import KINDS, SCHEME
from mailgun_mcp.server.server import create_server
from mailgun_mcp.settings import Settings
from tests.support.calls import LOCAL_USER
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio

DOMAIN = {"domain": "mail.example.com"}


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    async with create_services(Settings(simulator=True, state=str(tmp_path))) as services:
        yield services


@pytest.fixture
async def client(services: Services) -> AsyncIterator[Client]:
    async with Client(create_server(services, LOCAL_USER), cache=None) as connected:
        yield connected


def resource(path: str) -> types.ResourceTemplateReference:
    return types.ResourceTemplateReference(type="ref/resource", uri=SCHEME + path)


def prompt(name: str) -> types.PromptReference:
    return types.PromptReference(type="ref/prompt", name=name)


async def values(
    client: Client,
    ref: types.ResourceTemplateReference | types.PromptReference,
    name: str,
    typed: str = "",
    given: dict[str, str] | None = None,
) -> list[str]:
    return (await client.complete(ref, {"name": name, "value": typed}, given)).completion.values


async def test_names_of_the_account_complete_resources(client: Client) -> None:
    assert "mail.example.com" in await values(client, resource("domains/{domain}/templates"), "domain", "MAIL")
    template = resource("domains/{domain}/templates/{template}")
    assert await values(client, template, "template", given=DOMAIN) == ["order-confirmation"]
    webhook = resource("domains/{domain}/webhooks/{webhook}")
    assert set(await values(client, webhook, "webhook", given=DOMAIN)) == {"permanent_fail", "clicked"}
    assert "monthly@news.example.org" in await values(client, resource("lists/{list}"), "list")
    routes = await values(client, resource("routes/{route}"), "route")
    assert len(routes) == 3


async def test_what_depends_on_a_domain_waits_for_it(client: Client) -> None:
    assert await values(client, resource("domains/{domain}/templates/{template}"), "template") == []


async def test_arguments_of_prompts_complete_too(client: Client) -> None:
    assert "news.example.org" in await values(client, prompt("diagnose_delivery"), "domain", "news")
    assert await values(client, prompt("clean_suppressions"), "list", "comp") == ["complaints"]
    assert "203.0.113.12" in await values(client, prompt("warm_up_ip"), "ip")
    assert "team@mail.example.com" in await values(client, prompt("send_campaign"), "to", "team")
    assert await values(client, prompt("write_template"), "purpose") == []


async def test_every_source_reads_what_is_there(client: Client) -> None:
    empty = [name for name in SOURCES if not await values(client, resource(f"{{{name}}}"), name, given=DOMAIN)]
    assert empty == []


def test_sources_read_only_and_choices_are_of_arguments_that_exist() -> None:
    assert {catalogue().find(source.tool).risk for source in SOURCES.values()} == {"read"}
    for name, argument in CHOICES:
        assert argument in [one.name for one in compiled_procedures()[name].arguments]
    variables = {variable for kind in KINDS for variable in kind.variables}
    arguments = {one.name for each in compiled_procedures().values() for one in each.arguments}
    assert SOURCES.keys() - {"tag"} <= variables | arguments


async def test_names_are_read_again_only_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, read = [1_000.0], []

    async def counted(services: Services, tool: str, arguments: Arguments, caller: Caller) -> CallResult:
        read.append(tool)
        return await pipeline.run(services, tool, arguments, caller)

    monkeypatch.setattr(completions, "run", counted)
    monkeypatch.setattr(completions, "MOST_CACHED", 2)
    services = create_services(Settings(simulator=True, state=str(tmp_path)))
    object.__setattr__(services, "clock", lambda: now[0])
    async with services, Client(create_server(services, LOCAL_USER), cache=None) as client:
        for _ in range(3):
            assert await values(client, resource("lists/{list}"), "list")
        assert read == ["list_mailing_lists"]
        now[0] += FRESH
        await values(client, resource("lists/{list}"), "list")
        assert len(read) == 2
        for name in ("route", "domain", "list"):
            await values(client, resource("x/{x}"), name)
        assert len(read) == 5, "the cache is bounded"


async def test_what_a_principal_may_not_read_completes_to_nothing(services: Services) -> None:
    sender = Principal("kim", access=Access(scopes=frozenset({"mailgun:send"})))
    async with Client(create_server(services, sender), cache=None) as client:
        assert await values(client, resource("lists/{list}"), "list") == []
        names = await values(client, resource("tools/{name}"), "name", "bounce")
    assert "list_bounces" not in names
