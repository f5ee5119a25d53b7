"""Delivers mail: who gets it, who bounces, and what that adds to the suppression lists.

The recipient decides how it goes: a local part that starts with one of `OUTCOMES` does as
its name says, everyone else takes the mail.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mailgun_mcp.simulator.mail.record_events import (
    delivered_status,
    not_attempted_status,
    record_event,
    refused_status,
    sending_ip,
)
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain, ProviderBlock
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.suppressions import Bounce, Complaint, Unsubscribe

TICK = 0.001
"""Seconds between two events of one message: enough to put them in order."""

DeliveryOutcome = Callable[[Account, Domain, StoredMessage, str, float], None]


@dataclass(frozen=True, slots=True)
class DropReason:
    """Why Mailgun itself does not send a mail on."""

    reason: str
    code: int
    text: str


def accept(account: Account, domain: Domain, message: StoredMessage) -> None:
    """Store the message, and deliver it at once unless it is a test or scheduled."""
    domain.forget_expired(message.at)
    domain.messages[message.key] = message
    for recipient in message.recipients:
        record_event(account, domain, "accepted", message, recipient, message.at)
    if message.test_mode:
        return
    if message.deliver_at is not None and message.deliver_at > message.at:
        domain.scheduled.append(message)
    else:
        deliver(account, domain, message, message.at + TICK)


def deliver(account: Account, domain: Domain, message: StoredMessage, at: float) -> None:
    """Let each recipient's mail go its way at the moment `at`."""
    for recipient in message.recipients:
        if message.fault:
            _hold(account, domain, message, recipient, at, DropReason("generic", 610, message.fault))
        elif not _suppressed(account, domain, message, recipient, at):
            block = _block(domain, message, recipient)
            if block:
                fail_blocked(account, domain, message, recipient, at, block)
            else:
                outcome_for(recipient)(account, domain, message, recipient, at)


def fail_blocked(
    account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float, block: ProviderBlock
) -> None:
    """Let the recipient's server refuse the mail for who sends it; the address itself is well."""
    status = refused_status(recipient, block.code, block.text, **{"bounce-type": "soft"})
    details = {"severity": "permanent", "reason": "espblock", "delivery_status": status}
    record_event(account, domain, "failed", message, recipient, at, **details)


def _block(domain: Domain, message: StoredMessage, recipient: str) -> ProviderBlock | None:
    host = recipient.rpartition("@")[2].lower()
    return next((one for one in domain.blocks if host in one.hosts and _holds(one, domain, message)), None)


def _holds(block: ProviderBlock, domain: Domain, message: StoredMessage) -> bool:
    if block.unsigned and "dkim" not in domain.absent_records:
        return False
    return block.sending_ip in ("", sending_ip(domain, message))


def deliver_due(account: Account) -> None:
    """Deliver the scheduled mail whose time has come."""
    for domain in account.domains.values():
        if domain.scheduled:
            _deliver_scheduled(account, domain, account.clock.now())


def outcome_for(recipient: str) -> DeliveryOutcome:
    """Return how mail to `recipient` goes."""
    return next((way for prefix, way in OUTCOMES.items() if recipient.lower().startswith(prefix)), _take)


def add_bounce(domain: Domain, address: str, at: float, code: str, error: str) -> None:
    """Put `address` on the bounce list, unless the allowlist holds it or its domain."""
    address = address.lower()
    if address not in domain.allowlist and address.rpartition("@")[2] not in domain.allowlist:
        domain.bounces[address] = Bounce(address, at, code, error)


def add_complaint(domain: Domain, address: str, at: float) -> None:
    """Put `address` on the complaint list, or count one more."""
    known = domain.complaints.get(address.lower())
    domain.complaints[address.lower()] = Complaint(address.lower(), at, known.count + 1 if known else 1)


def _deliver_scheduled(account: Account, domain: Domain, now: float) -> None:
    due = [message for message in domain.scheduled if (message.deliver_at or now) <= now]
    domain.scheduled = [message for message in domain.scheduled if (message.deliver_at or now) > now]
    for message in due:
        deliver(account, domain, message, message.deliver_at or now)


def _suppressed(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> bool:
    for held, holds in SUPPRESSIONS.items():
        if holds(domain, message, recipient.lower()):
            _hold(account, domain, message, recipient, at, held)
            return True
    return False


def _hold(
    account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float, held: DropReason
) -> None:
    status = not_attempted_status(held.code, held.text)
    details = {"severity": "permanent", "reason": held.reason, "delivery_status": status}
    record_event(account, domain, "failed", message, recipient, at, **details)


def _unsubscribed(domain: Domain, message: StoredMessage, address: str) -> bool:
    entry = domain.unsubscribes.get(address)
    return entry is not None and ("*" in entry.tags or not set(entry.tags).isdisjoint(message.tags))


SUPPRESSIONS: dict[DropReason, Callable[[Domain, StoredMessage, str], bool]] = {
    DropReason("suppress-bounce", 605, "Not delivering to previously bounced address"): (
        lambda domain, _, address: address in domain.bounces
    ),
    DropReason("suppress-complaint", 607, "Not delivering to a user who marked your messages as spam"): (
        lambda domain, _, address: address in domain.complaints
    ),
    DropReason("suppress-unsubscribe", 606, "Not delivering to unsubscribed address"): _unsubscribed,
}


def _take(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    record_event(account, domain, "delivered", message, recipient, at, delivery_status=delivered_status(recipient))


def _bounce(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    error = f"5.1.1 <{recipient}>: Recipient address rejected: User unknown in virtual mailbox table"
    status = refused_status(recipient, 550, error, **{"enhanced-code": "5.1.1", "bounce-type": "hard"})
    record_event(
        account, domain, "failed", message, recipient, at, severity="permanent", reason="bounce", delivery_status=status
    )
    add_bounce(domain, recipient, at, "550", error)


def _defer(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    error = "4.2.2 The email account that you tried to reach is over quota"
    status = refused_status(recipient, 452, error, **{"enhanced-code": "4.2.2", "retry-seconds": 600})
    record_event(
        account,
        domain,
        "failed",
        message,
        recipient,
        at,
        severity="temporary",
        reason="generic",
        delivery_status=status,
    )


def _complain(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    _take(account, domain, message, recipient, at)
    record_event(account, domain, "complained", message, recipient, at + TICK)
    add_complaint(domain, recipient, at + TICK)


def _unsubscribe(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    _take(account, domain, message, recipient, at)
    record_event(account, domain, "unsubscribed", message, recipient, at + TICK)
    domain.unsubscribes[recipient.lower()] = Unsubscribe(recipient.lower(), at + TICK, account.hex_id())


def _open(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    _take(account, domain, message, recipient, at)
    record_event(account, domain, "opened", message, recipient, at + TICK)


def _click(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    _open(account, domain, message, recipient, at)
    record_event(account, domain, "clicked", message, recipient, at + 2 * TICK)


OUTCOMES: dict[str, DeliveryOutcome] = {
    "bounce": _bounce,
    "defer": _defer,
    "complain": _complain,
    "unsubscribe": _unsubscribe,
    "open": _open,
    "click": _click,
}
