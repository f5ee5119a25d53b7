"""The send firewall, the budget and the call limit: they refuse a call or require a yes, whatever the rules say."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.policy.address_changes import UNREAD, changes_addresses
from mailgun_mcp.policy.conditions import ABOUT_PEOPLE, show
from mailgun_mcp.policy.facts import TEMPLATES, Facts
from mailgun_mcp.policy.globs import TextPredicate, address_matcher
from mailgun_mcp.policy.model import CallLimits, Policy, SendLimit, SendRules, SpendRules
from mailgun_mcp.policy.prices import cost, unit_of
from mailgun_mcp.text.durations import in_words

LIMITS = "send/"
"""Prefix of the names of send limits. Their reasons quote addresses."""
LimitCheck = Callable[[Facts], str | None]


def send_limits(policy: Policy) -> Iterator[SendLimit]:
    """Yield the limits of the policy, from the `send` and `spend` of every file: all of them apply.

    For `confirm_per_hour`, `confirm_addresses_per_hour` and `unknown_lists` only the nearest file counts.
    """
    allows_unknown = allows_unknown_lists(policy)
    for rules in policy.send:
        yield from _of_send(rules, allows_unknown)
    if not allows_unknown:
        yield SendLimit("send/unknown_lists", "confirm", _sends, _unknown_list)
    confirm_above = _first_set(policy.send, "confirm_per_hour")
    if confirm_above is not None:
        yield SendLimit("send/confirm_per_hour", "confirm", _sends, partial(_many_in_an_hour, confirm_above))
    for limits in policy.limits:
        if limits.principal_calls_per_hour is not None:
            check = partial(_too_many_calls, limits.principal_calls_per_hour)
            yield SendLimit("limits/principal_calls_per_hour", "deny", _any_call, check)
    addresses = _first_set(policy.limits, "confirm_addresses_per_hour")
    if addresses is not None:
        check = partial(_many_addresses_in_an_hour, addresses)
        yield SendLimit("limits/confirm_addresses_per_hour", "confirm", changes_addresses, check)
    for budget in policy.spend:
        yield SendLimit("spend/monthly_budget", "deny", _costs, partial(_over_budget, policy, budget))
        yield SendLimit("spend/unknown_price", "confirm", _bills, partial(_unknown_price, policy, budget), True)


def allows_unknown_lists(policy: Policy) -> bool:
    """Return whether sends are allowed although it is unknown how many people a list reaches."""
    return bool(_first_set(policy.send, "unknown_lists") == "allow")


def restricts_recipients(policy: Policy) -> bool:
    """Return whether a limit or rule depends on who gets the mail: then members of mailing lists must be read."""
    if any(condition.key in ABOUT_PEOPLE for rule in policy.rules for condition in rule.match.of_call):
        return True
    return any(
        rules.deny_recipients
        or rules.deny_domains
        or any(globs is not None and "*" not in globs for globs in (rules.allow_recipients, rules.allow_domains))
        for rules in policy.send
    )


def _first_set(files: Iterable[SendRules] | Iterable[CallLimits], setting: str) -> Any:
    return next((value for rules in files if (value := getattr(rules, setting)) is not None), None)


def _of_send(rules: SendRules, allows_unknown: bool) -> Iterator[SendLimit]:
    yield from _of_recipients(rules, allows_unknown)
    yield from _of_destinations(rules)
    if rules.sender_domains is not None and "*" not in rules.sender_domains:
        check = partial(_wrong_sender, address_matcher(rules.sender_domains))
        yield SendLimit("send/sender_domains", "deny", _names_sender, check)
    if rules.recipients_per_call is not None:
        yield _counting("recipients_per_call", partial(_too_many, rules.recipients_per_call), allows_unknown)
    if rules.recipients_per_hour is not None:
        yield _counting("recipients_per_hour", partial(_too_fast, rules.recipients_per_hour), allows_unknown)
    if rules.principal_recipients_per_hour is not None:
        check = partial(_too_fast_for_one, rules.principal_recipients_per_hour)
        yield _counting("principal_recipients_per_hour", check, allows_unknown)
    if rules.test_mode:
        yield _denying("test_mode", _not_in_test_mode)
    if rules.duplicate_window is not None:
        yield SendLimit("send/duplicate_window", "confirm", _sends, partial(_duplicate, rules.duplicate_window))


def _of_recipients(rules: SendRules, allows_unknown: bool) -> Iterator[SendLimit]:
    for name, globs in (("allow_recipients", rules.allow_recipients), ("allow_domains", rules.allow_domains)):
        if globs is not None and "*" not in globs:
            yield _denying(name, partial(_not_allowed, name, address_matcher(globs)))
            if not allows_unknown:
                # A person can confirm that the members are the right ones.
                yield SendLimit(f"send/{name}", "confirm", _sends, partial(_cannot_check, name, _unread_members))
    for name, globs in (("deny_recipients", rules.deny_recipients), ("deny_domains", rules.deny_domains)):
        if globs:
            check = partial(_denied, name, address_matcher(globs))
            yield _denying(name, check if allows_unknown else partial(_either, check, name, _unread_members))


def _counting(name: str, check: LimitCheck, allows_unknown: bool) -> SendLimit:
    return _denying(name, check if allows_unknown else partial(_either, check, name, _unknown_list))


def _of_destinations(rules: SendRules) -> Iterator[SendLimit]:
    allowed, denied = rules.allow_destinations, rules.deny_destinations
    if allowed is not None:
        matches = address_matcher(allowed)
        yield SendLimit("send/allow_destinations", "deny", _opens, partial(_other_destination, matches))
    if denied:
        matches = address_matcher(denied)
        yield SendLimit("send/deny_destinations", "deny", _opens, partial(_denied_destination, matches))


def _denying(name: str, check: LimitCheck) -> SendLimit:
    return SendLimit(f"send/{name}", "deny", _sends, check)


def _sends(operation: Operation) -> bool:
    return operation.risk == "send"


def _names_sender(operation: Operation) -> bool:
    """Return whether the call sends mail, or stores a template that can set the sender of all its mail."""
    return _sends(operation) or (operation.toolset in TEMPLATES and operation.risk != "read")


def _any_call(_: Operation) -> bool:
    return True


def _bills(operation: Operation) -> bool:
    return operation.risk == "billing"


def _costs(operation: Operation) -> bool:
    return unit_of(operation) is not None


def _opens(operation: Operation) -> bool:
    """Return whether the call could open a way for data to leave. Removing a webhook does not."""
    return operation.risk != "read" and operation.method != "DELETE"


def _first(test: TextPredicate, values: Iterable[str], expected: bool) -> str | None:
    return next((value for value in values if test(value) is expected), None)


def _not_allowed(name: str, matches: TextPredicate, facts: Facts) -> str | None:
    if not facts.recipients:
        return f"who would get the mail cannot be read from the call, and {name} restricts it"
    recipient = _first(matches, facts.recipients, False)
    if recipient is not None:
        return f"{show(recipient)} is not in {name}"
    return _member(matches, facts, False, f"is not in {name}")


def _denied(name: str, matches: TextPredicate, facts: Facts) -> str | None:
    recipient = _first(matches, facts.recipients, True)
    if recipient is not None:
        return f"{show(recipient)} is in {name}"
    return _member(matches, facts, True, f"is in {name}")


def _member(matches: TextPredicate, facts: Facts, expected: bool, verdict: str) -> str | None:
    """Return a sentence about the first list member whose match is as `expected`, or None."""
    for mailing_list, members in facts.context.list_addresses.items():
        member = _first(matches, members, expected)
        if member is not None:
            return f"{show(member)}, a member of the mailing list {show(mailing_list)}, {verdict}"
    return None


def _unknown_list(facts: Facts) -> str | None:
    """Return which address may be a list of unknown size, and why."""
    for address, reason in facts.context.unknown_lists.items():
        return f"it is not known how many people {show(address)} reaches: {reason}"
    return None


def _unread_members(facts: Facts) -> str | None:
    """Return which list has members that were not read, and why."""
    context = facts.context
    for address, count in context.list_members.items():
        if count and address not in context.list_addresses and address not in context.unknown_lists:
            return f"the {count:,} members of the mailing list {show(address)} were not read"
    return _unknown_list(facts)


def _either(check: LimitCheck, name: str, doubt: LimitCheck, facts: Facts) -> str | None:
    """Return why the limit refuses the call. It also refuses if it cannot be checked."""
    return check(facts) or _cannot_check(name, doubt, facts)


def _cannot_check(name: str, doubt: LimitCheck, facts: Facts) -> str | None:
    reason = doubt(facts)
    return None if reason is None else f"{reason}, so {name} cannot be checked"


def _other_destination(matches: TextPredicate, facts: Facts) -> str | None:
    destination = _first(matches, facts.destinations, False)
    return None if destination is None else f"data would go to {show(destination)}, which is not in allow_destinations"


def _denied_destination(matches: TextPredicate, facts: Facts) -> str | None:
    destination = _first(matches, facts.destinations, True)
    return None if destination is None else f"data would go to {show(destination)}, which is in deny_destinations"


def _wrong_sender(matches: TextPredicate, facts: Facts) -> str | None:
    if not facts.senders and facts.domains and _sends(facts.operation):
        return "the sender cannot be read from the call, and sender_domains restricts it"
    sender = _first(matches, facts.senders, False)
    return None if sender is None else f"the sender {show(sender)} is not in sender_domains"


def _count(facts: Facts) -> int:
    return max(1, facts.recipient_count)


def _too_many(limit: int, facts: Facts) -> str | None:
    count = _count(facts)
    return f"{count} recipients; recipients_per_call is {limit}" if count > limit else None


def _too_fast(limit: int, facts: Facts) -> str | None:
    before, count = facts.context.recipients_last_hour, _count(facts)
    if before + count <= limit:
        return None
    return f"{before} recipients in the last hour and {count} now; recipients_per_hour is {limit}"


def _too_fast_for_one(limit: int, facts: Facts) -> str | None:
    before, count = facts.context.principal_recipients_last_hour, _count(facts)
    # Written so that a count that is not a number is over the limit.
    if before + count <= limit:
        return None
    return f"{before} recipients of this principal in the last hour and {count} now; principal_recipients_per_hour is {limit}"


def _too_many_calls(limit: int, facts: Facts) -> str | None:
    before = facts.context.principal_calls_last_hour
    # Written so that a count that is not a number is over the limit.
    if before + 1 <= limit:
        return None
    return f"{before} calls of this principal in the last hour; principal_calls_per_hour is {limit}"


def _many_in_an_hour(limit: int, facts: Facts) -> str | None:
    before, count = facts.context.recipients_last_hour, _count(facts)
    # Written so that a count that is not a number asks a person.
    if before + count <= limit:
        return None
    return f"with this call, {before + count} recipients get mail within an hour; a person is asked above {limit}"


def _many_addresses_in_an_hour(limit: int, facts: Facts) -> str | None:
    before, count = facts.context.addresses_last_hour, facts.address_count
    # Written so that a count that is not a number asks a person.
    if count == 0 or before + count <= limit:
        return None
    if before + count >= UNREAD:
        return f"it is not known how many addresses are put on lists within an hour; a person is asked above {limit}"
    return (
        f"with this call, {before + count} addresses are put on suppression lists, mailing lists or routes within an "
        f"hour; a person is asked above {limit}"
    )


def _not_in_test_mode(facts: Facts) -> str | None:
    # A header that says so is not enough: nobody knows whether Mailgun reads it there.
    if facts.arguments.get("test_mode") is True and facts.stated.get("test_mode") is True:
        return None
    if any(argument.name == "test_mode" for argument in facts.operation.arguments):
        return "the policy sends in test mode only: set test_mode to true"
    return f"the policy sends in test mode only, which {facts.operation.name} does not have"


def _duplicate(window: float, facts: Facts) -> str | None:
    age = facts.context.duplicate_age
    if age is None or age > window:
        return None
    return f"the same message was sent {in_words(age)} ago"


def _over_budget(policy: Policy, budget: SpendRules, facts: Facts) -> str | None:
    price, spent = cost(policy, facts), facts.context.spent_this_month
    if price == 0:
        return None
    if price is None:
        used_up = not spent < budget.monthly_budget
        return f"the monthly budget of {_money(budget, budget.monthly_budget)} is used up" if used_up else None
    # Written so that a price that is not a number is over the budget. Rounded because 0.1 + 0.2 is more than 0.3.
    if round(spent + price, 6) <= budget.monthly_budget:
        return None
    return (
        f"{_money(budget, price)} more than the {_money(budget, spent)} spent this month "
        f"is over the budget of {_money(budget, budget.monthly_budget)}"
    )


def _unknown_price(policy: Policy, budget: SpendRules, facts: Facts) -> str | None:
    if cost(policy, facts) is not None:
        return None
    left = budget.monthly_budget - facts.context.spent_this_month
    unit = unit_of(facts.operation)
    return (
        f"the price of one {unit} in {budget.currency} is not known (spend: {{prices: {{{unit}: ...}}}} in the policy sets it), "
        f"and {_money(budget, left)} of the monthly budget are left"
    )


def _money(budget: SpendRules, amount: float) -> str:
    return (
        f"{amount:.2f} {budget.currency}" if round(amount, 2) == round(amount, 6) else f"{amount:.6g} {budget.currency}"
    )
