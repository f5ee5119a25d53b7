"""Deny wins, else the first match; whatever goes wrong denies; what the rules say holds for any call."""

from dataclasses import replace
from datetime import UTC
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.policy.conditions import compile_match
from mailgun_mcp.policy.engine import decide, explain, level_of
from mailgun_mcp.policy.facts import Context, Facts, gather
from mailgun_mcp.policy.model import Decision, DecisionEffect, Policy, Rule, SendRules
from mailgun_mcp.policy.profiles import PROFILES, profile
from tests.support.json_values import JSON
from tests.support.operations import catalogue, find
from tests.support.policies import facts, policy, send

STRICTNESS: dict[DecisionEffect, int] = {"allow": 0, "confirm": 1, "deny": 2}
BOUNCE = {"domain": "mg.example.com", "address": "a@gmail.com"}


def ruled(*rules: tuple[str, str]) -> Policy:
    """Return a policy of rules, each a match and a decision."""
    return policy("rules:\n" + "".join(f"  - {{match: {match}, decision: {decision}}}\n" for match, decision in rules))


@pytest.mark.parametrize(
    ("rules", "effect", "number"),
    [
        ([("{}", "allow"), ("{risk: destructive}", "deny")], "deny", 2),
        ([("{risk: destructive}", "deny"), ("{}", "allow")], "deny", 1),
        ([("{}", "confirm"), ("{}", "allow")], "confirm", 1),
        ([("{}", "allow"), ("{}", "confirm")], "allow", 1),
        ([("{risk: read}", "allow"), ("{domain: mg.example.com}", "confirm")], "confirm", 2),
    ],
)
def test_deny_wins_and_else_the_first_match(rules: list[tuple[str, str]], effect: str, number: int) -> None:
    decision = decide(ruled(*rules), facts("delete_bounce", BOUNCE))

    assert (decision.effect, decision.rule) == (effect, f"policy.yaml:{number + 2} (rule {number})")


def test_what_no_rule_matches_is_denied() -> None:
    decision = decide(ruled(("{risk: read}", "allow")), facts("delete_bounce", BOUNCE))

    assert decision == Decision("deny", "nothing", "no rule allows this call, and what no rule allows is denied")
    assert not decision.allowed


def test_a_rule_that_cannot_be_evaluated_denies() -> None:
    fails = ("{tool: delete_bounce, arguments: {address: {more_than: 5}}}", "allow")

    assert decide(ruled(fails, ("{}", "allow")), facts("delete_bounce", BOUNCE)) == Decision(
        "deny",
        "policy.yaml:3 (rule 1)",
        "rule policy.yaml:3 (rule 1) failed (ValueError), so the call is denied",
    )


def test_a_time_without_a_zone_denies() -> None:
    call = facts("list_domains", now=Context().now.replace(tzinfo=None))

    assert decide(ruled(("{hour: 0-24}", "allow")), call).reason.startswith("rule policy.yaml:3 (rule 1) failed")


@pytest.mark.parametrize(
    ("tool", "level"),
    [
        ("delete_bounce", "ask"),
        ("delete_domain", "typed"),
        ("send_message", "typed"),
        ("delete_api_key", "typed"),
        ("get_webhook_signing_key", "ask"),
        ("list_domains", "ask"),
    ],
)
def test_bulk_and_irreversible_calls_are_typed(tool: str, level: str) -> None:
    assert level_of(find(tool)) == level
    assert decide(ruled(("{}", "confirm")), facts(tool)).level == level


def test_a_rules_own_level_and_reason_stand() -> None:
    own = policy("rules: [{match: {}, decision: confirm, level: two_people, reason: because}]")

    assert decide(own, facts("list_domains")) == Decision("confirm", "policy.yaml:2 (rule 1)", "because", "two_people")


MATCHES = st.sampled_from(
    [
        {},
        {"risk": ["send", "destructive"]},
        {"risk": "read"},
        {"tool": "delete_*"},
        {"toolset": ["messages", "bounces"]},
        {"domain": "*.example.com"},
        {"domain": ["mg.example.com", "*.org"]},
        {"recipients": {"more_than": 1}},
        {"recipients": {"outside": ["example.com"]}},
        {"arguments": {"address": {"more_than": 5}}},
        {"arguments": {"to": {"not": "*@example.com"}}},
        {"principal": "ops-*", "hour": "9-17"},
        {"after_untrusted": "15m"},
        {"bulk": True},
        {"reversible": ["whole"]},
    ]
)
EFFECTS: st.SearchStrategy[DecisionEffect] = st.sampled_from(["allow", "confirm", "deny"])
RULES = st.lists(st.tuples(MATCHES, EFFECTS), max_size=6)
SENDS = st.builds(
    SendRules,
    allow_recipients=st.sampled_from([None, (), ("*",), ("*@example.com",)]),
    deny_domains=st.sampled_from([None, ("gmail.com",)]),
    recipients_per_hour=st.sampled_from([None, 2]),
    duplicate_window=st.sampled_from([None, 60.0]),
    test_mode=st.sampled_from([None, True]),
)


def made(rules: list[tuple[dict[str, Any], DecisionEffect]], firewall: tuple[SendRules, ...] = ()) -> Policy:
    """Return a policy of compiled rules, named by their number."""
    compiled = [Rule(str(n), compile_match(match, effect, UTC), effect) for n, (match, effect) in enumerate(rules)]
    return Policy("made", tuple(compiled), send=firewall)


POLICIES = st.builds(made, RULES, st.lists(SENDS, max_size=2).map(tuple))
ANY_POLICY = POLICIES | st.sampled_from([profile(name) for name in PROFILES])
CONTEXTS = st.builds(
    Context,
    principal=st.sampled_from(["local", "ops-1"]),
    untrusted_age=st.none() | st.floats(),
    recipients_last_hour=st.integers(0, 5),
    duplicate_age=st.none() | st.floats(),
)
TOOLS = ("send_message", "delete_bounce", "delete_domain", "list_domains", "create_route")
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "domain": st.sampled_from(["mg.example.com", "a.org", "b.net"]),
        "name": st.sampled_from(["mg.example.com", "b.net"]),
        "to": st.lists(st.sampled_from(["a@example.com", "b@gmail.com"]), max_size=2),
        "address": st.sampled_from(["7", "a@gmail.com"]),
        "test_mode": st.booleans(),
    },
)
CALLS = st.builds(gather, st.sampled_from([find(name) for name in TOOLS]), ARGUMENTS, CONTEXTS)


@given(policy=POLICIES, match=MATCHES, place=st.integers(0, 6), call=CALLS)
def test_adding_a_deny_never_allows_more(policy: Policy, match: dict[str, Any], place: int, call: Facts) -> None:
    added = Rule("added", compile_match(match, "deny", UTC), "deny")
    more = replace(policy, rules=(*policy.rules[:place], added, *policy.rules[place:]), plans={})
    before, after = decide(policy, call), decide(more, call)

    assert after.effect == "deny" or after == before


@given(policy=POLICIES, firewall=SENDS, call=CALLS)
def test_adding_a_firewall_never_allows_more(policy: Policy, firewall: SendRules, call: Facts) -> None:
    more = replace(policy, send=(firewall, *policy.send), plans={})

    assert STRICTNESS[decide(more, call).effect] >= STRICTNESS[decide(policy, call).effect]


@given(denies=st.lists(MATCHES, max_size=3), others=RULES, call=CALLS)
def test_the_order_of_denies_does_not_matter(
    denies: list[dict[str, Any]], others: list[tuple[dict[str, Any], DecisionEffect]], call: Facts
) -> None:
    allowing = [(match, effect) for match, effect in others if effect != "deny"]
    denying: list[tuple[dict[str, Any], DecisionEffect]] = [(match, "deny") for match in denies]
    effects = {
        decide(made([*order, *allowing] if first else [*allowing, *order]), call).effect
        for order in permutations(denying)
        for first in (True, False)
    }

    assert len(effects) == 1


@given(policy=ANY_POLICY, call=CALLS)
def test_explain_agrees_with_decide(policy: Policy, call: Facts) -> None:
    decision, verdicts = decide(policy, call), explain(policy, call)
    deciding = [verdict for verdict in verdicts if verdict.decides]
    matching = [verdict for verdict in verdicts if verdict.matched and not verdict.rule.startswith("send/")]

    if decision.rule == policy.otherwise.rule:
        assert (deciding, matching) == ([], [])
        return
    (decider,) = deciding
    assert decider.rule == decision.rule
    assert decision.effect == ("deny" if decider.failed else decider.effect)
    if decision.effect != "deny":
        assert [verdict for verdict in verdicts if verdict.matched and verdict.effect == "deny"] == []
    if decision.effect == "allow":
        assert matching[0] == decider


@given(policy=ANY_POLICY, call=CALLS)
def test_a_call_is_allowed_only_when_nothing_that_matches_denies_or_fails_first(policy: Policy, call: Facts) -> None:
    verdicts = explain(policy, call)
    reached = verdicts[: [*(verdict.decides for verdict in verdicts), True].index(True)]

    if decide(policy, call).effect == "allow":
        assert not any(verdict.failed or verdict.matched for verdict in reached)


@given(
    policy=ANY_POLICY,
    operation=st.sampled_from(list(catalogue())),
    arguments=st.dictionaries(st.sampled_from(["to", "from", "headers", "address", "name", "action", "url"]), JSON),
    context=CONTEXTS,
)
def test_any_call_is_decided_and_explained(
    policy: Policy, operation: Any, arguments: dict[str, Any], context: Context
) -> None:
    call = gather(operation, arguments, context)
    decision = decide(policy, call)

    assert decision.effect in STRICTNESS
    assert (decision.level is not None) is (decision.effect == "confirm")
    assert decision.rule
    assert decision.reason
    assert all(verdict.why for verdict in explain(policy, call))


def test_a_rule_of_very_many_conditions_is_decided() -> None:
    many = made([({"arguments": {f"a{n}": {"exists": False} for n in range(5000)}}, "allow")])

    assert decide(many, facts("list_domains")).effect in STRICTNESS


def test_each_operation_is_planned_once() -> None:
    own = ruled(("{}", "allow"))

    assert [decide(own, call).effect for call in (send("a@a.example"), send("b@a.example"))] == ["allow", "allow"]
    assert list(own.plans) == [find("send_message")]
