"""What a valid policy says that its author can hardly mean."""

import pytest

from mailgun_mcp.policy.file.load import parse_policy
from mailgun_mcp.policy.file.warnings import unknown_domains, warnings
from tests.support.operations import catalogue
from tests.support.policies import EXAMPLES


def found(rules: str = "", send: str = "", *, extends: str = "guarded") -> list[str]:
    text = f"version: 1\nextends: {extends}\n"
    text += f"rules:\n{rules}" if rules else ""
    text += f"send: {send}\n" if send else ""
    return list(warnings(parse_policy(text, catalogue()), catalogue()))


def rule(match: str, decision: str = "confirm") -> str:
    return f"  - match: {match}\n    decision: {decision}\n"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (rule("{tool: delete_*}"), rule("{tool: delete_bounce}")),
        (rule("{toolset: bounces}"), rule("{tool: [list_bounces, delete_bounce]}", "allow")),
        (rule("{domain: '*.example.com'}"), rule("{domain: [a.example.com, '*.b.example.com'], risk: send}")),
        (rule("{risk: [send, read]}", "allow"), rule("{risk: send}")),
        (rule("{region: eu}"), rule("{region: eu, bulk: true}")),
    ],
)
def test_a_rule_behind_a_wider_one_never_decides(first: str, second: str) -> None:
    assert found(first + second) == [
        "policy.yaml:6 (rule 2) never decides: policy.yaml:4 (rule 1) matches every call that it matches and comes first"
    ]
    assert found(second + first) == []


@pytest.mark.parametrize(
    "rules",
    [
        rule("{tool: delete_*}") + rule("{tool: delete_bounce}", "deny"),
        rule("{domain: '*.example.com'}", "allow") + rule("{domain: a.example.com}"),
        rule("{domain: '?.example.com'}") + rule("{domain: '*.example.com'}"),
        rule("{domain: a.example.com}") + rule("{domain: [a.example.com, b.example.com]}"),
        rule("{tool: delete_*, hour: 9-17}") + rule("{tool: delete_bounce}"),
    ],
)
def test_a_rule_that_can_decide_is_not_warned_of(rules: str) -> None:
    assert found(rules) == []


def test_a_rule_that_a_deny_covers_never_decides_wherever_it_stands() -> None:
    (warning,) = found(rule("{tool: delete_bounce}", "allow") + rule("{tool: delete_*}", "deny"))
    assert warning.endswith("policy.yaml:6 (rule 2) matches every call that it matches, and a deny always wins")


def test_a_first_rule_that_matches_every_call_leaves_nobody_asked() -> None:
    (warning,) = found(rule("{}", "allow"))
    assert "policy.yaml:4 (rule 1) matches every call, so the " in warning
    assert "the profile's included, after it that should ask a person never will" in warning
    assert found(rule("{}", "deny")) == []


@pytest.mark.parametrize(
    ("send", "warning"),
    [
        ("{allow_recipients: []}", "send.allow_recipients is empty, so no recipient is allowed."),
        ("{sender_domains: []}", "send.sender_domains is empty, so no sender is allowed."),
        ("{allow_destinations: []}", "send.allow_destinations is empty, so no destination is allowed."),
        ("{allow_recipients: ['*@a.example'], allow_domains: [b.example]}", "no recipient can pass"),
        ("{allow_recipients: [kim@a.example], deny_domains: ['*.example']}", "no recipient can pass"),
        ("{allow_destinations: [a.example], deny_destinations: ['*']}", "no destination can pass"),
        ("{deny_recipients: ['*']}", "send.deny_recipients: no recipient can pass"),
        ("{deny_recipients: [kim@a.example], deny_domains: ['*']}", "no recipient can pass"),
        ("{deny_destinations: ['*']}", "send.deny_destinations: no destination can pass"),
    ],
)
def test_a_list_that_lets_nobody_through_is_warned_of(send: str, warning: str) -> None:
    (text,) = found(send=send)
    assert warning in text


@pytest.mark.parametrize(
    "send",
    [
        "{allow_recipients: ['*']}",
        "{allow_recipients: ['*@*.example', b.example], allow_domains: ['*.example', b.example], deny_domains: [b.example]}",
        "{allow_destinations: ['*.example']}",
        "{sender_domains: [a.example]}",
        "{deny_recipients: ['*@a.example']}",
        "{deny_recipients: ['x@*', kim@a.example], deny_destinations: [a.example]}",
    ],
)
def test_a_list_that_lets_somebody_through_is_not_warned_of(send: str) -> None:
    assert found(send=send) == []


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_of_the_docs_are_meant_as_they_stand(text: str) -> None:
    assert list(warnings(parse_policy(text, catalogue()), catalogue())) == []


def test_domains_that_the_account_does_not_have_are_named() -> None:
    rules = rule("{domain: [a.example, '*.b.example']}") + rule("{domain: a.exmaple, tool: get_domain}")
    text = f"version: 1\nrules:\n{rules}send: {{sender_domains: [c.example]}}\n"
    policy = parse_policy(text, catalogue())
    assert list(unknown_domains(policy, ["a.example", "x.b.example"])) == [
        "policy.yaml:5 (rule 2): 'a.exmaple' matches no domain of the account (a.example, x.b.example)",
        "send.sender_domains: 'c.example' matches no domain of the account (a.example, x.b.example)",
    ]
    assert "it has none" in next(unknown_domains(policy, []))
