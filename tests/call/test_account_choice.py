"""In which of a server's accounts a call is made."""

from typing import Any

import pytest

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.account_choice import shown_tools, usable_accounts
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.tool_costs import estimated_tokens
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.settings import Settings
from tests.support.apps import own_state
from tests.support.calls import LOCAL, run
from tests.support.several_accounts import ANN, BEN, PRO, SAM, ZOE, two_accounts
from tests.support.upstream import Upstream, says

pytestmark = pytest.mark.anyio

BOTH = ("production", "staging")


@pytest.fixture
def services() -> Services:
    return two_accounts(policy="unguarded")


async def domains(services: Services, caller: Caller, **arguments: Any) -> list[str]:
    outcome = await run(services, "list_domains", arguments, caller)
    assert outcome.structured is not None, outcome.text
    return [item["name"] for item in outcome.structured["items"]]


async def add(services: Services, account: str, name: str) -> None:
    outcome = await run(services, "create_domain", {"account": account, "domain": name}, ANN)
    assert outcome.kind == "done", outcome.text


@pytest.mark.parametrize(
    ("caller", "names"),
    [(ANN, BOTH), (PRO, ("production",)), (SAM, ("staging",)), (BEN, ("production",)), (ZOE, ()), (LOCAL, BOTH)],
    ids=["both", "by-token", "by-token-and-file", "by-file", "neither", "who-runs-the-server"],
)
def test_token_and_file_both_have_to_permit_an_account(services: Services, caller: Caller, names: tuple[str]) -> None:
    assert usable_accounts(services, caller.principal) == names


async def test_the_call_is_made_in_the_account_that_it_names(services: Services) -> None:
    await add(services, "production", "new.example.com")
    assert "new.example.com" in await domains(services, ANN, account="production", limit=1000)
    assert "new.example.com" not in await domains(services, ANN, account="staging", limit=1000)


async def test_the_call_is_made_in_the_account_of_its_domain(services: Services) -> None:
    await add(services, "staging", "new.example.com")
    outcome = await run(services, "get_domain", {"domain": "new.example.com"}, ANN)
    assert outcome.structured is not None, outcome.text
    assert outcome.structured["account"] == "staging"


async def test_a_domain_that_was_just_added_is_found(services: Services) -> None:
    now = 0.0
    services.domains._clock = lambda: now
    assert await services.domains.accounts_with("new.example.com", BOTH) == []
    await add(services, "staging", "new.example.com")
    assert await services.domains.accounts_with("new.example.com", BOTH) == []
    now = 11.0
    assert await services.domains.accounts_with("new.example.com", BOTH) == ["staging"]
    gone = await run(services, "delete_domain", {"domain": "new.example.com"}, ANN)
    assert gone.kind == "done", gone.text
    now = 400.0
    assert await services.domains.accounts_with("new.example.com", BOTH) == []


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        ("list_domains", {}, "production or staging"),
        ("get_domain", {"domain": "mail.example.com"}, "several accounts have mail.example.com"),
        ("get_domain", {"domain": "nowhere.example.net"}, "no account is known to have nowhere.example.net"),
        ("list_domains", {"account": "stagin"}, "unknown account 'stagin': did you mean 'staging'"),
        ("list_domains", {"account": 7}, "unknown account '7'"),
    ],
)
async def test_where_the_account_is_not_clear_nothing_is_sent(
    services: Services, tool: str, arguments: dict[str, Any], why: str
) -> None:
    outcome = await run(services, tool, arguments, ANN)
    assert (outcome.kind, why in outcome.text) == ("invalid", True), outcome.text


async def test_whose_domains_cannot_be_read_may_have_the_domain(services: Services) -> None:
    await add(services, "staging", "new.example.com")
    production = services.of_accounts["production"].client
    production._transport = None
    production._connect = unreachable
    outcome = await run(services, "get_domain", {"domain": "new.example.com"}, ANN)
    assert (outcome.kind, "several accounts have" in outcome.text) == ("invalid", True)


def unreachable() -> Any:
    from mailgun_mcp.errors import UnreachableError

    raise UnreachableError("no network", "")


async def test_who_has_one_account_needs_no_argument_and_has_none(services: Services) -> None:
    assert await domains(services, PRO)
    outcome = await run(services, "list_domains", {"account": "production"}, PRO)
    assert (outcome.kind, "account" in outcome.text) == ("invalid", True)


async def test_the_tools_show_the_choice_to_those_who_have_one(services: Services) -> None:
    for caller, choice in ((ANN, {"type": "string", "enum": list(BOTH)}), (PRO, None)):
        tools = {
            tool["name"]: tool
            for tool in shown_tools(services.listed_tools, usable_accounts(services, caller.principal))
        }
        for tool in ("list_domains", "list_undoable", "undo_operation", "explain_delivery"):
            assert tools[tool]["inputSchema"]["properties"].get("account") == choice
        for tool in ("whoami", "read_result"):
            assert "account" not in tools[tool]["inputSchema"]["properties"]


async def test_in_search_mode_the_argument_is_that_of_the_call_inside() -> None:
    services = two_accounts(policy="unguarded", mode="search")
    described = await run(services, "describe_tools", {"names": ["list_domains"]}, ANN)
    assert described.structured is not None
    assert described.structured["tools"][0]["input_schema"]["properties"]["account"]["enum"] == list(BOTH)
    outcome = await run(services, "read_tool", {"name": "list_domains", "arguments": {"account": "staging"}}, ANN)
    assert outcome.structured is not None, outcome.text
    assert outcome.structured["account"] == "staging"


@pytest.mark.parametrize(("caller", "names"), [(ANN, list(BOTH)), (PRO, ["production"]), (ZOE, [])])
async def test_whoami_lists_the_accounts(services: Services, caller: Caller, names: list[str]) -> None:
    outcome: CallResult = await run(services, "whoami", {}, caller)
    assert outcome.structured is not None
    assert (outcome.structured["accounts"], "account" in outcome.structured) == (names, False)


async def test_a_call_that_failed_before_its_account_was_known_is_recorded_without_one(services: Services) -> None:
    await run(services, "delete_domain", {"domain": "nowhere.example.net"}, ANN)
    await run(services, "delete_domain", {"account": "staging", "domain": "mail.example.com"}, ANN)
    services.recorder.close()
    calls = [call.fields for call in services.audit_log.calls() if call.fields["tool"] == "delete_domain"]
    assert sorted(str(fields.get("account")) for fields in calls) == ["None", "staging"]


async def test_a_workflow_stays_in_its_account(services: Services) -> None:
    outcome = await run(services, "explain_delivery", {"account": "staging", "domain": "mail.example.com"}, ANN)
    assert "account: name the account" not in outcome.text


def test_the_principal_of_the_file_is_matched_to_the_letter(services: Services) -> None:
    assert usable_accounts(services, Principal("Ann", access=ANN.principal.access)) == ("production",)


def test_the_choice_costs_less_than_an_eighth_of_the_list_and_nothing_without_it(services: Services) -> None:
    tools = services.listed_tools
    assert shown_tools(tools, usable_accounts(services, PRO.principal)) == tools
    cost = estimated_tokens(shown_tools(tools, usable_accounts(services, ANN.principal))) / estimated_tokens(tools)
    assert 1 < cost < 1 + 1 / 8
    searching = two_accounts(mode="search")
    assert estimated_tokens(shown_tools(searching.listed_tools, usable_accounts(searching, ANN.principal))) < 2_000


async def test_an_error_about_a_key_names_its_account_and_no_setting_that_would_change_nothing(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_OF_PRODUCTION", "key-0123")
    table = {"api_key_env": "KEY_OF_PRODUCTION", "url": upstream.url}
    upstream.then(says({"message": "Invalid private key"}, 401))
    async with create_services(Settings(accounts={"production": table}, state=str(own_state()))) as services:
        outcome = await run(services, "get_domain", {"domain": "mg.example.com"}, ANN)
    assert outcome.kind == "failed"
    assert "checks the key of the account production in mailgun-mcp.toml" in outcome.text
    assert "MAILGUN_API_" not in outcome.text
