"""Acts as a recipient of a mail would: opens it, clicks, complains, unsubscribes, or bounces it after all."""

from collections.abc import Callable
from typing import Any

from mailgun_mcp.simulator.delivery import add_bounce, add_complaint
from mailgun_mcp.simulator.event_log import Span, mark
from mailgun_mcp.simulator.faults import unknown
from mailgun_mcp.simulator.happenings import happen, refused
from mailgun_mcp.simulator.replies import Refusal
from mailgun_mcp.simulator.state import Account, Domain, Event, Message, Unsubscribe

TAKEN = frozenset({"delivered"})
LATE_BOUNCE = "5.1.1 The recipient's server took the mail and returned it: user unknown"

Act = Callable[[Account, Domain, Message, str, dict[str, Any]], Event]


def act(account: Account, action: str, message_id: str, recipient: str = "", **details: Any) -> list[Event]:
    """Let the recipients of a message (or one of them) do something with it. Return the events.

    Raises Refusal for an act or message that is not known, or a recipient whom it was not delivered to.
    """
    if action not in ACTS:
        raise Refusal(400, unknown("act of a recipient", action, ACTS))
    found = _copies(account, message_id.strip("<> "), recipient.lower())
    if not found:
        raise Refusal(404, f"no message {message_id!r} was delivered" + (f" to {recipient}" if recipient else ""))
    return [ACTS[action](account, domain, message, address, details) for domain, message, address in found]


def _copies(account: Account, identity: str, recipient: str) -> list[tuple[Domain, Message, str]]:
    return [
        (domain, message, address)
        for domain in account.domains.values()
        for message in domain.messages.values()
        if identity in (message.id, message.key)
        for address in message.recipients
        if recipient in ("", address.lower()) and _was_delivered(domain, message, address)
    ]


def _was_delivered(domain: Domain, message: Message, address: str) -> bool:
    span = Span(kinds=TAKEN, marks=frozenset({mark(address)}))
    return any(
        event.record["message"]["headers"]["message-id"] == message.id and event.record["recipient"] == address
        for event in domain.events.walk(span)
    )


def _open(account: Account, domain: Domain, message: Message, address: str, _: dict[str, Any]) -> Event:
    return happen(account, domain, "opened", message, address, account.clock.now())


def _click(account: Account, domain: Domain, message: Message, address: str, details: dict[str, Any]) -> Event:
    followed = {"url": details["url"]} if details.get("url") else {}
    return happen(account, domain, "clicked", message, address, account.clock.now(), **followed)


def _complain(account: Account, domain: Domain, message: Message, address: str, _: dict[str, Any]) -> Event:
    now = account.clock.now()
    add_complaint(domain, address, now)
    return happen(account, domain, "complained", message, address, now)


def _unsubscribe(account: Account, domain: Domain, message: Message, address: str, details: dict[str, Any]) -> Event:
    now = account.clock.now()
    entry = Unsubscribe(address.lower(), now, account.hex_id(), [details.get("tag") or "*"])
    known = domain.unsubscribes.setdefault(address.lower(), entry)
    known.tags = list(dict.fromkeys([*known.tags, *entry.tags]))
    return happen(account, domain, "unsubscribed", message, address, now)


def _bounce(account: Account, domain: Domain, message: Message, address: str, _: dict[str, Any]) -> Event:
    now = account.clock.now()
    add_bounce(domain, address, now, "550", LATE_BOUNCE)
    status = refused(address, 550, LATE_BOUNCE, **{"enhanced-code": "5.1.1", "bounce-type": "hard"})
    details = {"severity": "permanent", "reason": "bounce", "delivery_status": status}
    return happen(account, domain, "failed", message, address, now, **details)


ACTS: dict[str, Act] = {
    "open": _open,
    "click": _click,
    "complain": _complain,
    "unsubscribe": _unsubscribe,
    "bounce": _bounce,
}
