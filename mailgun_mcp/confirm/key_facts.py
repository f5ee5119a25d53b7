"""What counts about a call, in sentences: what happens, to how many, who is outside, from whom, where to, and why asked.

Each line has a most length of its own, so that nothing that a model writes can push another one out.
"""

from collections import Counter

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.bounded_text import join_bounded, shorten
from mailgun_mcp.identity.account import SHOWN
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import Decision

RECIPIENTS = 800
"""Characters for those who get mail from outside the domain."""
OTHERS = 300
"""Characters for any other list of names."""
REASON = 300


def key_facts(facts: Facts, decision: Decision, *, too_many: bool) -> list[str]:
    """Return the lines that a person reads first."""
    return [
        sentence(facts.operation),
        *_recipients(facts),
        *_senders(facts),
        *_destinations(facts),
        _where(facts),
        reversibility(facts.operation, too_many=too_many),
        f"Asked because {shorten(decision.reason, REASON)} ({shorten(decision.rule)}).",
    ]


def sentence(operation: Operation) -> str:
    """Return what the call does, and what gives it its risk."""
    reason = f": {operation.risk_reason}" if operation.risk_reason else ""
    return f"{operation.title}{reason} (risk: {operation.risk}{', bulk' if operation.bulk else ''})"


def reversibility(operation: Operation, *, too_many: bool = False) -> str:
    """Return the sentence that says whether the call can be undone, and how."""
    if operation.undo is None:
        return "It changes nothing."
    if too_many:
        return "It cannot be undone: there are too many records to save."
    how = ", with the tool undo_operation" if operation.undo.affects and not operation.undo.why else ""
    return f"It {operation.undo.summary}{how}."


def _recipients(facts: Facts) -> list[str]:
    """Return how many get mail, and every one of them who is outside the domain that it is sent from."""
    if not facts.recipients:
        return []
    lists = {name: count for name in facts.recipients if (count := facts.context.list_members.get(name, 1)) > 1}
    named = [f"mailing list {name} with {count:,} members" for name, count in lists.items()]
    members = f", members counted: {join_bounded(named, OTHERS, 'mailing lists')}" if lists else ""
    lines = [f"Recipients: {max(facts.recipient_count, len(facts.recipients)):,}{members}"]
    own = own_domains(facts.operation, facts.arguments)
    outside = [name for name in facts.recipients if not _inside(name, own)]
    where = f" outside {join_bounded(own, OTHERS, 'domains')}" if own else ""
    return [*lines, f"{len(outside):,}{where}{_people(outside)}" if outside else f"Nobody{where}"]


def _people(addresses: list[str]) -> str:
    """Return every address or, where there are too many of them, how many each domain has."""
    full = ", ".join(map(shorten, addresses))
    if len(full) <= RECIPIENTS:
        return f": {full}"
    domains = Counter(address.rpartition("@")[2] for address in addresses)
    # One stranger among a thousand customers is at a domain of their own: the smallest groups come first.
    counted = [
        f"{shorten(domain)} ({number:,})" for domain, number in sorted(domains.items(), key=lambda item: item[1])
    ]
    return f", by domain: {join_bounded(counted, RECIPIENTS, 'domains')}"


def own_domains(operation: Operation, arguments: Arguments) -> list[str]:
    """Return the domain that the call names in its path: one of the account's, or Mailgun refuses the call."""
    names = [item.name for item in operation.arguments if item.location == "path" and item.format == "hostname"]
    return [str(arguments[name]).strip().lower() for name in names if arguments.get(name)]


def _inside(address: str, own: list[str]) -> bool:
    domain = address.rpartition("@")[2]
    return any(domain == name or domain.endswith(f".{name}") for name in own)


def _senders(facts: Facts) -> list[str]:
    return [f"From: {join_bounded(facts.senders, OTHERS, 'senders')}"] if facts.senders else []


def _destinations(facts: Facts) -> list[str]:
    if not facts.destinations:
        return []
    return [f"Data goes to {len(facts.destinations):,}: {join_bounded(facts.destinations, OTHERS, 'destinations')}"]


def _where(facts: Facts) -> str:
    context = facts.context
    region = f", region {context.region.upper()}" if context.region else ""
    subaccount = f", subaccount {shorten(context.subaccount)}" if context.subaccount else ""
    client = f" with {shorten(context.client)}" if context.client else ""
    key = f" (key {context.fingerprint[:SHOWN]}, {shorten(context.endpoint)})" if context.fingerprint else ""
    return (
        f"Account {shorten(context.account)}{key}{region}{subaccount}, called by {shorten(context.principal)}{client}"
    )
