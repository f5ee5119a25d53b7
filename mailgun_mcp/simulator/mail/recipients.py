"""Acts as the recipient of a message: opens, clicks, complains, unsubscribes, or bounces the message late."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.simulator.mail.delivery import TICK, add_bounce, add_complaint
from mailgun_mcp.simulator.mail.record_events import record_event, refused_status
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.event_log import EventRange, lookup_hash
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.packed_events import MailEvent
from mailgun_mcp.simulator.model.suppressions import Unsubscribe
from mailgun_mcp.simulator.replies.reply import ApiError
from mailgun_mcp.text.suggest import unknown

TRACKED = {"open": "opened", "click": "clicked"}
"""Recipient action -> its event, which is recorded only if the message is tracked."""
LATE_BOUNCE = "5.1.1 The recipient's server took the mail and returned it: user unknown"


@dataclass(frozen=True, slots=True)
class DeliveredCopy:
    """One recipient's copy of a message, and the time at which that recipient acts on it."""

    account: Account
    domain: Domain
    message: StoredMessage
    address: str
    at: float

    def record(self, kind: str, **details: Any) -> MailEvent:
        """Record what the recipient did, and return the event."""
        return record_event(self.account, self.domain, kind, self.message, self.address, self.at, **details)


RecipientAction = Callable[[DeliveredCopy, dict[str, Any]], MailEvent]


def perform_recipient_action(
    account: Account, action: str, message_id: str, recipient: str = "", **details: Any
) -> list[MailEvent]:
    """Perform an action as all recipients of a message, or as `recipient`. Return the events.

    The message may belong to a subaccount. Raises ApiError for an unknown action or message, or for a recipient that
    the message was not delivered to.
    """
    if action not in RECIPIENT_ACTIONS:
        raise ApiError(400, unknown("recipient action", action, RECIPIENT_ACTIONS))
    copies = list(_copies(account, message_id.strip("<> "), recipient.lower()))
    if not copies:
        raise ApiError(404, f"no message {message_id!r} was delivered" + (f" to {recipient}" if recipient else ""))
    _check_tracked(action, copies[0].message)
    return [RECIPIENT_ACTIONS[action](copy, details) for copy in copies]


def _check_tracked(action: str, message: StoredMessage) -> None:
    if TRACKED.get(action) in message.untracked:
        raise ApiError(400, f"the message was sent without tracking, so Mailgun would not learn of the {action}")


def _copies(account: Account, identity: str, recipient: str) -> Iterator[DeliveredCopy]:
    for owner in account.with_subaccounts(all_regions=True):
        for domain in owner.domains.values():
            for message in domain.messages.values():
                if identity not in (message.id, message.key):
                    continue
                for address in message.recipients:
                    events = _events(domain, message, address) if recipient in ("", address.lower()) else {}
                    if "delivered" in events:
                        # The clock may have been stopped since, but later events still need a later time.
                        at = max(owner.clock.now(), max(events.values()) + TICK)
                        yield DeliveredCopy(owner, domain, message, address, at)


def _events(domain: Domain, message: StoredMessage, address: str) -> dict[str, float]:
    """Return kind of event -> time of the latest such event, for one recipient's copy."""
    return {
        event.record["event"]: event.at
        for event in domain.events.walk(EventRange(hashes=frozenset({lookup_hash(address)})))
        if event.record["message"]["headers"]["message-id"] == message.id and event.record["recipient"] == address
    }


def _open(copy: DeliveredCopy, _: dict[str, Any]) -> MailEvent:
    return copy.record("opened")


def _click(copy: DeliveredCopy, details: dict[str, Any]) -> MailEvent:
    return copy.record("clicked", **({"url": details["url"]} if details.get("url") else {}))


def _complain(copy: DeliveredCopy, _: dict[str, Any]) -> MailEvent:
    add_complaint(copy.domain, copy.address, copy.at)
    return copy.record("complained")


def _unsubscribe(copy: DeliveredCopy, details: dict[str, Any]) -> MailEvent:
    address = copy.address.lower()
    entry = Unsubscribe(address, copy.at, copy.account.hex_id(), [details.get("tag") or "*"])
    unsubscribe = copy.domain.unsubscribes.setdefault(address, entry)
    unsubscribe.tags = list(dict.fromkeys([*unsubscribe.tags, *entry.tags]))
    return copy.record("unsubscribed")


def _bounce(copy: DeliveredCopy, _: dict[str, Any]) -> MailEvent:
    add_bounce(copy.domain, copy.address, copy.at, "550", LATE_BOUNCE)
    status = refused_status(copy.address, 550, LATE_BOUNCE, **{"enhanced-code": "5.1.1", "bounce-type": "hard"})
    late = {"is-delayed-bounce": True}
    return copy.record("failed", severity="permanent", reason="bounce", delivery_status=status, flags=late)


RECIPIENT_ACTIONS: dict[str, RecipientAction] = {
    "open": _open,
    "click": _click,
    "complain": _complain,
    "unsubscribe": _unsubscribe,
    "bounce": _bounce,
}
