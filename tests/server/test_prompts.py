"""The prompts that ship, as a client of either era gets them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server import prompts
from mailgun_mcp.server.server import create_server
from tests.support.apps import services_at
from tests.support.calls import LOCAL_USER
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9"
"""No prompt calls Mailgun."""


@pytest.fixture(params=["legacy", "auto"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with Client(create_server(services_at(NOWHERE), LOCAL_USER), mode=request.param, cache=None) as connected:
        yield connected


async def text_of(client: Client, name: str, /, **arguments: str) -> str:
    (message,) = (await client.get_prompt(name, arguments)).messages
    assert message.content.type == "text"
    return message.content.text


async def test_the_prompts_are_listed_with_what_a_person_must_fill_in(client: Client) -> None:
    listed = {
        prompt.name: {argument.name: argument.required for argument in prompt.arguments or []}
        for prompt in (await client.list_prompts()).prompts
    }

    assert listed == {
        "answer_complaint": {"address": True, "complaint": False},
        "clean_suppressions": {"domain": True, "list": False},
        "complaint_spike": {"domain": True, "since": False},
        "diagnose_delivery": {"domain": True, "recipient": False, "since": False},
        "explain_bounce_code": {"code": True, "domain": False},
        "migrate_provider": {"provider": True, "domain": True},
        "onboard_subaccount": {"name": True, "domain": False, "monthly_limit": False},
        "receive_mail": {"address": True, "destination": False},
        "review_data_flows": {"domain": False, "known_hosts": False},
        "rotate_keys": {"what": False, "reason": False},
        "send_campaign": {"domain": True, "what": True, "to": True},
        "set_up_domain": {"domain": True, "test_recipient": False},
        "warm_up_ip": {"ip": True, "daily_volume": False},
        "weekly_report": {"week": False, "domain": False},
        "write_template": {"domain": True, "template": True, "purpose": True},
    }


async def test_every_prompt_has_a_title_and_tells_what_it_and_its_arguments_are_for(client: Client) -> None:
    for prompt in (await client.list_prompts()).prompts:
        assert prompt.title
        assert prompt.description
        assert all(argument.description for argument in prompt.arguments or [])


async def test_a_filled_prompt_has_no_places_left(client: Client) -> None:
    for prompt in (await client.list_prompts()).prompts:
        given = {argument.name: f"value of {argument.name}" for argument in prompt.arguments or []}
        text = await text_of(client, prompt.name, **given)

        assert [value for value in given.values() if value not in text] == []
        assert re.search(r"[{}]", text) is None


async def test_what_is_left_out_says_so(client: Client) -> None:
    text = await text_of(client, "diagnose_delivery", domain="mg.example.com", recipient="")

    assert text.startswith(
        "Find out why mail from mg.example.com does not arrive. Recipient: (not given). Since: (not given).\n"
    )


@pytest.mark.parametrize("value", ["{recipient}", "{since}{domain}", "{0}{", "}{", r"\1 \g<0>", "{{domain}}"])
async def test_braces_and_backslashes_in_a_value_stay_as_they_are(client: Client, value: str) -> None:
    text = await text_of(client, "diagnose_delivery", domain=value, recipient="a@example.com", since="Monday")

    assert text.startswith(
        f"Find out why mail from {value} does not arrive. Recipient: a@example.com. Since: Monday.\n"
    )


@pytest.mark.parametrize("arguments", [{}, {"domain": ""}], ids=["missing", "empty"])
async def test_a_missing_argument_is_named(client: Client, arguments: dict[str, str]) -> None:
    with pytest.raises(MCPError, match=r"^Prompt clean_suppressions needs domain$") as refusal:
        await client.get_prompt("clean_suppressions", arguments)

    assert refusal.value.error.code == -32602


async def names_of(services: Services) -> list[str]:
    async with Client(create_server(services, LOCAL_USER)) as client:
        return [prompt.name for prompt in (await client.list_prompts()).prompts]


async def test_prompts_that_need_other_tools_are_neither_listed_nor_filled() -> None:
    services = services_at(NOWHERE, catalogue=catalogue().select(read_only=True))
    names = await names_of(services)
    assert "diagnose_delivery" in names
    assert "onboard_subaccount" not in names
    async with Client(create_server(services, LOCAL_USER)) as client:
        with pytest.raises(
            MCPError, match="onboard_subaccount needs tools that are not offered here: create_subaccount"
        ):
            await client.get_prompt("onboard_subaccount", {"name": "Kim"})


async def test_in_search_mode_prompts_name_what_can_be_found() -> None:
    assert len(await names_of(services_at(NOWHERE, search_mode=True))) == 15


async def test_a_prompt_is_narrowed_to_the_scopes_of_the_principal() -> None:
    services = services_at(NOWHERE)
    reader = Principal("kim", access=Access(scopes=frozenset({"mailgun:read"})))
    async with Client(create_server(services, reader)) as client:
        text = await text_of(client, "clean_suppressions", domain="mg.example.com")
        assert "onboard_subaccount" not in [prompt.name for prompt in (await client.list_prompts()).prompts]
    assert "delete_bounce" not in text
    assert "This server does not offer these tools" in text
    assert "Remove a bounce" in text


async def test_prompts_compiled_from_other_sources_are_refused_in_a_checkout(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(prompts, "SOURCES", tmp_path / "prompts")

    with pytest.raises(
        MCPError, match=r"^The compiled prompts are stale: run `python -m mailgun_mcp\.catalogue\.compile`$"
    ):
        await client.list_prompts()


async def test_without_a_checkout_the_compiled_prompts_stand(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "SOURCES", tmp_path / "prompts")

    assert len((await client.list_prompts()).prompts) == 15
