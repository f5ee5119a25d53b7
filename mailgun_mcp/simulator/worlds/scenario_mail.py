"""Single messages of a scenario, and their outcomes."""

from mailgun_mcp.simulator.mail.delivery import add_bounce
from mailgun_mcp.simulator.mail.record_events import record_event, refused_status
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage

UNKNOWN_USER = {
    "gmail.com": (550, "5.1.1 The email account that you tried to reach does not exist"),
    "yahoo.com": (554, "delivery error: dd This user doesn't have a yahoo.com account ({address}) [0]"),
    "outlook.com": (550, "5.5.0 Requested action not taken: mailbox unavailable"),
}
"""Provider -> its reply to mail for an address that does not exist, in its own style."""
UNKNOWN_USER_ELSEWHERE = (550, "5.1.1 <{address}>: Recipient address rejected: mailbox does not exist")


def make_message(account: Account, domain: str, address: str, tag: str, subject: str, at: float) -> StoredMessage:
    """Return a message that is sent at the time `at`."""
    identity = f"{account.hex_id(16)}@{domain}"
    headers = {
        "Mime-Version": "1.0",
        "Date": mail_date(at, "+0000"),
        "Message-Id": f"<{identity}>",
        "From": f"Example <hello@{domain}>",
        "To": address,
        "Subject": subject,
    }
    text = f"Hello,\n\nthis is {subject}.\n"
    key = account.opaque_id(30)
    return StoredMessage(key, identity, domain, at, f"hello@{domain}", [address], headers, text=text, tags=[tag])


def store(account: Account, domain: Domain, message: StoredMessage) -> None:
    """Store the message if it would still be readable now."""
    if message.at + domain.retention >= account.clock.now():
        domain.messages[message.key] = message


def bounce_hard(account: Account, domain: Domain, message: StoredMessage, at: float) -> None:
    """Record that the recipient's server refused the mail because the address does not exist."""
    address = message.recipients[0]
    code, text = UNKNOWN_USER.get(address.rpartition("@")[2], UNKNOWN_USER_ELSEWHERE)
    text = text.format(address=address)
    status = refused_status(address, code, text, **{"bounce-type": "hard"})
    details = {"severity": "permanent", "reason": "bounce", "delivery_status": status}
    record_event(account, domain, "failed", message, address, at, **details)
    add_bounce(domain, address, at, str(code), text)
