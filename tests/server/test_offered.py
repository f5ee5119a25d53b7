"""Which tools prompts and skills may name."""

import pytest

from mailgun_mcp.identity.access import EVERYTHING, Access
from mailgun_mcp.server.offered import in_each_account, tools_for
from tests.support.apps import services_at
from tests.support.several_accounts import ANN, two_accounts

NOWHERE = "http://127.0.0.1:9"


def test_without_restriction_all_tools_are_offered_whatever_is_listed() -> None:
    listed = tools_for(services_at(NOWHERE), EVERYTHING)
    found = tools_for(services_at(NOWHERE, search_mode=True), EVERYTHING)
    assert listed.keys() < found.keys()
    assert "delete_domain" in found
    assert "explain_delivery" in listed


def test_a_principal_with_scopes_is_offered_what_they_reach() -> None:
    tools = tools_for(services_at(NOWHERE), Access(scopes=frozenset({"mailgun:read"})))
    assert "list_bounces" in tools
    assert "delete_bounce" not in tools
    assert "undo_operation" not in tools


@pytest.mark.anyio
async def test_a_read_is_made_once_for_each_account_unless_a_domain_says_which() -> None:
    several = two_accounts()
    asked = await in_each_account(several, ANN.principal, {"limit": 1})
    assert asked == [{"limit": 1, "account": "production"}, {"limit": 1, "account": "staging"}]
    assert await in_each_account(several, ANN.principal, {"domain": "a.example"}) == [{"domain": "a.example"}]
    assert await in_each_account(services_at(NOWHERE), ANN.principal, {}) == [{}]
