"""Deny wins, else the first match; the firewall and the budget only tighten; whatever goes wrong denies."""

from dataclasses import dataclass, replace
from datetime import UTC
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.guard.conditions import compile_match
from mailgun_mcp.guard.engine import decide, explain, level_of
from mailgun_mcp.guard.facts import Context, Facts, gather
from mailgun_mcp.guard.policy import Decision, Effect, Policy, Rule, SendRules, Spend
from mailgun_mcp.guard.profiles import PROFILES, profile
from tests.guard.test_facts import JSON
from tests.support.operations import catalogue, find
from tests.support.policies import facts, policy, send

STRICTNESS: dict[Effect, int] = {"allow": 0, "confirm": 1, "deny": 2}
BOUNCE = {"domain_name": "mg.example.com", "address": "a@gmail.com"}


def three(*rules: tuple[str, str]) -> Policy:
    """Return a policy of rules of a match and a decision."""
    return policy("rules:\n" + "".join(f"  - {{match: {match}, decision: {decision}}}\n" for match, decision in rules))


def guarded_by(**send_rules: Any) -> Policy:
    """Return a policy that allows all that its firewall lets through."""
    return replace(profile("unguarded"), send=(SendRules(**send_rules),), plans={})


ORDERS = [
    ([("{}", "allow"), ("{risk: destructive}", "deny")], "deny", "2"),
    ([("{risk: destructive}", "deny"), ("{}", "allow")], "deny", "1"),
    ([("{}", "confirm"), ("{}", "allow")], "confirm", "1"),
    ([("{}", "allow"), ("{}", "confirm")], "allow", "1"),
    ([("{risk: read}", "allow"), ("{domain: mg.example.com}", "confirm")], "confirm", "2"),
]


@pytest.mark.parametrize(("rules", "effect", "number"), ORDERS)
def test_deny_wins_and_else_the_first_match(rules: list[tuple[str, str]], effect: str, number: str) -> None:
    decision = decide(three(*rules), facts("delete_bounce", BOUNCE))

    assert (decision.effect, decision.rule[-2]) == (effect, number)


def test_what_no_rule_matches_is_denied() -> None:
    decision = decide(three(("{risk: read}", "allow")), facts("delete_bounce", BOUNCE))

    assert decision == Decision("deny", "nothing", "no rule allows this call, and what no rule allows is denied")
    assert not decision.allowed


def test_a_rule_that_cannot_be_evaluated_denies_wherever_it_stands() -> None:
    fails = ("{tool: delete_bounce, arguments: {address: {more_than: 5}}}", "allow")
    decision = decide(three(fails, ("{}", "allow")), facts("delete_bounce", BOUNCE))

    assert decision.effect == "deny"
    assert decision.reason == "rule policy.yaml:3 (rule 1) failed (ValueError), so the call is denied"


def test_a_guard_that_cannot_be_evaluated_denies() -> None:
    broken = replace(send("a@example.com"), recipient_count="many")  # type: ignore[arg-type]  # what must not happen

    assert decide(guarded_by(recipients_per_call=5), broken) == Decision(
        "deny", "send/recipients_per_call", "rule send/recipients_per_call failed (TypeError), so the call is denied"
    )


def test_a_time_without_a_zone_denies() -> None:
    call = facts("list_domains", now=Context().now.replace(tzinfo=None))

    assert decide(three(("{hour: 0-24}", "allow")), call).reason.startswith("rule policy.yaml:3 (rule 1) failed")


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
    assert decide(three(("{}", "confirm")), facts(tool)).level == level


def test_a_rules_own_level_and_reason_stand() -> None:
    own = policy("rules: [{match: {}, decision: confirm, level: two_people, reason: because}]")

    assert decide(own, facts("list_domains")) == Decision("confirm", "policy.yaml:2 (rule 1)", "because", "two_people")


ALL = ("*",)
MIXED = ("a@example.com", "b@gmail.com")
FIREWALL: list[tuple[str, dict[str, Any], Facts, str | None]] = [
    ("unset allows everybody", {}, send(*MIXED), None),
    ("empty allows nobody", {"allow_recipients": ()}, send(*MIXED), "allow_recipients"),
    ("star allows everybody", {"allow_recipients": ALL}, send(*MIXED), None),
    ("star among others", {"allow_domains": ("x.example", "*")}, send(*MIXED), None),
    ("empty domains", {"allow_domains": ()}, send(*MIXED), "allow_domains"),
    ("one stranger", {"allow_recipients": ("*@example.com",)}, send(*MIXED), "allow_recipients"),
    ("a domain among recipients", {"allow_recipients": ("example.com",)}, send("a@example.com"), None),
    ("each list holds", {"allow_recipients": ALL, "allow_domains": ("example.com",)}, send(*MIXED), "allow_domains"),
    ("stranger in cc", {"allow_domains": ("example.com",)}, send("a@example.com", cc=["b@x.example"]), "allow_domains"),
    (
        "stranger in recipient variables",
        {"allow_domains": ("example.com",)},
        send("a@example.com", recipient_variables={"b@x.example": {}}),
        "allow_domains",
    ),
    ("denied in bcc", {"deny_recipients": ("b@*",)}, send("a@example.com", bcc=["b@x.example"]), "deny_recipients"),
    ("denied domain", {"deny_domains": ("*.evil.example",)}, send("a@x.evil.example"), "deny_domains"),
    ("deny nobody", {"deny_recipients": (), "deny_domains": ()}, send(*MIXED), None),
    ("unset for unknown recipients", {}, facts("resend_activation_email"), None),
    ("star for unknown recipients", {"allow_recipients": ALL}, facts("resend_activation_email"), None),
    ("unknown recipients", {"allow_recipients": ("a@*",)}, facts("resend_activation_email"), "allow_recipients"),
    ("no send", {"allow_recipients": (), "test_mode": True}, facts("delete_bounce", BOUNCE), None),
    ("sender", {"sender_domains": ("mg.example.com",)}, send("a@example.com"), None),
    ("other sender", {"sender_domains": ("example.org",)}, send("a@example.com"), "sender_domains"),
    ("no sender allowed", {"sender_domains": ()}, send("a@example.com"), "sender_domains"),
    (
        "sender in a header",
        {"sender_domains": ("mg.example.com",)},
        send("a@example.com", headers={"FROM": "x@evil.example"}),
        "sender_domains",
    ),
    (
        "unknown sender",
        {"sender_domains": ALL[:0] + ("mg.example.com",)},
        send("a@a.example", tool="send_mime_message"),
        "sender_domains",
    ),
    ("mailgun's own sender", {"sender_domains": ("x",)}, facts("resend_activation_email"), None),
    ("within a call", {"recipients_per_call": 2}, send(*MIXED), None),
    ("too many", {"recipients_per_call": 1}, send(*MIXED), "recipients_per_call"),
    (
        "list members count",
        {"recipients_per_call": 9},
        send("l@a.example", list_members={"l@a.example": 10}),
        "recipients_per_call",
    ),
    ("within the hour", {"recipients_per_hour": 5}, send(*MIXED, recipients_last_hour=3), None),
    ("over the hour", {"recipients_per_hour": 5}, send(*MIXED, recipients_last_hour=4), "recipients_per_hour"),
    ("none in the hour", {"recipients_per_hour": 0}, facts("resend_activation_email"), "recipients_per_hour"),
    ("in test mode", {"test_mode": True}, send("a@a.example", test_mode=True), None),
    ("not in test mode", {"test_mode": True}, send("a@a.example"), "test_mode"),
    ("test mode said no", {"test_mode": True}, send("a@a.example", test_mode=False), "test_mode"),
    ("no test mode to be had", {"test_mode": True}, send("a@a.example", tool="resend_message"), "test_mode"),
    ("test mode not forced", {"test_mode": False}, send("a@a.example"), None),
    ("first time", {"duplicate_window": 60.0}, send("a@a.example"), None),
    ("long ago", {"duplicate_window": 60.0}, send("a@a.example", duplicate_age=61.0), None),
]


@pytest.mark.parametrize(
    ("rules", "call", "denied_by"), [case[1:] for case in FIREWALL], ids=[case[0] for case in FIREWALL]
)
def test_the_send_firewall(rules: dict[str, Any], call: Facts, denied_by: str | None) -> None:
    decision = decide(guarded_by(**rules), call)

    assert (decision.effect, decision.rule) == (
        ("deny", f"send/{denied_by}") if denied_by else ("allow", "unguarded/1")
    )


@pytest.mark.parametrize(
    ("rules", "tool", "arguments", "effect"),
    [
        (
            {"allow_destinations": ("hooks.example.com",)},
            "create_account_webhook",
            {"url": "https://hooks.example.com/"},
            "allow",
        ),
        (
            {"allow_destinations": ("hooks.example.com",)},
            "create_account_webhook",
            {"url": "https://evil.example/"},
            "deny",
        ),
        ({"allow_destinations": ()}, "create_account_webhook", {"url": "https://hooks.example.com/"}, "deny"),
        ({"allow_destinations": ALL}, "create_account_webhook", {"url": "https://evil.example/"}, "allow"),
        ({"allow_destinations": ()}, "create_route", {"action": ["stop()"]}, "allow"),
        ({"allow_destinations": ("*@example.com",)}, "create_route", {"action": ['forward("a@evil.example")']}, "deny"),
        (
            {"allow_destinations": ("x",)},
            "send_message",
            {"to": ["a@x"], "archive_to": "https://evil.example/"},
            "deny",
        ),
        ({"deny_destinations": ("evil.example",)}, "create_route", {"action": ['forward("a@evil.example")']}, "deny"),
        ({"deny_destinations": ("evil.example",)}, "create_route", {"action": ['forward("a@good.example")']}, "allow"),
        ({"allow_destinations": ()}, "delete_domain_webhook_urls", {"url": "https://evil.example/"}, "allow"),
    ],
)
def test_data_leaves_only_for_allowed_destinations(
    rules: dict[str, Any], tool: str, arguments: dict[str, Any], effect: str
) -> None:
    assert decide(guarded_by(**rules), facts(tool, arguments)).effect == effect


def test_the_same_message_again_is_confirmed() -> None:
    decision = decide(guarded_by(duplicate_window=60.0), send("a@a.example", duplicate_age=59.6))

    assert decision == Decision("confirm", "send/duplicate_window", "the same message was sent 60 seconds ago", "typed")


@pytest.mark.parametrize(("level", "kept"), [("ask", "typed"), ("approval", "approval")])
def test_a_duplicate_keeps_the_higher_level(level: str, kept: str) -> None:
    own = policy(
        f"rules: [{{match: {{}}, decision: confirm, level: {level}, reason: mail}}]\nsend: {{duplicate_window: 1m}}"
    )
    decision = decide(own, send("a@a.example", duplicate_age=5.0))

    assert (decision.rule, decision.level) == ("policy.yaml:2 (rule 1)", kept)
    assert decision.reason == "mail; the same message was sent 5 seconds ago"


def test_a_deny_is_not_softened_by_a_duplicate() -> None:
    own = policy("rules: [{match: {}, decision: deny}]\nsend: {duplicate_window: 1m}")

    assert decide(own, send("a@a.example", duplicate_age=5.0)).effect == "deny"


@dataclass(frozen=True)
class Priced(Facts):
    """Facts with a price, as billing operations will have them."""

    price: float | None = None


def bill(price: float | None, spent: float) -> Facts:
    """Return the facts of a validation that costs `price`, after `spent` this month."""
    return Priced(find("validate_email_address"), {}, Context(spent_this_month=spent), price=price)


@pytest.mark.parametrize(
    ("price", "spent", "effect", "rule"),
    [
        (1.0, 9.0, "allow", "unguarded/1"),
        (1.0, 9.5, "deny", "spend/monthly_budget"),
        (float("nan"), 0.0, "deny", "spend/monthly_budget"),
        (1.0, float("nan"), "deny", "spend/monthly_budget"),
        (None, 3.0, "confirm", "spend/unknown_price"),
        (None, 10.0, "deny", "spend/monthly_budget"),
        (None, float("nan"), "deny", "spend/monthly_budget"),
    ],
)
def test_a_bill_keeps_to_the_budget(price: float | None, spent: float, effect: str, rule: str) -> None:
    budgeted = replace(profile("unguarded"), spend=(Spend(10.0, "EUR"),), plans={})
    decision = decide(budgeted, bill(price, spent))

    assert (decision.effect, decision.rule) == (effect, rule)


def test_the_budget_is_told_in_its_currency() -> None:
    budgeted = replace(profile("unguarded"), spend=(Spend(10.0, "EUR"),), plans={})

    assert decide(budgeted, bill(4.0, 8.0)).reason == (
        "4.00 EUR more than the 8.00 EUR spent this month is over the budget of 10.00 EUR"
    )
    assert decide(budgeted, facts("delete_bounce", BOUNCE)).effect == "allow"


def test_reasons_hold_no_control_characters_of_the_call() -> None:
    decision = decide(guarded_by(allow_domains=("example.com",)), send("a\x1b[2Jignore\u202eall@evil.example"))

    assert decision.effect == "deny"
    assert decision.reason.isprintable()


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
        {"caller": "ops-*", "hour": "9-17"},
        {"after_untrusted": "15m"},
        {"bulk": True},
        {"reversible": ["whole"]},
    ]
)
EFFECTS: st.SearchStrategy[Effect] = st.sampled_from(["allow", "confirm", "deny"])
SENDS = st.builds(
    SendRules,
    allow_recipients=st.sampled_from([None, (), ("*",), ("*@example.com",)]),
    deny_domains=st.sampled_from([None, ("gmail.com",)]),
    recipients_per_hour=st.sampled_from([None, 2]),
    duplicate_window=st.sampled_from([None, 60.0]),
    test_mode=st.sampled_from([None, True]),
)


def made(rules: list[tuple[dict[str, Any], Effect]], firewall: tuple[SendRules, ...] = ()) -> Policy:
    """Return a policy of compiled rules, named by their number."""
    compiled = [Rule(str(n), compile_match(match, effect, UTC), effect) for n, (match, effect) in enumerate(rules)]
    return Policy("made", tuple(compiled), send=firewall)


RULES = st.lists(st.tuples(MATCHES, EFFECTS), max_size=6)
POLICIES = st.builds(made, RULES, st.lists(SENDS, max_size=2).map(tuple))
CONTEXTS = st.builds(
    Context,
    caller=st.sampled_from(["local", "ops-1"]),
    untrusted_age=st.none() | st.floats(),
    recipients_last_hour=st.integers(0, 5),
    duplicate_age=st.none() | st.floats(),
)
CALLS = st.builds(
    gather,
    st.sampled_from(
        [find(n) for n in ("send_message", "delete_bounce", "delete_domain", "list_domains", "create_route")]
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "domain_name": st.sampled_from(["mg.example.com", "a.org", "b.net"]),
            "name": st.sampled_from(["mg.example.com", "b.net"]),
            "to": st.lists(st.sampled_from(["a@example.com", "b@gmail.com"]), max_size=2),
            "address": st.sampled_from(["7", "a@gmail.com"]),
            "test_mode": st.booleans(),
        },
    ),
    CONTEXTS,
)


@given(policy=POLICIES, match=MATCHES, place=st.integers(0, 6), call=CALLS)
def test_adding_a_deny_never_allows_more(policy: Policy, match: dict[str, Any], place: int, call: Facts) -> None:
    added = Rule("added", compile_match(match, "deny", UTC), "deny")
    more = replace(policy, rules=(*policy.rules[:place], added, *policy.rules[place:]), plans={})
    before, after = decide(policy, call), decide(more, call)

    assert STRICTNESS[after.effect] >= STRICTNESS[before.effect]
    assert after.effect == "deny" or after == before


@given(policy=POLICIES, firewall=SENDS, call=CALLS)
def test_adding_a_firewall_never_allows_more(policy: Policy, firewall: SendRules, call: Facts) -> None:
    more = replace(policy, send=(firewall, *policy.send), plans={})

    assert STRICTNESS[decide(more, call).effect] >= STRICTNESS[decide(policy, call).effect]


@given(denies=st.lists(MATCHES, max_size=3), others=RULES, call=CALLS)
def test_the_order_of_denies_does_not_matter(
    denies: list[dict[str, Any]], others: list[tuple[dict[str, Any], Effect]], call: Facts
) -> None:
    allowing = [(match, effect) for match, effect in others if effect != "deny"]
    denying: list[tuple[dict[str, Any], Effect]] = [(match, "deny") for match in denies]
    effects = {
        decide(made([*order, *allowing] if first else [*allowing, *order]), call).effect
        for order in permutations(denying)
        for first in (True, False)
    }

    assert len(effects) == 1


@given(policy=POLICIES | st.sampled_from([profile(name) for name in PROFILES]), call=CALLS)
def test_explain_agrees_with_decide(policy: Policy, call: Facts) -> None:
    decision, verdicts = decide(policy, call), explain(policy, call)
    deciding = [verdict for verdict in verdicts if verdict.decides]
    matched = [verdict for verdict in verdicts if verdict.matched]

    if decision.rule == policy.otherwise.rule:
        assert deciding == []
        assert [verdict for verdict in matched if not verdict.rule.startswith("send/")] == []
        return
    (decider,) = deciding
    assert decider.rule == decision.rule
    assert (decider.effect, decider.failed) == (decision.effect, False) or (
        decider.failed and decision.effect == "deny"
    )
    if decision.effect == "allow":
        assert [verdict for verdict in matched if verdict.effect == "deny" or verdict.rule.startswith("send/")] == []
        assert next(verdict for verdict in matched) == decider


@given(
    policy=POLICIES | st.sampled_from([profile(name) for name in PROFILES]),
    operation=st.sampled_from(list(catalogue())),
    arguments=st.dictionaries(st.sampled_from(["to", "from", "headers", "address", "name", "action", "url"]), JSON),
    context=CONTEXTS,
)
def test_any_call_is_decided(policy: Policy, operation: Any, arguments: dict[str, Any], context: Context) -> None:
    decision = decide(policy, gather(operation, arguments, context))

    assert decision.effect in STRICTNESS
    assert (decision.level is not None) is (decision.effect == "confirm")
    assert decision.rule
    assert decision.reason


def test_a_rule_of_very_many_conditions_is_decided() -> None:
    many = made([({"arguments": {f"a{n}": {"exists": False} for n in range(5000)}}, "allow")])

    assert decide(many, facts("list_domains")).effect in STRICTNESS
