"""What happened before a call: what counts, for whom, and for how long."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.policy.facts import Context, Facts, gather
from mailgun_mcp.policy.history import PastCalls, age, took_effect, with_history

NOON = datetime(2026, 3, 7, 12, tzinfo=UTC)
CATALOGUE = Catalogue.load()


def call(tool: str = "send_message", *, ago: float = 0, digest: str = "d", to: int = 1, **context: Any) -> Facts:
    arguments = {"to": [f"a{number}@example.com" for number in range(to)]} if tool == "send_message" else {}
    now = NOON - timedelta(seconds=ago)
    return gather(CATALOGUE.find(tool), arguments, Context(now=now, **context), digest)


def context_after(*calls: Facts, digest: str = "d", **context: Any) -> Context:
    past = PastCalls()
    for facts in calls:
        past.add(facts)
    return with_history(Context(now=NOON, **context), digest, past)


def test_nothing_happened_before_the_first_call() -> None:
    assert context_after() == Context(now=NOON)


@pytest.mark.parametrize(("ago", "counted"), [(0, 3), (3599, 3), (3600, 0), (7200, 0)])
def test_recipients_count_for_an_hour(ago: float, counted: int) -> None:
    assert context_after(call(ago=ago, to=3)).recipients_last_hour == counted


def test_sends_count_for_the_account_whoever_made_them() -> None:
    calls = (call(to=2, principal="ann"), call(to=3, principal="bob"), call(to=4, account="other"))

    assert context_after(*calls, principal="cid").recipients_last_hour == 5
    assert context_after(*calls, account="other").recipients_last_hour == 4


def test_a_duplicate_is_the_same_request_in_the_same_account() -> None:
    calls = (call(ago=90, digest="d"), call(ago=60, digest="d", principal="bob"), call(ago=30, digest="e"))

    assert context_after(*calls, digest="d").duplicate_age == 60
    assert context_after(*calls, digest="f").duplicate_age is None
    assert context_after(*calls, digest="d", account="other").duplicate_age is None


def test_costs_count_from_the_first_of_the_month_in_utc() -> None:
    past = PastCalls()
    for days in (9, 6.6, 6.4, 1):
        past.add(call("validate_email_address", ago=days * 86_400), cost=2.0)

    assert with_history(Context(now=NOON), "d", past).spent_this_month == 4.0


def test_a_read_is_no_send() -> None:
    assert context_after(call("list_domains")) == Context(now=NOON, principal_calls_last_hour=1)


@pytest.mark.parametrize(
    ("outcome", "effect", "counts"),
    [
        ("done", "confirm", True),
        ("unknown", "allow", True),
        ("failed", "allow", False),
        ("pending", "confirm", False),
        (None, "allow", True),
        (None, None, True),
        (None, "confirm", False),
        (None, "deny", False),
    ],
)
def test_what_took_effect_counts(outcome: str | None, effect: str | None, counts: bool) -> None:
    assert took_effect(outcome, effect) is counts


def test_a_clock_that_was_set_back_makes_no_negative_age() -> None:
    assert (age(10.0, 4.0), age(4.0, 10.0), age(None, 4.0)) == (0.0, 6.0, None)
