"""What a call is seen to be: who would get it, from whom, about which domains, and where data would go."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.policy.facts import Context, gather
from tests.support.json_values import JSON
from tests.support.operations import catalogue, find
from tests.support.policies import facts, send


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("bob@example.com", ["bob@example.com"]),
        ("Bob <BOB@Example.com>", ["bob@example.com"]),
        ("Smith, John <john@example.com>", ["john@example.com"]),
        ("a@example.com, b@example.com", ["a@example.com", "b@example.com"]),
        ("friends: a@example.com, b@example.com;", ["a@example.com", "b@example.com"]),
        ("a@good.example <b@evil.example>", ["a@good.example", "b@evil.example"]),
        ('"a@good.example" <b@evil.example>', ["a@good.example", "b@evil.example"]),
        ("bob@\uff45vil.example", ["bob@evil.example"]),
        ("bob\uff20evil.example", ["bob@evil.example"]),
        ("bob@evil.example.", ["bob@evil.example"]),
        ("bob@[192.0.2.1]", ["bob@192.0.2.1"]),
        ("postmaster", ["postmaster"]),
        ("", []),
    ],
)
def test_every_address_that_a_reader_could_find_is_a_recipient(written: str, seen: list[str]) -> None:
    assert list(send(written).recipients) == seen


def test_recipients_are_those_of_every_field_once() -> None:
    call = send(
        "a@example.com",
        cc=["b@example.com"],
        bcc=["C <c@example.com>"],
        recipient_variables={"d@example.com": {"name": "D"}, "a@example.com": {}},
    )

    assert call.recipients == ("a@example.com", "d@example.com", "b@example.com", "c@example.com")
    assert call.recipient_count == 6  # two messages, each with two copies


def test_a_mailing_list_counts_as_its_members() -> None:
    call = send("news@example.com", "a@example.com", list_members={"news@example.com": 70})

    assert call.recipient_count == 71


def test_only_a_send_has_recipients_and_senders() -> None:
    call = facts("create_domain", {"domain": "a.example.com", "to": ["x@example.com"], "from": "y@example.com"})

    assert (call.recipients, call.senders) == ((), ())


def test_headers_can_say_who_mail_is_from() -> None:
    call = send("a@example.com", headers={"from": "x@evil.example", "Sender": "Y <y@evil.example>", "X-Other": "z@z.z"})

    assert call.senders == ("a@mg.example.com", "x@evil.example", "y@evil.example")


@pytest.mark.parametrize(
    ("action", "seen"),
    [
        ('forward("https://user:word@hooks.example.com:8443/in")', ["hooks.example.com"]),
        ("forward('Bob@Example.com')", ["bob@example.com"]),
        ('forward("a@example.com") and forward("b@evil.example")', ["a@example.com", "b@evil.example"]),
        ('store(notify="http://hooks.example.com/in")', ["hooks.example.com"]),
        (r'forward("https://good.example:80\@evil.example/")', ["evil.example", "good.example"]),
        ('forward("https://[bad")', ["https://[bad"]),
        ('forward("somewhere")', ["somewhere"]),
        ("stop()", []),
    ],
)
def test_whatever_a_route_leads_to_is_a_destination(action: str, seen: list[str]) -> None:
    assert list(facts("create_route", {"action": [action]}).destinations) == seen


@pytest.mark.parametrize(
    ("tool", "arguments", "seen"),
    [
        ("create_account_webhook", {"url": "https://Hooks.Example.com/x"}, ["hooks.example.com"]),
        ("send_message", {"archive_to": "https://archive.example.com/"}, ["archive.example.com"]),
        ("create_account_webhook", {"url": "no url"}, ["no url"]),
    ],
)
def test_hosts_of_urls_are_destinations(tool: str, arguments: dict[str, Any], seen: list[str]) -> None:
    assert list(facts(tool, arguments).destinations) == seen


@pytest.mark.parametrize(
    ("tool", "arguments", "seen"),
    [
        ("delete_domain", {"domain": "MG.Example.com."}, ["mg.example.com"]),
        ("delete_bounce", {"domain": "mg.example.com", "address": "a@gmail.com"}, ["mg.example.com"]),
        ("create_mailing_list", {"address": "dev@mg.example.com"}, ["mg.example.com"]),
        (
            "delete_mailing_list_member",
            {"list_address": "dev@mg.example.com", "member_address": "a@gmail.com"},
            ["mg.example.com"],
        ),
        (
            "add_mailing_list_member",
            {"list_address": "dev@mg.example.com", "address": "a@gmail.com"},
            ["mg.example.com"],
        ),
        ("list_domains", {}, []),
    ],
)
def test_the_domains_of_a_call_are_the_accounts_own(tool: str, arguments: dict[str, Any], seen: list[str]) -> None:
    assert list(facts(tool, arguments).domains) == seen


def test_every_domain_in_a_path_is_seen() -> None:
    blind = [
        operation.name
        for operation in catalogue()
        for argument in operation.arguments
        if argument.location == "path" and "domain" in argument.name
        if gather(operation, {argument.name: "mg.example.com"}, Context()).domains != ("mg.example.com",)
    ]

    assert blind == []


@given(
    tool=st.sampled_from(["send_message", "create_route", "create_account_webhook", "update_mailing_list"]),
    values=st.lists(JSON | st.text(alphabet='@<>()[]\\,;:" ahtps/.=\u0130', max_size=30), min_size=14, max_size=14),
)
def test_any_arguments_have_facts(tool: str, values: list[Any]) -> None:
    names = ["to", "cc", "bcc", "from", "headers", "recipient_variables", "action", "url", "archive_to", "address"]
    call = gather(find(tool), dict(zip(names, values, strict=False)), Context())

    assert all(isinstance(each, str) for each in (*call.recipients, *call.senders, *call.destinations, *call.domains))


def test_a_very_long_recipient_is_read_in_one_pass() -> None:
    gathered = gather(find("send_message"), {"domain": "mg.example.com", "to": ["a" * 10**6]}, Context())
    assert gathered.recipient_count == 1


def test_a_recipient_that_no_parser_can_read_counts_as_one() -> None:
    gathered = gather(find("send_message"), {"domain": "mg.example.com", "to": ["(" * 3000]}, Context())
    assert gathered.recipient_count == 1
