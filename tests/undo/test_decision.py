"""An undo is decided on by the strictest of the decisions on it and on its calls."""

from typing import Any

import pytest

from mailgun_mcp.policy.facts import Context, Facts, gather
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.undo.decision import UNCERTAIN, decide_undo, worst_risk
from tests.support.operations import catalogue

DOMAIN = {"domain": "mg.example.com"}


def facts(tool: str, **arguments: Any) -> Facts:
    return gather(catalogue().find(tool), {**DOMAIN, **arguments}, Context())


READ, WRITE, DESTRUCTIVE = facts("list_bounces"), facts("add_complaints", complaints=[]), facts("clear_bounces")


@pytest.mark.parametrize(
    ("steps", "risk"), [([], "write"), ([WRITE], "write"), ([WRITE, DESTRUCTIVE], "destructive"), ([READ], "read")]
)
def test_the_risk_is_the_worst_of_the_calls(steps: list[Facts], risk: str) -> None:
    assert worst_risk(steps) == risk


@pytest.mark.parametrize(
    ("steps", "uncertain", "effect"),
    [([], False, "allow"), ([DESTRUCTIVE], False, "confirm"), ([], True, "confirm"), ([READ], False, "allow")],
)
def test_the_strictest_decision_counts(steps: list[Facts], uncertain: bool, effect: str) -> None:
    decision = decide_undo(profile("guarded"), READ, steps, offers=lambda _: True, uncertain=uncertain)
    assert decision.effect == effect
    if uncertain:
        assert decision == UNCERTAIN


def test_a_call_that_the_server_does_not_offer_is_denied() -> None:
    decision = decide_undo(profile("unguarded"), READ, [DESTRUCTIVE], offers=lambda _: False, uncertain=True)
    assert decision.effect == "deny"
    assert decision.reason == "it needs clear_bounces, which this server does not offer"
