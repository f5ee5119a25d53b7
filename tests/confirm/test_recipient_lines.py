"""A form says how many get the mail and who of them is outside, with mailing lists and what is not known of them."""

from typing import Any

from mailgun_mcp.confirm.recipient_lines import recipient_lines
from mailgun_mcp.policy.facts import Context, gather
from tests.support.operations import find

MESSAGE = {"domain": "mg.example.com", "from": "a@mg.example.com", "text": "hi"}
ALL = "all@mg.example.com"


def lines(arguments: dict[str, Any], *domains: str, **context: Any) -> list[str]:
    return recipient_lines(gather(find("send_message"), {**MESSAGE, **arguments}, Context(**context)), domains)


def test_who_is_outside_the_domain_of_the_call_is_named() -> None:
    assert lines({"to": ["b@mg.example.com", "eve@evil.example"]}) == [
        "Mail goes to 2 recipients.",
        "1 outside mg.example.com: eve@evil.example",
    ]


def test_the_account_has_other_domains() -> None:
    to = ["b@mg.example.com", "c@example.org", "eve@evil.example"]
    assert lines({"to": to}, "mg.example.com", "example.org") == [
        "Mail goes to 3 recipients.",
        "1 outside the account's domains: eve@evil.example",
    ]


def test_where_nobody_is_outside_the_domains_are_named() -> None:
    """A model can add a domain to the account: a person sees which ones count as the account's."""
    assert lines({"to": ["b@mg.example.com", "eve@evil.example"]}, "mg.example.com", "evil.example")[1] == (
        "Nobody is outside the account's domains: all are at mg.example.com, evil.example"
    )


def test_members_of_a_list_are_counted_and_not_taken_for_insiders() -> None:
    assert lines({"to": [ALL]}, list_members={ALL: 250_000}) == [
        "Mail goes to 250,000 recipients.",
        f"Mailing lists: {ALL} (250,000 members). Their addresses were not read.",
    ]


def test_members_that_were_read_are_named_where_they_are_outside() -> None:
    members = {ALL: ("b@mg.example.com", "eve@evil.example")}
    shown = lines({"to": [ALL]}, list_members={ALL: 2}, list_addresses=members)
    assert shown == [
        "Mail goes to 2 recipients.",
        f"Mailing lists: {ALL} (2 members).",
        "1 outside mg.example.com: eve@evil.example",
    ]


def test_a_list_of_unknown_size_makes_the_count_the_least() -> None:
    shown = lines({"to": [ALL]}, unknown_lists={ALL: "the API key may not read mailing lists"})
    assert shown[0] == "Mail goes to at least 1 recipient."
    assert shown[1].startswith(f"It is not known how many people get mail through {ALL} (the API key may not")


def test_the_copies_of_a_batch_are_counted_and_explained() -> None:
    to = [f"p{number}@mg.example.com" for number in range(5)]
    shown = lines({"to": to, "cc": ["c@mg.example.com"], "recipient_variables": {}})
    assert shown[0] == "Mail goes to 10 recipients. Each cc and bcc gets a copy of every message."


def test_very_many_outsiders_are_counted_by_domain_the_strangers_first() -> None:
    to = [*(f"customer{number}@big.example" for number in range(500)), "eve@evil.example"]
    assert lines({"to": to})[1] == "501 outside mg.example.com, by domain: evil.example (1), big.example (500)"


def test_a_subdomain_of_the_domain_is_inside_and_a_look_alike_is_not() -> None:
    shown = lines({"to": ["a@x.mg.example.com", "b@evilmg.example.com"]})
    assert shown[1] == "1 outside mg.example.com: b@evilmg.example.com"
