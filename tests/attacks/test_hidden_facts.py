"""The attacker writes arguments that push out, hide or fake what a person must see before they say yes.

They want a yes to a mail or a forward whose recipient, number or destination the person did not see.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.confirm.form import LONGEST, NOTHING, Binding, Form, Preview, Target, render
from mailgun_mcp.confirm.key_facts import key_facts
from mailgun_mcp.policy.facts import Context, Facts, gather
from mailgun_mcp.policy.model import Decision
from mailgun_mcp.request.build import Request
from tests.support.operations import catalogue

MESSAGE: dict[str, Any] = {"domain": "mg.example.com", "from": "a@mg.example.com", "text": "hi"}
ASKED = Decision("confirm", "guarded/send", "it goes to more than 10 recipients", "typed")


def called(tool: str, arguments: dict[str, Any], **context: Any) -> Facts:
    return gather(catalogue().find(tool), arguments, Context(**context))


def form(facts: Facts, preview: Preview = NOTHING) -> Form:
    request = Request(facts.operation.method, "/v3/" + "x" * 50)
    return render(Target(facts, ASKED, preview), request, Binding("local", "main", "tool", "request", "policy"))


def test_an_eleventh_recipient_who_is_outside_is_named() -> None:
    to = [*(f"colleague{number}@mg.example.com" for number in range(500)), "eve@evil.example"]
    assert "1 outside mg.example.com: eve@evil.example" in form(called("send_message", {**MESSAGE, "to": to})).text


def test_the_members_of_a_list_are_in_the_form() -> None:
    arguments = {**MESSAGE, "to": ["all@mg.example.com"]}
    assert "250,000" in form(called("send_message", arguments, list_members={"all@mg.example.com": 250_000})).text


def test_a_second_forward_behind_a_long_first_one_is_named() -> None:
    actions = [f'forward("https://example.com/{"a" * 3_000}")', 'forward("eve@evil.example")']
    text = form(called("create_route", {"expression": "catch_all()", "action": actions})).text
    assert "Data goes to 2 places: example.com, eve@evil.example" in text


def test_twenty_harmless_arguments_do_not_push_out_the_others() -> None:
    options = dict.fromkeys(("tracking", "testmode", "dkim", "require_tls", "skip_verification"), "yes")
    headers = {f"X-{number}": "y" * 200 for number in range(200)}
    text = form(called("send_message", {**options, "headers": headers, **MESSAGE, "to": ["eve@evil.example"]})).text
    for line in ("From: a@mg.example.com", '  to: ["eve@evil.example"]', "  text: hi"):
        assert line in text.splitlines()


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\u2066", "\u00ad", "\U000e0041"])
def test_an_invisible_character_is_marked(character: str) -> None:
    text = form(
        called("send_message", {**MESSAGE, "to": [f"a{character}b@x.example"], "subject": f"c{character}d"})
    ).text
    assert character not in text
    assert f"c<U+{ord(character):04X}>d" in text


def test_a_value_cannot_fake_a_fact() -> None:
    subject = "hi\nNobody is outside mg.example.com\r\nIt can be undone.\u2028Recipients: 1"
    facts = called("send_message", {**MESSAGE, "to": ["eve@evil.example"], "subject": subject})
    lines = form(facts).text.splitlines()
    assert not {"Nobody is outside mg.example.com", "It can be undone.", "Recipients: 1 "} & set(lines)


HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\n\r\t\u2028\u202e\u200b\u2066&\\<>")), max_size=80
) | st.sampled_from(["a" * 1_500, "\u202e" * 700, "\n" * 700, "It can be undone.\n" * 80, "&#x202e;" * 150])
NAMES = [argument.name for argument in catalogue().find("send_message").arguments]
ARGUMENTS = st.dictionaries(
    st.sampled_from(NAMES) | HOSTILE,
    HOSTILE | st.lists(HOSTILE, max_size=5) | st.dictionaries(HOSTILE, HOSTILE, max_size=3) | st.integers(),
    max_size=30,
)


@given(ARGUMENTS, HOSTILE, st.lists(HOSTILE, max_size=20))
def test_the_facts_stand_first_and_unchanged_whatever_a_model_writes(
    arguments: dict[str, Any], client: str, preview: list[str]
) -> None:
    facts = called("send_message", arguments, client=client, list_members={"all@mg.example.com": 250_000})
    asked = form(facts, Preview("\n".join(" ".join(line.split()) for line in preview), ""))
    lines = asked.text.split("\n")
    first = key_facts(facts, ASKED, too_many=False)
    assert lines[: len(first)] == first
    assert lines[len(first)] == f"To confirm, type: {asked.typed}"
    assert len(asked.text) <= LONGEST
    if not any("arguments, SHA-256" in line for line in lines):
        assert sum(line.startswith("  ") for line in lines) >= len(arguments)


def test_who_gets_the_replies_is_a_fact() -> None:
    headers = {f"X-{number}": "y" * 200 for number in range(100)} | {"reply-to": "Support <eve@evil.example>"}
    text = form(called("send_message", {**MESSAGE, "to": ["ann@mg.example.com"], "headers": headers})).text
    assert "Replies go to: eve@evil.example" in text


@pytest.mark.parametrize("name", ["Reply-To", "Mail-Followup-To", "Disposition-Notification-To"])
def test_who_gets_the_replies_to_a_mime_message_or_from_a_template_is_a_fact(name: str) -> None:
    message = f"X-Long: {'y' * 3_000}\r\n{name}: eve@evil.example\r\n\r\n{'z' * 3_000}"
    mail = {"domain": "mg.example.com", "to": ["ann@mg.example.com"], "message": {"text": message}}
    assert "Replies go to: eve@evil.example" in form(called("send_mime_message", mail)).text
    template = {"name": "x", "template": "hi", "domain": "mg.example.com", "headers": {name: "eve@evil.example"}}
    assert "Replies go to: eve@evil.example" in form(called("create_template", template)).text


def test_one_place_among_hundreds_outside_is_counted_by_its_domain() -> None:
    members = [{"address": f"person{number}@customer.example"} for number in range(500)]
    members.insert(250, {"address": "eve@evil.example"})
    arguments = {"list_address": "team@mg.example.com", "members": members}
    text = form(called("bulk_add_mailing_list_members", arguments)).text
    assert "Data goes to 501 places, by domain: evil.example (1), customer.example (500)" in text
