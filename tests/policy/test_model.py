"""What a rule matches, key by key. Each policy here denies what matches and allows the rest, or the other way round."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.values import MISSING, compile_value, find
from tests.support.policies import facts, policy, rule, send

BOUNCE = {"domain": "mg.example.com", "address": "a@gmail.com"}


def denies(match: str, call: Facts) -> bool:
    return decide(policy("extends: unguarded\n" + rule(match)), call).effect == "deny"


def allows(match: str, call: Facts) -> bool:
    return decide(policy(rule(match, "allow")), call).effect == "allow"


@pytest.mark.parametrize(
    ("match", "holds"),
    [
        ("{}", True),
        ("{tool: delete_bounce}", True),
        ('{tool: "delete_*"}', True),
        ("{tool: [delete_domain, delete_bounce]}", True),
        ("{tool: delete_domain}", False),
        ("{toolset: bounces}", True),
        ("{toolset: [domains]}", False),
        ("{risk: destructive}", True),
        ("{risk: [read, write]}", False),
        ("{bulk: false}", True),
        ("{bulk: true}", False),
        ("{reversible: whole}", True),
        ("{reversible: [part, no]}", False),
        ("{domain: mg.example.com}", True),
        ('{domain: "MG.*"}', True),
        ("{domain: example.com}", False),
        ('{domain: "*.gmail.com"}', False),
        ("{account: main, region: eu}", True),
        ("{account: main, region: us}", False),
        ("{subaccount: sub-1}", True),
        ("{subaccount: sub-2}", False),
        ('{principal: "ops-*", client: "Claude*"}', True),
        ("{principal: somebody-else}", False),
        ("{client: cursor}", False),
        ('{arguments: {address: "*@gmail.com"}}', True),
        ('{arguments: {address: "*@example.com"}}', False),
        ("{hour: 9-17}", True),
        ("{hour: 22-9}", False),
        ("{hour: [3, 16]}", True),
        ("{weekday: [mon-fri]}", True),
        ("{weekday: sun}", False),
        ("{after_untrusted: 5m}", True),
        ("{after_untrusted: session}", True),
        ("{after_untrusted: true}", True),
        ("{after_untrusted: 1m}", False),
        ("{tool: delete_bounce, domain: other.example.com}", False),
    ],
)
def test_a_rule_matches_when_all_its_keys_do(match: str, holds: bool) -> None:
    call = facts(
        "delete_bounce",
        BOUNCE,
        account="main",
        region="eu",
        subaccount="sub-1",
        principal="ops-7",
        client="claude-desktop",
        untrusted_age=120.0,
        now=datetime(2026, 3, 6, 16, 59, tzinfo=UTC),
    )

    assert (denies(match, call), allows(match, call)) == (holds, holds)


def test_hours_are_those_of_the_policys_timezone() -> None:
    call = facts("list_domains", now=datetime(2026, 3, 6, 23, 30, tzinfo=UTC))
    zone = "extends: unguarded\ntimezone: Europe/Berlin\n"

    assert decide(policy(zone + rule("{hour: 0-1, weekday: sat}")), call).effect == "deny"
    assert decide(policy("extends: unguarded\n" + rule("{hour: 0-1}")), call).effect == "allow"


@pytest.mark.parametrize("unknown", [{}, {"untrusted_age": None, "region": None, "subaccount": None}])
def test_what_is_not_known_matches_no_glob(unknown: dict[str, Any]) -> None:
    call = facts("list_domains", **unknown)

    assert not any(denies(match, call) for match in ('{region: "*"}', '{subaccount: "*"}', "{after_untrusted: 7d}"))


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("disable_subaccount", {"subaccount_id": "sub-1"}),
        ("delete_subaccount", {"subaccount_id": "sub-1"}),
        ("link_ip_to_subaccount", {"subaccount_id": "sub-1"}),
    ],
)
def test_a_subaccount_that_the_call_names_is_matched(tool: str, arguments: dict[str, Any]) -> None:
    assert denies('{subaccount: "sub-*"}', facts(tool, arguments))


@pytest.mark.parametrize(
    ("match", "denied", "allowed"),
    [
        ("{recipients: {domains: example.com}}", True, False),
        ("{recipients: {domains: [example.com, gmail.com]}}", True, True),
        ('{recipients: {addresses: "a@*"}}', True, False),
        ("{recipients: {outside: example.com}}", True, False),
        ("{recipients: {outside: [example.com, gmail.com]}}", False, False),
        ("{recipients: {more_than: 1, at_most: 2}}", True, True),
        ("{recipients: {less_than: 2}}", False, False),
        ("{recipients: {at_least: 2}}", True, True),
        ('{arguments: {to: "a@*"}}', True, False),
        ('{arguments: {to: ["a@*", "*@gmail.com"]}}', True, True),
        ('{arguments: {to: {not: "a@*"}}}', True, False),
        ('{arguments: {to: {not: "*@yahoo.com"}}}', True, True),
    ],
)
def test_a_deny_needs_any_of_several_and_an_allow_every_one(match: str, denied: bool, allowed: bool) -> None:
    call = send("a@example.com", "b@gmail.com")

    assert (denies(match, call), allows(match, call)) == (denied, allowed)


@pytest.mark.parametrize(
    ("match", "holds"),
    [
        ("{destinations: evil.example}", True),
        ('{destinations: "*@example.com"}', True),
        ("{destinations: [good.example]}", False),
    ],
)
def test_destinations_are_matched_by_host_and_address(match: str, holds: bool) -> None:
    call = facts("create_route", {"action": ['forward("https://evil.example/")', 'forward("a@example.com")']})

    assert denies(match, call) is holds


VALUE: dict[str, Any] = {
    "limit": 5,
    "flag": True,
    "off": False,
    "text": "Hello",
    "digits": "7",
    "tags": ["a", "b"],
    "empty": [],
    "nothing": None,
    "headers": {"Reply-To": "x@evil.example", "REPLY-TO": "y@example.com"},
    "members": [{"address": "a@example.com", "vars": {"plan": "free"}}, {"address": "b@evil.example"}],
}


@pytest.mark.parametrize(
    ("path", "wanted", "any_does", "every_does"),
    [
        ("limit", 5, True, True),
        ("limit", 5.0, True, True),
        ("limit", "5", True, True),
        ("limit", True, False, False),
        ("limit", {"more_than": 4, "less_than": 6}, True, True),
        ("limit", {"more_than": 5}, False, False),
        ("limit", {"at_least": 5, "at_most": 5}, True, True),
        ("digits", {"more_than": 6}, True, True),
        ("flag", True, True, True),
        ("flag", 1, False, False),
        ("flag", "true", True, True),
        ("off", False, True, True),
        ("off", 0, False, False),
        ("text", "hel*", True, True),
        ("text", {"equals": "hello"}, False, False),
        ("text", {"equals": "Hello"}, True, True),
        ("text", {"not": "hel*"}, False, False),
        ("text", {"any": ["x", "h*"]}, True, True),
        ("text", {"all": ["h*", {"not": "*x"}]}, True, True),
        ("text", {"all": ["h*", "*x"]}, False, False),
        ("tags", "a", True, False),
        ("tags", ["a", "b"], True, True),
        ("tags", {"not": "a"}, True, False),
        ("tags", {"not": "c"}, True, True),
        ("tags", {"equals": ["a", "b"]}, True, True),
        ("tags", {"equals": ["b", "a"]}, False, False),
        ("tags", [{"equals": "a"}, {"equals": "b"}], True, False),
        ("empty", "*", False, False),
        ("empty", {"exists": True}, True, True),
        ("nothing", None, True, True),
        ("nothing", "*", False, False),
        ("absent", "*", False, False),
        ("absent", {"not": "x"}, True, True),
        ("absent", {"exists": False}, True, True),
        ("absent", {"exists": True}, False, False),
        ("absent", {"more_than": 1}, False, False),
        ("headers.reply-to", "*@evil.example", True, False),
        ("headers", "*@evil.example", True, False),
        ("headers.*", "*@*", True, True),
        ("headers", {"equals": VALUE["headers"]}, True, True),
        ("members.address", "*@evil.example", True, False),
        ("members.address", "*@*", True, True),
        ("members.vars.plan", "free", True, True),
        ("members.*.address", "*@*", True, True),
        ("members.phone", {"exists": False}, True, True),
        ("text.inside", {"exists": False}, True, True),
    ],
)
def test_conditions_on_arguments(path: str, wanted: Any, any_does: bool, every_does: bool) -> None:
    found = find(VALUE, path)

    assert compile_value(wanted, every=False)(found) is any_does
    assert compile_value(wanted, every=True)(found) is every_does


@pytest.mark.parametrize("value", ["ten", True, None, float("nan"), "nan", [3, "x"]])
def test_what_cannot_be_compared_is_no_answer(value: Any) -> None:
    with pytest.raises(ValueError, match="not a number"):
        compile_value({"more_than": 5}, every=False)(value)


def test_missing_is_told_in_words() -> None:
    assert repr(MISSING) == "nothing"
