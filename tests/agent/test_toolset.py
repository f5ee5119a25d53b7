"""The tools as the model of a chat has them."""

import pytest

from mailgun_mcp.agent.toolset import FIND_TOOLS, FIRST, MOST_FOUND, Toolset, newest_found, shown
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.confirm.asker import InChat
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.access import EVERYTHING
from mailgun_mcp.settings import Settings
from tests.support.apps import opened, own_state
from tests.support.chats import ANN

pytestmark = pytest.mark.anyio


@pytest.fixture
def toolset() -> Toolset:
    return Toolset(opened(create_services(Settings(simulator=True, state=str(own_state())))), EVERYTHING)


def test_a_dozen_tools_are_there_at_first(toolset: Toolset) -> None:
    assert [tool["name"] for tool in toolset.tools([])] == [FIND_TOOLS, *FIRST]
    assert len(FIRST) == 12


async def test_searching_finds_tools_and_says_what_they_need(toolset: Toolset) -> None:
    result = await toolset.call(FIND_TOOLS, {"queries": ["create a webhook"]}, Caller(ANN))
    assert "create_domain_webhook" in result.text
    assert "create_domain_webhook" in toolset.found_by({"queries": "create a webhook"})
    assert (await toolset.call(FIND_TOOLS, {}, Caller(ANN))).status == "failed"
    assert toolset.found_by({"queries": [3]}) == []


async def test_a_tool_that_is_not_there_is_no_tool(toolset: Toolset) -> None:
    result = await toolset.call("delete_everything", {}, Caller(ANN))
    assert (result.status, FIND_TOOLS in result.text) == ("failed", True)
    assert toolset.describe("delete_everything", {})["title"] == "delete_everything"


async def test_a_form_that_quotes_third_parties_marks_the_call_as_it_raises_levels(toolset: Toolset) -> None:
    there = {"domain_name": "mail.example.com", "address": "nobody@novak.example"}
    result = await toolset.call("delete_bounce", there, Caller(ANN, asker=InChat()))
    assert (result.status, result.third_party_text) == ("waiting", True)
    assert "User unknown" not in result.text


def test_the_newest_found_tools_stay() -> None:
    assert newest_found([["a", "b"], ["a"]]) == ["b", "a"]
    many = [f"tool_{number}" for number in range(MOST_FOUND + 5)]
    assert newest_found([many]) == many[5:]


def test_people_are_shown_no_secrets_and_no_whole_novels(toolset: Toolset) -> None:
    described = toolset.describe("create_smtp_credentials", {"domain_name": "a.example.com", "password": "hunter2"})
    assert described["risk"] == "credential"
    assert "hunter2" not in str(toolset.describe("no_such_tool", {"password": "hunter2"}))
    assert "hunter2" not in str(described)
    assert shown("x" * 9_000).endswith("[9,000 characters in all]")
