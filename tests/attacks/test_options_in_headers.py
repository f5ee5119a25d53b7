"""The attacker sets an option of a mail in a header, where a rule about the argument does not look.

They want real mail where the policy allows test mode only, a tag, template or IP that a rule denies, or mail to people
who unsubscribed.
"""

import base64
from typing import Any

import pytest

from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.model import Policy
from tests.support.policies import facts, policy, rule

TEST_MODE = policy("extends: unguarded\nsend: {test_mode: true}")
MESSAGE = {"domain": "mg.example.com", "from": "a@mg.example.com", "to": ["bob@good.example"], "text": "hi"}


def effect(rules: Policy, **arguments: Any) -> str:
    return decide(rules, facts("send_message", {**MESSAGE, **arguments})).effect


def mime_effect(rules: Policy, headers: str, **arguments: Any) -> str:
    message = {"base64": base64.b64encode(f"{headers}\r\n\r\nhi".encode()).decode()}
    call = {"domain": "mg.example.com", "to": ["bob@good.example"], "message": message, **arguments}
    return decide(rules, facts("send_mime_message", call)).effect


@pytest.mark.parametrize("name", ["X-Mailgun-Drop-Message", "x-mailgun-drop-message", " X-MAILGUN-DROP-MESSAGE "])
def test_a_header_does_not_end_the_test_mode(name: str) -> None:
    assert effect(TEST_MODE, test_mode=True) == "allow"
    assert effect(TEST_MODE, test_mode=True, headers={name: "no"}) == "deny"
    assert mime_effect(TEST_MODE, f"{name}: no", test_mode=True) == "deny"
    assert mime_effect(TEST_MODE, f"{name}:\r\n no", test_mode=True) == "deny"


def test_a_header_that_says_the_same_is_no_contradiction() -> None:
    assert effect(TEST_MODE, test_mode=True, headers={"X-Mailgun-Drop-Message": "yes"}) == "allow"
    assert mime_effect(TEST_MODE, "X-Mailgun-Drop-Message: yes", test_mode=True) == "allow"
    assert mime_effect(TEST_MODE, "X-Mailgun-Drop-Message: yes\r\nX-Mailgun-Drop-Message: no") == "deny"


def test_a_header_alone_is_no_test_mode() -> None:
    """Mailgun may take it for a header like any other, and deliver the mail."""
    assert effect(TEST_MODE, headers={"X-Mailgun-Drop-Message": "yes"}) == "deny"
    assert mime_effect(TEST_MODE, "X-Mailgun-Drop-Message: yes") == "deny"
    only = policy(f"extends: strict\n{rule('{arguments: {test_mode: true}}', 'allow')}")
    assert (effect(only, test_mode=True), effect(only, headers={"X-Mailgun-Drop-Message": "yes"})) == (
        "allow",
        "confirm",
    )
    never = policy(f"extends: unguarded\n{rule('{tool: send_*, arguments: {test_mode: {exists: false}}}')}")
    assert (effect(never, test_mode=True), effect(never, headers={"X-Mailgun-Drop-Message": "yes"})) == (
        "allow",
        "deny",
    )


@pytest.mark.parametrize(
    ("condition", "header", "value"),
    [
        ("tags: secret", "X-Mailgun-Tag", "secret"),
        ("template: draft-*", "X-Mailgun-Template-Name", "draft-7"),
        ("sending_ip: 192.0.2.1", "X-Mailgun-Sending-Ip", "192.0.2.1"),
        ("sending_ip_pool: vip", "X-Mailgun-Sending-Ip-Pool", "vip"),
        ("dkim: false", "X-Mailgun-Dkim", "no"),
        ("tracking: htmlonly", "X-Mailgun-Track", "htmlonly"),
        ("tracking_pixel_location_top: true", "X-Mailgun-Track-Pixel-Location-Top", "yes"),
        ("secondary_dkim: 'evil.example*'", "X-Mailgun-Secondary-DKIM", "evil.example,s1"),
        ("secondary_dkim_public: 'evil.example/*'", "X-Mailgun-Secondary-DKIM-Public", "evil.example/s1"),
        ("deliver_within: 5m", "X-Mailgun-Deliver-Within", "5m"),
        ("suppress_headers: all", "X-Mailgun-Suppress-Headers", "all"),
        ("archive_to: 'https://evil.example/*'", "X-Mailgun-Archive-To", "https://evil.example/x"),
        ("variables.plan: gold", "X-Mailgun-Variables", '{"plan": "gold"}'),
        ("template_variables.plan: gold", "X-Mailgun-Template-Variables", '{"plan": "gold"}'),
    ],
)
def test_a_rule_about_an_argument_sees_the_header(condition: str, header: str, value: str) -> None:
    rules = policy(f"extends: unguarded\n{rule(f'{{tool: send_*, arguments: {{{condition}}}}}')}")
    assert effect(rules) == "allow"
    assert effect(rules, headers={header: value}) == "deny"
    assert mime_effect(rules, f"{header}: {value}") == "deny"


@pytest.mark.parametrize("value", ["=?utf-8?q?secret?=", "=?utf-8?b?c2VjcmV0?=", "se=?utf-8?q?cret?="])
def test_a_rule_is_not_passed_by_an_encoded_word(value: str) -> None:
    rules = policy(f"extends: unguarded\n{rule('{tool: send_*, arguments: {tags: secret}}')}")
    assert effect(rules, headers={"X-Mailgun-Tag": value}) == "deny"
    assert mime_effect(rules, f"X-Mailgun-Tag: {value}") == "deny"


@pytest.mark.parametrize(
    "value",
    [
        "plan=gold",
        '{"plan": "silver", "plan": "gold"}',
        pytest.param("[" * 20_000, id="nested deeply"),
        '["gold"]',
        '{"plan": "gold"',
        "{'plan': 'gold'}",
        '{"plan": "silver"}',
    ],
)
def test_variables_of_a_header_must_be_readable_and_contradict_no_argument(value: str) -> None:
    rules = policy("extends: unguarded")
    gold = {"variables": {"plan": "gold"}}
    assert effect(rules, headers={"X-Mailgun-Variables": '{"plan": "gold"}'}, **gold) == "allow"
    assert effect(rules, headers={"X-Mailgun-Variables": value}, **gold) == "deny"
    assert mime_effect(rules, f"X-Mailgun-Variables: {value}", **gold) == "deny"


@pytest.mark.parametrize("value", ["true", "yes", "", "false"])
def test_mail_to_people_who_said_no_is_not_sent_by_a_header(value: str) -> None:
    """Mailgun has an undocumented header for it."""
    anything = policy("extends: unguarded\n")
    assert effect(anything, headers={"x-mailgun-suppressions-bypass": value}) == "deny"
    assert mime_effect(anything, f"X-Mailgun-Suppressions-Bypass : {value}") == "deny"


@pytest.mark.parametrize("name", ["X-Mailgun-Drop-Message", "x-mailgun-tag", "X-Mailgun-Suppressions-Bypass"])
def test_a_template_does_not_set_an_option_of_all_its_mail(name: str) -> None:
    anything = policy("extends: unguarded\n")
    assert decide(anything, facts("create_template", {"headers": {name: "yes"}})).effect == "deny"
    assert decide(anything, facts("create_template", {"headers": {"Reply-To": "a@b.example"}})).effect == "allow"


def test_mail_signed_with_the_key_of_another_domain_is_mail_of_that_domain() -> None:
    rules = policy(f"extends: unguarded\n{rule('{domain: bank.example}')}")
    assert effect(rules) == "allow"
    assert effect(rules, secondary_dkim="Bank.example/s1") == "deny"
    assert effect(rules, headers={"X-Mailgun-Secondary-DKIM": "bank.example,s1"}) == "deny"
    assert mime_effect(rules, "X-Mailgun-Secondary-DKIM: bank.example, s1") == "deny"
    ours = policy(f"extends: strict\n{rule('{domain: mg.example.com}', 'allow')}")
    assert effect(ours) == "allow"
    assert effect(ours, secondary_dkim="bank.example/s1") == "confirm"


def test_mail_signed_in_the_name_of_another_domain_is_mail_of_that_domain() -> None:
    rules = policy(f"extends: unguarded\n{rule('{domain: bank.example}')}")
    key = "mg.example.com/s1"
    assert effect(rules, secondary_dkim=key) == "allow"
    assert effect(rules, secondary_dkim=key, secondary_dkim_public="Bank.example/s1") == "deny"
    named = {"X-Mailgun-Secondary-DKIM-Public": "bank.example,s1"}
    assert effect(rules, secondary_dkim=key, headers=named) == "deny"


def test_a_rule_that_allows_some_tags_sees_those_of_headers() -> None:
    rules = policy(f"extends: strict\n{rule('{tool: send_*, arguments: {tags: news}}', 'allow')}")
    assert effect(rules, tags=["news"]) == "allow"
    assert effect(rules, tags=["news"], headers={"X-Mailgun-Tag": "alarm"}) == "confirm"
    assert mime_effect(rules, "X-Mailgun-Tag: news\r\nX-Mailgun-Tag: alarm") == "confirm"
