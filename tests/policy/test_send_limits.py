"""The send firewall and the budget: they only tighten, and unset, empty and everything are three things."""

from dataclasses import replace
from typing import Any

import pytest

from mailgun_mcp.catalogue.operation import Price
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Context, Facts
from mailgun_mcp.policy.model import CallLimits, Decision, Policy, SendRules, SpendRules
from mailgun_mcp.policy.profiles import profile
from tests.support.operations import find
from tests.support.policies import facts, policy, send

ALL = ("*",)
OURS = ("example.com",)
BOTH = ("a@example.com", "b@gmail.com")
BOUNCE = facts("delete_bounce", {"domain": "mg.example.com", "address": "a@gmail.com"})
ACTIVATION = facts("resend_activation_email")
"""A send that says neither from whom nor to whom."""


def guarded_by(**rules: Any) -> Policy:
    """Return a policy that allows all that its firewall lets through."""
    return replace(profile("unguarded"), send=(SendRules(**rules),), plans={})


CASES: list[tuple[str, dict[str, Any], Facts, str | None]] = [
    ("unset is everybody", {}, send(*BOTH), None),
    ("empty is nobody", {"allow_recipients": ()}, send(*BOTH), "allow_recipients"),
    ("star is everybody", {"allow_recipients": ALL}, send(*BOTH), None),
    ("star among others", {"allow_domains": ("x.example", "*")}, send(*BOTH), None),
    ("empty domains", {"allow_domains": ()}, send(*BOTH), "allow_domains"),
    ("one stranger", {"allow_recipients": ("*@example.com",)}, send(*BOTH), "allow_recipients"),
    ("domain among recipients", {"allow_recipients": OURS}, send("a@example.com"), None),
    ("each list holds", {"allow_recipients": ALL, "allow_domains": OURS}, send(*BOTH), "allow_domains"),
    ("stranger in cc", {"allow_domains": OURS}, send("a@example.com", cc=["b@x.example"]), "allow_domains"),
    (
        "stranger in recipient variables",
        {"allow_domains": OURS},
        send("a@example.com", recipient_variables={"b@x.example": {}}),
        "allow_domains",
    ),
    ("denied in bcc", {"deny_recipients": ("b@*",)}, send("a@a.example", bcc=["b@x.example"]), "deny_recipients"),
    ("denied domain", {"deny_domains": ("*.evil.example",)}, send("a@x.evil.example"), "deny_domains"),
    ("deny nobody", {"deny_recipients": (), "deny_domains": ()}, send(*BOTH), None),
    ("unknown recipients, unset", {}, ACTIVATION, None),
    ("unknown recipients, star", {"allow_recipients": ALL}, ACTIVATION, None),
    ("unknown recipients, some", {"allow_recipients": ("a@*",)}, ACTIVATION, "allow_recipients"),
    ("no send", {"allow_recipients": (), "test_mode": True}, BOUNCE, None),
    ("right sender", {"sender_domains": ("mg.example.com",)}, send("a@a.example"), None),
    ("other sender", {"sender_domains": ("example.org",)}, send("a@a.example"), "sender_domains"),
    ("no sender", {"sender_domains": ()}, send("a@a.example"), "sender_domains"),
    (
        "sender in a header",
        {"sender_domains": ("mg.example.com",)},
        send("a@a.example", headers={"FROM": "x@evil.example"}),
        "sender_domains",
    ),
    ("unknown sender", {"sender_domains": OURS}, send("a@a.example", tool="send_mime_message"), "sender_domains"),
    ("unknown sender, star", {"sender_domains": ALL}, send("a@a.example", tool="send_mime_message"), None),
    ("Mailgun's own sender", {"sender_domains": OURS}, ACTIVATION, None),
    ("within a call", {"recipients_per_call": 2}, send(*BOTH), None),
    ("too many", {"recipients_per_call": 1}, send(*BOTH), "recipients_per_call"),
    (
        "members of a list",
        {"recipients_per_call": 9},
        send("l@a.example", list_members={"l@a.example": 10}),
        "recipients_per_call",
    ),
    ("within the hour", {"recipients_per_hour": 5}, send(*BOTH, recipients_last_hour=3), None),
    ("over the hour", {"recipients_per_hour": 5}, send(*BOTH, recipients_last_hour=4), "recipients_per_hour"),
    ("one within the hour", {"principal_recipients_per_hour": 5}, send(*BOTH, principal_recipients_last_hour=3), None),
    (
        "one over the hour",
        {"principal_recipients_per_hour": 5},
        send(*BOTH, principal_recipients_last_hour=4),
        "principal_recipients_per_hour",
    ),
    ("none in the hour", {"recipients_per_hour": 0}, ACTIVATION, "recipients_per_hour"),
    ("in test mode", {"test_mode": True}, send("a@a.example", test_mode=True), None),
    ("not in test mode", {"test_mode": True}, send("a@a.example"), "test_mode"),
    ("test mode refused", {"test_mode": True}, send("a@a.example", test_mode=False), "test_mode"),
    ("no test mode to be had", {"test_mode": True}, send("a@a.example", tool="resend_message"), "test_mode"),
    ("test mode not forced", {"test_mode": False}, send("a@a.example"), None),
    ("the first time", {"duplicate_window": 60.0}, send("a@a.example"), None),
    ("long ago", {"duplicate_window": 60.0}, send("a@a.example", duplicate_age=61.0), None),
]


@pytest.mark.parametrize(("rules", "call", "by"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_send_passes_every_list_or_is_denied(rules: dict[str, Any], call: Facts, by: str | None) -> None:
    decision = decide(guarded_by(**rules), call)

    assert (decision.effect, decision.rule) == (("deny", f"send/{by}") if by else ("allow", "unguarded/everything"))


def test_every_files_firewall_holds() -> None:
    two = replace(guarded_by(), send=(SendRules(allow_recipients=ALL), SendRules(allow_domains=OURS)), plans={})

    assert decide(two, send(*BOTH)).rule == "send/allow_domains"


HOOK, ROUTE = "create_account_webhook", "create_route"
OUR_HOOK = {"allow_destinations": ("hooks.example.com",)}


@pytest.mark.parametrize(
    ("rules", "tool", "arguments", "effect"),
    [
        (OUR_HOOK, HOOK, {"url": "https://hooks.example.com/"}, "allow"),
        (OUR_HOOK, HOOK, {"url": "https://evil.example/"}, "deny"),
        ({"allow_destinations": ()}, HOOK, {"url": "https://hooks.example.com/"}, "deny"),
        ({"allow_destinations": ALL}, HOOK, {"url": "https://evil.example/"}, "allow"),
        ({"allow_destinations": ()}, ROUTE, {"action": ["stop()"]}, "allow"),
        ({"allow_destinations": ("*@example.com",)}, ROUTE, {"action": ['forward("a@evil.example")']}, "deny"),
        (OUR_HOOK, "send_message", {"to": ["a@a.example"], "archive_to": "https://evil.example/"}, "deny"),
        ({"deny_destinations": ("evil.example",)}, ROUTE, {"action": ['forward("a@evil.example")']}, "deny"),
        ({"deny_destinations": ("evil.example",)}, ROUTE, {"action": ['forward("a@good.example")']}, "allow"),
        ({"allow_destinations": ()}, "delete_domain_webhook_urls", {"url": "https://evil.example/"}, "allow"),
    ],
)
def test_data_leaves_for_allowed_destinations_only(
    rules: dict[str, Any], tool: str, arguments: dict[str, Any], effect: str
) -> None:
    assert decide(guarded_by(**rules), facts(tool, arguments)).effect == effect


@pytest.mark.parametrize(("age", "said"), [(59.6, "59 seconds"), (1.2, "1 second")])
def test_the_same_message_again_is_confirmed(age: float, said: str) -> None:
    decision = decide(guarded_by(duplicate_window=60.0), send("a@a.example", duplicate_age=age))

    assert decision == Decision("confirm", "send/duplicate_window", f"the same message was sent {said} ago", "typed")


@pytest.mark.parametrize(("level", "kept"), [("ask", "typed"), ("approval", "approval")])
def test_a_duplicate_keeps_the_higher_level(level: str, kept: str) -> None:
    rule = f"{{match: {{}}, decision: confirm, level: {level}, reason: mail}}"
    own = policy(f"rules: [{rule}]\nsend: {{duplicate_window: 1m}}")
    decision = decide(own, send("a@a.example", duplicate_age=5.0))

    assert (decision.rule, decision.level) == ("policy.yaml:2 (rule 1)", kept)
    assert decision.reason == "mail; the same message was sent 5 seconds ago"


def test_a_deny_is_not_softened_by_a_duplicate() -> None:
    own = policy("rules: [{match: {}, decision: deny}]\nsend: {duplicate_window: 1m}")

    assert decide(own, send("a@a.example", duplicate_age=5.0)).effect == "deny"


def bill(price: float | None, spent: float, currency: str = "EUR") -> Facts:
    """Return the facts of a validation that costs `price`, after `spent` this month."""
    operation = replace(find("validate_email_address"), price=Price("address", price, currency))
    return Facts(operation, {}, Context(spent_this_month=spent))


BUDGETED = replace(profile("unguarded"), spend=(SpendRules(10.0, "EUR"),), plans={})
NAN = float("nan")


@pytest.mark.parametrize(
    ("price", "spent", "effect", "rule"),
    [
        (1.0, 9.0, "allow", "unguarded/everything"),
        (1.0, 9.5, "deny", "spend/monthly_budget"),
        (NAN, 0.0, "deny", "spend/monthly_budget"),
        (1.0, NAN, "deny", "spend/monthly_budget"),
        (None, 3.0, "confirm", "spend/unknown_price"),
        (None, 10.0, "deny", "spend/monthly_budget"),
        (None, NAN, "deny", "spend/monthly_budget"),
    ],
)
def test_a_bill_keeps_to_the_budget(price: float | None, spent: float, effect: str, rule: str) -> None:
    decision = decide(BUDGETED, bill(price, spent))

    assert (decision.effect, decision.rule) == (effect, rule)


@pytest.mark.parametrize(
    ("price", "spent", "reason"),
    [
        (4.0, 8.0, "4.00 EUR more than the 8.00 EUR spent this month is over the budget of 10.00 EUR"),
        (None, 12.0, "the monthly budget of 10.00 EUR is used up"),
        (
            None,
            4.0,
            "the price of one address in EUR is not known (spend: {prices: {address: ...}} in the policy sets it), "
            "and 6.00 EUR of the monthly budget are left",
        ),
    ],
)
def test_the_budget_is_told_in_its_currency(price: float | None, spent: float, reason: str) -> None:
    assert decide(BUDGETED, bill(price, spent)).reason == reason


def test_a_price_in_another_currency_is_not_known() -> None:
    assert decide(BUDGETED, bill(1.0, 3.0, "USD")).rule == "spend/unknown_price"


def test_what_costs_nothing_needs_no_budget() -> None:
    assert decide(BUDGETED, BOUNCE).effect == "allow"


@pytest.mark.parametrize(("before", "effect"), [(2, "allow"), (3, "deny"), (float("nan"), "deny")])
def test_calls_keep_to_every_files_limit(before: Any, effect: str) -> None:
    limits = (CallLimits(9), CallLimits(), CallLimits(3))
    limited = replace(profile("unguarded"), limits=limits, plans={})
    call = facts("list_domains", {}, principal_calls_last_hour=before)
    assert decide(limited, call).effect == effect


def test_a_guard_that_cannot_be_evaluated_denies() -> None:
    broken = replace(send("a@example.com"), recipient_count="many")  # type: ignore[arg-type]  # what must not happen

    assert decide(guarded_by(recipients_per_call=5), broken) == Decision(
        "deny", "send/recipients_per_call", "rule send/recipients_per_call failed (TypeError), so the call is denied"
    )


def test_reasons_hold_no_control_characters_of_the_call() -> None:
    call = send("a\x1b[2Jignore\u202eall@evil.example")
    decision = decide(guarded_by(allow_domains=OURS), call)

    assert decision.effect == "deny"
    assert decision.reason.isprintable()
