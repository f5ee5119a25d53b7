"""Which tools prompts and skills may name."""

from mailgun_mcp.identity.access import EVERYTHING, Access
from mailgun_mcp.server.offered import tools_for
from tests.support.apps import services_at

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
