"""The prompts that ship, as a client of either era gets them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mailgun_mcp.server import prompts
from mailgun_mcp.server.server import create_server
from tests.support.apps import services_at
from tests.support.calls import LOCAL_USER

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9"
"""No prompt calls Mailgun."""


@pytest.fixture(params=["legacy", "auto"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with Client(create_server(services_at(NOWHERE), LOCAL_USER), mode=request.param, cache=None) as connected:
        yield connected


async def text_of(client: Client, name: str, **arguments: str) -> str:
    (message,) = (await client.get_prompt(name, arguments)).messages
    assert message.content.type == "text"
    return message.content.text


async def test_the_prompts_are_listed_with_what_a_person_must_fill_in(client: Client) -> None:
    listed = {
        prompt.name: {argument.name: argument.required for argument in prompt.arguments or []}
        for prompt in (await client.list_prompts()).prompts
    }

    assert listed == {
        "clean_suppressions": {"domain": True, "list": False},
        "diagnose_delivery": {"domain": True, "recipient": False, "since": False},
        "review_data_flows": {"domain": False, "known_hosts": False},
        "set_up_domain": {"domain": True, "test_recipient": False},
        "weekly_report": {"week": False, "domain": False},
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

    assert len((await client.list_prompts()).prompts) == 5
