"""The main facts of a call, as sentences: what happens, to how many, outside recipients, sender, destinations, and why.

Each line has its own maximum length, so that nothing that a model writes can push another line out.
"""

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.confirm.bounded_text import OTHERS, join_bounded, shorten
from mailgun_mcp.confirm.headline import headline, risk
from mailgun_mcp.confirm.recipient_lines import is_inside, named, own_domains, recipient_lines
from mailgun_mcp.identity.account import SHOWN
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import Decision
from mailgun_mcp.text.sizes import count_of

REASON = 300


def key_facts(facts: Facts, decision: Decision, *, too_many: bool, account_domains: tuple[str, ...] = ()) -> list[str]:
    """Return the lines that a person reads first.

    `account_domains` are the domains that the account can send from, if they could be read.
    """
    return [
        headline(facts.operation, facts.arguments),
        risk(facts.operation),
        *recipient_lines(facts, account_domains),
        *_senders(facts),
        *_replies_to(facts, account_domains),
        *_destinations(facts, account_domains),
        _where(facts),
        reversibility(facts.operation, too_many=too_many),
        f"Asked because {shorten(decision.reason, REASON)} ({shorten(decision.rule)}).",
    ]


def reversibility(operation: Operation, *, too_many: bool = False) -> str:
    """Return a sentence that says whether and how the call can be undone."""
    undo = operation.undo
    if undo is None:
        return "It changes nothing."
    if undo.why:
        return f"It cannot be undone: {undo.why}."
    if too_many:
        return "It cannot be undone: there are too many records to save."
    if undo.nothing:
        return f"Nothing is lost: {undo.nothing}."
    return f"It can be undone with undo_operation{f', except {undo.missing}' if undo.missing else ''}."


def _senders(facts: Facts) -> list[str]:
    return [f"From: {join_bounded(facts.senders, OTHERS, 'senders')}"] if facts.senders else []


def _replies_to(facts: Facts, account_domains: tuple[str, ...]) -> list[str]:
    """Return who gets replies. Addresses outside the account's domains come first."""
    if not facts.replies_to:
        return []
    own = list(account_domains) or own_domains(facts.operation, facts.arguments)
    outside_first = sorted(facts.replies_to, key=lambda address: is_inside(address, own))
    return [f"Replies go to: {join_bounded(outside_first, OTHERS, 'more')}"]


def _destinations(facts: Facts, account_domains: tuple[str, ...]) -> list[str]:
    """Return where data goes. Places outside the account's domains come first."""
    if not facts.destinations:
        return []
    own = list(account_domains) or own_domains(facts.operation, facts.arguments)
    outside = [name for name in facts.destinations if not is_inside(name, own)]
    inside = [name for name in facts.destinations if is_inside(name, own)]
    where = " outside the account's domains" if account_domains else ""
    return [
        *_places(outside, where),
        *_places(inside, " in the account's domains"),
    ]


def _places(destinations: list[str], where: str) -> list[str]:
    if not destinations:
        return []
    number = count_of(len(destinations), "place")
    return [f"Data goes to {number}{where}{named(destinations)}"]


def _where(facts: Facts) -> str:
    context = facts.context
    region = f", region {context.region.upper()}" if context.region else ""
    subaccount = f", subaccount {shorten(context.subaccount)}" if context.subaccount else ""
    client = f" with {shorten(context.client)}" if context.client else ""
    key = f" (key {context.fingerprint[:SHOWN]}, {shorten(context.endpoint)})" if context.fingerprint else ""
    return (
        f"Account {shorten(context.account)}{key}{region}{subaccount}, called by {shorten(context.principal)}{client}"
    )
