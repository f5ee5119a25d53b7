"""What a call costs, at the prices that the operator wrote into the policy. Pure.

A price is for a unit, such as `validation`, or for one tool. A send costs the price of a `message` per recipient.
"""

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import Policy

MESSAGE = "message"
"""The unit of a send: one mail to one recipient."""


def cost(policy: Policy, facts: Facts) -> float | None:
    """Return the cost of the call in the currency of the budget; 0 if it is free, None if the price is unknown.

    Without a budget, costs are not counted.
    """
    if not policy.spend:
        return 0.0
    operation = facts.operation
    price = _price(policy, operation)
    if price is None:
        return None if operation.risk == "billing" else 0.0
    return price * max(1, facts.recipient_count) if operation.risk == "send" else price


def unit_of(operation: Operation) -> str | None:
    """Return the unit that a call is charged for, or None if it is free."""
    if operation.risk == "send":
        return MESSAGE
    return operation.price.unit if operation.price else None


def _price(policy: Policy, operation: Operation) -> float | None:
    """Return the price of one unit: from the nearest file that has one, where a tool's price precedes its unit's."""
    for rules in policy.spend:
        for name in (operation.name, unit_of(operation)):
            if name is not None and name in rules.prices:
                return rules.prices[name]
    # No exchange rates between currencies are known.
    price = operation.price if operation.price and operation.price.currency == policy.spend[0].currency else None
    return price.amount if price else None
