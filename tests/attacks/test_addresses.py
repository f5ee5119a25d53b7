"""Addresses that one reader reads and another does not.

The attacker writes a recipient so that the guard rails see a colleague, or nobody, and Mailgun delivers to somebody
else: past an allow list, past a deny list, past a limit on the number of recipients.
"""

from typing import Any

import pytest

from mailgun_mcp.policy.engine import decide
from tests.support.policies import facts, policy

ALLOW = policy("extends: unguarded\nsend: {allow_recipients: [good.example], recipients_per_call: 3}")
DENY = policy(
    "extends: unguarded\nsend: {deny_recipients: [eve@bad.example], deny_domains: [bad.example, b\u00fcse.example]}"
)
GUARDED = policy("extends: guarded")


def effect(rules: Any, **arguments: Any) -> str:
    """Return the decision on a message; each test says what is different from an allowed one."""
    message = {"domain": "mg.example.com", "from": "a@mg.example.com", "text": "hi", "to": ["bob@good.example"]}
    return decide(rules, facts("send_message", {**message, **arguments})).effect


def test_a_clear_message_to_a_colleague_is_allowed() -> None:
    assert effect(ALLOW) == "allow"
    assert effect(ALLOW, to=["Bob <bob@good.example>", '"bob.b"@good.example']) == "allow"


OUTSIDERS = [
    '"eve"@evil.example; bob@good.example',
    '"eve"@evil.example <bob@good.example>',
    "x@[203.0.113.5]; bob@good.example",
    "eve@evil.example\u200b, bob@good.example",
    "bob@good.example, =?utf-8?q?eve=40evil.example?=",
    "eve@evil.example(bob@good.example)",
    "team: eve@evil.example;, bob@good.example",
    "bob@good.example .evil.example",
    "<@good.example:eve@evil.example>",
    "%recipient.other%@good.example",
    "%recipient.other% <bob@good.example>",
    "{{other}}@good.example",
    "eve%evil.example@good.example",
    "evil.example!eve@good.example",
    "Bob <good.example!evil.example!eve@good.example>",
]


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
@pytest.mark.parametrize("text", OUTSIDERS)
def test_an_outsider_beside_a_colleague_is_refused(text: str, field: str) -> None:
    assert effect(ALLOW, **{field: [text]}) == "deny"


@pytest.mark.parametrize(
    "text", ["50%off@good.example", "wow!@good.example", "a.b%c@good.example", "c!a.b@good.example"]
)
def test_a_sign_that_routes_nothing_on_is_clear(text: str) -> None:
    assert effect(ALLOW, to=[text]) == "allow"


@pytest.mark.parametrize("name", ["Bcc", "cc", "Resent-To"])
@pytest.mark.parametrize("tool", ["create_template", "update_template_version", "create_account_template_version"])
def test_a_template_cannot_add_recipients_to_all_its_mail(tool: str, name: str) -> None:
    call = facts(tool, {"headers": {name: "eve@evil.example"}})
    assert decide(policy("extends: unguarded"), call).effect == "deny"
    assert f"headers: {name!r} of a template names recipients" in call.faults
    assert facts(tool, {"headers": {"Subject": "for eve@evil.example"}}).faults == ()


@pytest.mark.parametrize("joint", [", ", "; ", ",", ";"])
def test_many_recipients_in_one_text_are_counted(joint: str) -> None:
    text = joint.join(f'"u{number}"@victims.example' for number in range(900)) + joint
    assert effect(GUARDED, to=[text]) == "confirm"


def test_a_sender_is_read_like_a_recipient() -> None:
    rules = policy("extends: unguarded\nsend: {sender_domains: [mg.example.com]}")
    assert effect(rules, **{"from": '"ceo"@bank.example; a@mg.example.com'}) == "deny"
    assert effect(rules, headers={"Sender": "ceo@bank.example"}) == "deny"
    assert effect(rules) == "allow"


@pytest.mark.parametrize(
    "spelling",
    [
        '"eve"@bad.example',
        "EVE@BAD.example.",
        "eve@bad\u3002example",
        "eve@b\u00fcse.example",
        "eve@xn--bse-hoa.example",
        "eve@\uff42ad.example",
        "e\u00advil@bad.example",
    ],
)
def test_another_spelling_does_not_pass_a_deny_list(spelling: str) -> None:
    assert effect(DENY, to=[spelling]) == "deny"


DENY_IPS = policy(
    "extends: unguarded\n"
    "send: {deny_domains: [203.0.113.5, fa\u00df.example], deny_destinations: [203.0.113.5, '2001:db8::1']}"
)


@pytest.mark.parametrize(
    "spelling",
    [
        "eve@203.0.113.5",
        "eve@[203.0.113.5]",
        "eve@[IPv6:::ffff:203.0.113.5]",
        "eve@[203.0.113.05]",
        "eve@3405803781",
        "eve@[3405803781]",
        "eve@0xcb007105",
        "eve@203.0.28933",
        "eve@xn--fa-hia.example",
        "eve@fa\u00df.example",
        "eve@\u13a0.example",
        "eve@a\u200cb.example",
        "eve@xn--abc.example",
    ],
)
def test_another_spelling_of_an_ip_or_a_name_in_other_letters_does_not_pass_a_deny_list(spelling: str) -> None:
    assert effect(DENY_IPS, to=[spelling]) == "deny"


@pytest.mark.parametrize("spelling", ["eve@xn--bse-hoa.example", "eve@b\u00fcse.example", "eve@i\u2764.example"])
def test_a_name_that_all_readers_write_alike_is_clear(spelling: str) -> None:
    assert effect(policy("extends: unguarded"), to=[spelling]) == "allow"


@pytest.mark.parametrize(
    "host",
    [
        *("203.0.113.5", "203.0.113.5.", "3405803781", "0xcb007105", "0313.0.0x71.5", "203.0.28933"),
        *("[::ffff:203.0.113.5]", "[::ffff:cb00:7105]", "[2001:db8:0::1]", "[2001:DB8::0001]", "[fe80::1%25eth0]"),
    ],
)
def test_another_spelling_of_an_ip_is_no_way_out(host: str) -> None:
    url = f"https://{host}/in"
    assert decide(DENY_IPS, facts("create_account_webhook", {"url": url})).effect == "deny"
    assert decide(DENY_IPS, facts("create_route", {"action": [f'forward("{url}")']})).effect == "deny"


def test_a_domain_that_readers_write_differently_is_refused() -> None:
    rules = policy("extends: unguarded\nrules:\n  - {match: {domain: fa\u00df.example}, decision: deny}")
    for domain in ("fa\u00df.example", "xn--fa-hia.example"):
        assert decide(rules, facts("clear_bounces", {"domain": domain})).effect == "deny"


def test_a_template_cannot_be_from_somebody_else() -> None:
    """Mailgun puts the `From` of a template into the mail."""
    rules = policy("extends: unguarded\nsend: {sender_domains: [mg.example.com]}")
    for tool in ("create_template", "update_template_version", "create_account_template"):
        assert decide(rules, facts(tool, {"headers": {"From": "CEO <ceo@bank.example>"}})).effect == "deny"
        assert decide(rules, facts(tool, {"headers": {"from": "a@mg.example.com"}})).effect == "allow"
        assert decide(rules, facts(tool, {"template": "hello"})).effect == "allow"


@pytest.mark.parametrize("name", ["Bcc", "cc", "TO", " Bcc ", "Resent-To", "Apparently-To"])
def test_a_header_that_adds_a_recipient_is_read(name: str) -> None:
    assert effect(ALLOW, headers={name: "x@evil.example"}) == "deny"


def test_recipient_variables_in_a_header_are_read() -> None:
    assert effect(ALLOW, headers={"X-Mailgun-Recipient-Variables": '{"x@evil.example": {}}'}) == "deny"
    assert effect(ALLOW, headers={"X-Mailgun-Recipient-Variables": "{not json"}) == "deny"


@pytest.mark.parametrize(
    "message",
    [
        {"text": "From: a@mg.example.com\r\nBcc: x@evil.example\r\n\r\nhi"},
        {"text": "Subject: hi\nBcc:\n x@evil.example\n\nhi"},
        {"text": 'X-Mailgun-Recipient-Variables: {"x@evil.example": {}}\n\nhi'},
        {"text": "\ufeffBcc: x@evil.example\n\nhi"},
        {"text": "\r\n\r\nBcc: x@evil.example\r\n\r\nhi"},
        {"text": "Subject: hi\x0bBcc: x@evil.example\n\nhi"},
        {"text": "Subject: hi\r\rBcc: x@evil.example\n\nhi"},
        {"text": "Bcc\u200b: x@evil.example\n\nhi"},
        {"base64": "QmNjOiB4QGV2aWwuZXhhbXBsZQ0KDQpoaQ=="},
    ],
)
def test_the_headers_of_a_mime_message_are_read(message: dict[str, str]) -> None:
    arguments = {"domain": "mg.example.com", "to": ["bob@good.example"], "message": message}
    assert decide(ALLOW, facts("send_mime_message", arguments)).effect == "deny"


def test_a_refusal_says_where_the_doubt_is() -> None:
    arguments = {"domain": "mg.example.com", "to": ["eve@evil\u3002example"], "text": "hi"}
    decision = decide(policy("extends: unguarded"), facts("send_message", arguments))
    assert decision.rule == "facts/unclear"
    assert "to: the domain of 'eve@evil\u3002example' is not clear" in decision.reason


@pytest.mark.parametrize(
    "action",
    [
        'forward("eve%40evil.example")',
        'forward("//evil.example/in")',
        'store(notify="https:\\\\evil.example/in")',
        'forward("https://good.example/in", "eve%40evil.example")',
        'forward("https:///evil.example/in")',
        'forward("evil.example"',
    ],
)
def test_a_route_to_where_readers_could_disagree_is_refused(action: str) -> None:
    """Past a rule that denies where data may go: it compares what it can read."""
    decision = decide(policy("extends: unguarded"), facts("create_route", {"action": [action]}))
    assert (decision.effect, decision.rule) == ("deny", "facts/unclear")


@pytest.mark.parametrize("url", ["https:///evil.example/", "https:evil.example", "https:\\\\evil.example"])
def test_a_webhook_whose_host_readers_could_disagree_about_is_refused(url: str) -> None:
    decision = decide(policy("extends: unguarded"), facts("create_account_webhook", {"url": url}))
    assert (decision.effect, decision.rule) == ("deny", "facts/unclear")
