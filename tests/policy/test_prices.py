"""What a call costs: by tool, by unit, by recipient, and in the currency of the budget."""

import pytest

from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.file.load import PolicyError
from mailgun_mcp.policy.prices import cost, unit_of
from tests.support.operations import catalogue, find
from tests.support.policies import facts, policy, send

PRICED = policy("extends: unguarded\nspend: {monthly_budget: 1, prices: {message: 0.1, validation: 0.25}}")


def test_a_send_costs_a_message_for_each_recipient() -> None:
    assert cost(PRICED, send("a@x.example", "b@x.example")) == pytest.approx(0.2)


def test_a_billing_call_costs_its_unit() -> None:
    assert cost(PRICED, facts("validate_email_address")) == 0.25
    assert cost(PRICED, facts("request_dedicated_ip")) is None


def test_the_price_of_a_tool_comes_before_that_of_its_unit() -> None:
    own = policy("spend: {monthly_budget: 1, prices: {message: 0.1, send_message: 0.5}}")
    assert (cost(own, send("a@x.example")), cost(own, send("a@x.example", tool="send_mime_message"))) == (0.5, 0.1)


def test_what_has_no_price_costs_nothing_unless_it_is_billed() -> None:
    own = policy("spend: {monthly_budget: 1}")
    assert (cost(own, send("a@x.example")), cost(own, facts("list_domains"))) == (0, 0)
    assert cost(own, facts("validate_email_address")) is None


def test_without_a_budget_nothing_is_counted() -> None:
    assert cost(policy("extends: guarded"), facts("validate_email_address")) == 0


def test_every_billing_tool_has_a_unit() -> None:
    billing = {operation.name: unit_of(operation) for operation in catalogue() if operation.risk == "billing"}
    assert billing == {
        "request_dedicated_ip": "dedicated_ip",
        "update_subaccount_features": "subaccount_features",
        "validate_email_address": "validation",
    }
    assert unit_of(find("delete_domain")) is None


def test_a_budget_is_spent_to_the_cent() -> None:
    own = policy("extends: unguarded\nspend: {monthly_budget: 0.3, prices: {validation: 0.1}}")
    assert decide(own, facts("validate_email_address", spent_this_month=0.1 + 0.1)).effect == "allow"
    assert decide(own, facts("validate_email_address", spent_this_month=0.1 + 0.1 + 0.1)).effect == "deny"


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ("{validaton: 1}", "unknown price 'validaton': did you mean 'validation'"),
        ("{list_domains: 1}", "unknown price 'list_domains'"),
        ("{validation: -1}", "greater than or equal to 0"),
        ("{}", "should not be empty"),
    ],
)
def test_a_price_of_nothing_is_a_fault(prices: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        policy(f"spend: {{monthly_budget: 1, prices: {prices}}}")
