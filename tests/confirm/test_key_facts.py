"""What counts comes first: what happens, to how many, who is outside, from whom, where to, and whether it can be undone."""

from typing import Any

from mailgun_mcp.confirm.key_facts import key_facts, reversibility
from mailgun_mcp.policy.facts import Context, gather
from mailgun_mcp.policy.model import Decision
from tests.support.operations import catalogue

ASKED = Decision("confirm", "rule", "it is asked", "ask")
MESSAGE = {"domain": "mg.example.com", "from": "a@mg.example.com", "text": "hi"}


def lines(tool: str, arguments: dict[str, Any], **context: Any) -> list[str]:
    facts = gather(catalogue().find(tool), arguments, Context(**context))
    return key_facts(facts, ASKED, too_many=False)


def test_a_send_says_how_many_get_it_and_who_is_outside() -> None:
    assert lines(
        "send_message", {**MESSAGE, "to": ["b@mg.example.com", "eve@evil.example"]}, principal="ann", account="main"
    ) == [
        "Send an email (domain mg.example.com).",
        "Risk: send, bulk. It sends mail.",
        "Mail goes to 2 recipients.",
        "1 outside mg.example.com: eve@evil.example",
        "From: a@mg.example.com",
        "Account main, called by ann",
        "It cannot be undone: mail that was sent cannot be called back.",
        "Asked because it is asked (rule).",
    ]


def test_a_route_says_where_mail_goes() -> None:
    actions = ['forward("ann@example.com")', 'forward("eve@evil.example")']
    facts = gather(catalogue().find("create_route"), {"expression": "catch_all()", "action": actions}, Context())
    assert "Data goes to 2 places: ann@example.com, eve@evil.example" in key_facts(facts, ASKED, too_many=False)
    shown = key_facts(facts, ASKED, too_many=False, account_domains=("example.com",))
    assert "Data goes to 1 place outside the account's domains: eve@evil.example" in shown
    assert "Data goes to 1 place in the account's domains: ann@example.com" in shown


def test_who_calls_in_which_account_is_told() -> None:
    shown = lines(
        "delete_bounce",
        {},
        account="main",
        fingerprint="3f9c2a1b77",
        endpoint="https://api.eu.mailgun.net",
        region="eu",
        subaccount="s1",
        principal="ann",
        client="an assistant",
    )
    assert (
        "Account main (key 3f9c2a1b, https://api.eu.mailgun.net), region EU, subaccount s1, "
        "called by ann with an assistant"
    ) in shown


def test_it_is_told_how_a_call_can_be_undone() -> None:
    find = catalogue().find
    assert reversibility(find("delete_bounce")) == "It can be undone with undo_operation."
    assert reversibility(find("get_bounce")) == "It changes nothing."
    assert "too many records" in reversibility(find("delete_bounce"), too_many=True)
