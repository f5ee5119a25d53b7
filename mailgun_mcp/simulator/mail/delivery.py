"""Delivers mail: who receives it, who bounces, and what is added to the suppression lists.

The recipient's address decides the outcome. A local part that starts with one of `OUTCOMES` has that outcome; all
others accept the mail. A deferred message is delivered at the third attempt, or never for `defer-always…`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from mailgun_mcp.simulator.mail.composing import KEY_BYTES, copies_with_unsubscribe_links
from mailgun_mcp.simulator.mail.list_delivery import member_copies
from mailgun_mcp.simulator.mail.record_events import (
    delivered_status,
    not_attempted_status,
    record_event,
    refused_status,
    sending_ip,
)
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import HOUR, MINUTE
from mailgun_mcp.simulator.model.domains import MAILBOX_FULL, Deferral, Domain
from mailgun_mcp.simulator.model.lists import MailingList
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.provider_blocks import ProviderBlock
from mailgun_mcp.simulator.model.suppressions import Bounce, Complaint, Unsubscribe

RETRY_INTERVALS = (10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 5 * MINUTE)
"""Seconds between the attempts to deliver a deferred message, 8 hours in total. Then it fails as too old."""
ATTEMPTS_UNTIL_DELIVERED = 3
NEVER_DELIVERED = "defer-always"
TICK = 0.001
"""Seconds between two events of one message, so that their order is clear."""

DeliveryOutcome = Callable[[Account, Domain, StoredMessage, str, float], None]


@dataclass(frozen=True, slots=True)
class DropReason:
    """Why Mailgun does not try to deliver a message."""

    reason: str
    code: int
    text: str


def accept(account: Account, domain: Domain, message: StoredMessage) -> None:
    """Store the message, and deliver it at once unless it is scheduled or a test."""
    domain.forget_expired(message.at)
    for copy in copies_with_unsubscribe_links(message, account.opaque_id):
        _accept(account, domain, copy)


def _accept(account: Account, domain: Domain, message: StoredMessage) -> None:
    domain.messages[message.key] = message
    for recipient in message.recipients:
        record_event(account, domain, "accepted", message, recipient, message.at)
    if message.test_mode:
        return
    if message.deliver_at is not None and message.deliver_at > message.at:
        domain.scheduled.append(message)
    else:
        deliver(account, domain, message, message.at + TICK)


def send_to_list(account: Account, domain: Domain, message: StoredMessage, mailing_list: MailingList) -> None:
    """Send a copy to each subscribed member. If there are none, the accepted event is the only trace of the message."""
    copies = member_copies(account, message, mailing_list)
    for copy in copies:
        accept(account, domain, copy)
    if not copies:
        stored = replace(message, key=account.opaque_id(KEY_BYTES), recipients=[mailing_list.address])
        domain.messages[stored.key] = stored
        record_event(account, domain, "accepted", stored, mailing_list.address, message.at)


def deliver(account: Account, domain: Domain, message: StoredMessage, at: float) -> None:
    """Deliver the message to each recipient at the time `at`, or record why it fails."""
    for recipient in message.recipients:
        if message.fault:
            _drop(account, domain, message, recipient, at, DropReason("generic", 610, message.fault))
        elif not _suppressed(account, domain, message, recipient, at):
            block = _block(account, domain, message, recipient)
            if block and block.temporary:
                retry_later(account, domain, message, recipient, at, block)
            elif block:
                fail_blocked(account, domain, message, recipient, at, block)
            else:
                outcome_for(recipient)(account, domain, message, recipient, at)


def fail_blocked(
    account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float, block: ProviderBlock
) -> None:
    """Record that the recipient's server refused the mail because of its sender, not because of the address."""
    status = refused_status(recipient, block.code, block.text, **{"bounce-type": "soft"})
    details = {"severity": "permanent", "reason": "espblock", "delivery_status": status}
    record_event(account, domain, "failed", message, recipient, at, **details)


def retry_later(
    account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float, block: ProviderBlock
) -> None:
    """Record that the recipient's server deferred the mail because of its sender, and the retries until now."""
    _attempt_deferred(account, domain, message, recipient, at, 1, (block.code, block.text))
    _retry_deferred(account, domain, account.clock.now())


def _block(account: Account, domain: Domain, message: StoredMessage, recipient: str) -> ProviderBlock | None:
    host = recipient.rpartition("@")[2].lower()
    owners = [owner for owner in (account, account.administration.parent) if owner is not None]
    blocks = [*domain.blocks, *(block for owner in owners for block in owner.administration.ips.blocks)]
    return next((block for block in blocks if host in block.hosts and _applies(block, domain, message)), None)


def _applies(block: ProviderBlock, domain: Domain, message: StoredMessage) -> bool:
    if block.unsigned and "dkim" not in domain.absent_records:
        return False
    return block.sending_ip in ("", sending_ip(domain, message))


def deliver_due(account: Account) -> None:
    """Deliver the scheduled mail that is due, and retry deferred mail."""
    now = account.clock.now()
    for domain in account.domains.values():
        if domain.scheduled:
            _deliver_scheduled(account, domain, now)
        if domain.deferred:
            _retry_deferred(account, domain, now)


def outcome_for(recipient: str) -> DeliveryOutcome:
    """Return the outcome of mail to `recipient`."""
    return next((outcome for prefix, outcome in OUTCOMES.items() if recipient.lower().startswith(prefix)), _deliver_to)


def add_bounce(domain: Domain, address: str, at: float, code: str, error: str) -> None:
    """Put `address` on the bounce list, unless the address or its domain is on the allowlist."""
    address = address.lower()
    if address not in domain.allowlist and address.rpartition("@")[2] not in domain.allowlist:
        domain.bounces[address] = Bounce(address, at, code, error)


def add_complaint(domain: Domain, address: str, at: float) -> None:
    """Put `address` on the complaint list, or count another complaint if it is already there."""
    complaint = domain.complaints.get(address.lower())
    domain.complaints[address.lower()] = Complaint(address.lower(), at, complaint.count + 1 if complaint else 1)


def _deliver_scheduled(account: Account, domain: Domain, now: float) -> None:
    due = [message for message in domain.scheduled if (message.deliver_at or now) <= now]
    domain.scheduled = [message for message in domain.scheduled if (message.deliver_at or now) > now]
    for message in due:
        deliver(account, domain, message, message.deliver_at or now)


def _retry_deferred(account: Account, domain: Domain, now: float) -> None:
    while due := [deferral for deferral in domain.deferred if deferral.retry_at <= now]:
        deferral = min(due, key=lambda each: each.retry_at)
        domain.deferred.remove(deferral)
        attempt, at = deferral.attempts + 1, deferral.retry_at
        _attempt_deferred(account, domain, deferral.message, deferral.recipient, at, attempt, deferral.refusal)


def _suppressed(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> bool:
    for reason, applies in SUPPRESSIONS.items():
        if applies(domain, message, recipient.lower()):
            _drop(account, domain, message, recipient, at, reason)
            return True
    return False


def _drop(
    account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float, reason: DropReason
) -> None:
    status = not_attempted_status(reason.code, reason.text)
    details = {"severity": "permanent", "reason": reason.reason, "delivery_status": status}
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


def _deliver_to(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    record_event(account, domain, "delivered", message, recipient, at, delivery_status=delivered_status(recipient))


def _bounce(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    error = f"5.1.1 <{recipient}>: Recipient address rejected: User unknown in virtual mailbox table"
    status = refused_status(recipient, 550, error, **{"enhanced-code": "5.1.1", "bounce-type": "hard"})
    record_event(
        account, domain, "failed", message, recipient, at, severity="permanent", reason="bounce", delivery_status=status
    )
    add_bounce(domain, recipient, at, "550", error)


def _defer(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    _attempt_deferred(account, domain, message, recipient, at, 1)


def _attempt_deferred(
    account: Account,
    domain: Domain,
    message: StoredMessage,
    recipient: str,
    at: float,
    attempt: int,
    refusal: tuple[int, str] = MAILBOX_FULL,
) -> None:
    always = recipient.lower().startswith(NEVER_DELIVERED)
    if attempt >= ATTEMPTS_UNTIL_DELIVERED and not always:
        status = {**delivered_status(recipient), "attempt-no": attempt}
        record_event(account, domain, "delivered", message, recipient, at, delivery_status=status)
    elif attempt > len(RETRY_INTERVALS):
        status = {**not_attempted_status(602, ""), "message": "Too old", "attempt-no": attempt}
        details = {"severity": "permanent", "reason": "old", "delivery_status": status}
        record_event(account, domain, "failed", message, recipient, at, **details)
    else:
        wait = RETRY_INTERVALS[attempt - 1]
        code, error = refusal
        more = {"attempt-no": attempt, "retry-seconds": int(wait)}
        details = {"severity": "temporary", "reason": "generic"}
        status = refused_status(recipient, code, error, **more)
        record_event(account, domain, "failed", message, recipient, at, **details, delivery_status=status)
        domain.deferred.append(Deferral(message, recipient, attempt, at + wait, refusal))


def _complain(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    _deliver_to(account, domain, message, recipient, at)
    record_event(account, domain, "complained", message, recipient, at + TICK)
    add_complaint(domain, recipient, at + TICK)


def _unsubscribe(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    _deliver_to(account, domain, message, recipient, at)
    record_event(account, domain, "unsubscribed", message, recipient, at + TICK)
    domain.unsubscribes[recipient.lower()] = Unsubscribe(recipient.lower(), at + TICK, account.hex_id())


def _open(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    _deliver_to(account, domain, message, recipient, at)
    if "opened" not in message.untracked:
        record_event(account, domain, "opened", message, recipient, at + TICK)


def _click(account: Account, domain: Domain, message: StoredMessage, recipient: str, at: float) -> None:
    _open(account, domain, message, recipient, at)
    if "clicked" not in message.untracked:
        record_event(account, domain, "clicked", message, recipient, at + 2 * TICK)


OUTCOMES: dict[str, DeliveryOutcome] = {
    "bounce": _bounce,
    "defer": _defer,
    "complain": _complain,
    "unsubscribe": _unsubscribe,
    "open": _open,
    "click": _click,
}
