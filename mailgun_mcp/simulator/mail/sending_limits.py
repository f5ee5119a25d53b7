"""Decides whether an account or domain may send: monthly limits, disabled features, and the limits of sandboxes."""

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, HOUR, MINUTE, mail_date, parse_mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.event_log import EventRange
from mailgun_mcp.simulator.replies.reply import ApiError

CONFIRMATION = MINUTE
"""Seconds after which an invited sandbox recipient confirms."""
SANDBOX_A_DAY = 300
RECIPIENT_LIMIT_STATUS = 420
"""The HTTP status when the limit on recipients is reached; 429 is only for the limit on requests."""
ACCEPTED = frozenset({"accepted"})

STOPPED = "Domain {} is not allowed to send: Account is disabled: custom sending limit reached"
SWITCHED_OFF = "Domain {} is not allowed to send: sending is disabled for this subaccount"
UNUSABLE = "Rejected: IP {} can't be used to send the message"
TOO_FAR_AHEAD = "Delivery time {} is too far ahead: this domain can schedule messages up to {} hours ahead"
TOO_MANY = "Domain {} is not allowed to send: recipient limit exceeded, try again after {}"


def check_sending(account: Account, domain: Domain, recipients: int) -> None:
    """Raise ApiError when the account or its parent may not send now."""
    now = account.clock.now()
    for owner in (account, account.administration.parent):
        if owner and owner.administration.sending_limit.stops(now):
            raise ApiError(403, STOPPED.format(domain.name))
    if not account.administration.features.get("sending", True):
        raise ApiError(403, SWITCHED_OFF.format(domain.name))
    if domain.type == "sandbox":
        _check_daily(domain, now, recipients)


def authorized_recipients(account: Account) -> set[str]:
    """Return the recipients that a sandbox domain may send to. Confirms those invited `CONFIRMATION` seconds ago."""
    invited = account.administration.access.invited
    due = [email for email, at in invited.items() if at + CONFIRMATION <= account.clock.now()]
    for email in due:
        confirm_recipient(account, email)
    return {email.lower() for email in account.authorized_recipients}


def choose_ip(account: Account, address: str | None, pool_id: str | None) -> str:
    """Return the IP to send from, or "" for the domain's own. Raises ApiError when the account may not use it."""
    ips = account.administration.ips
    if address is not None and address not in ips.ips:
        raise ApiError(403, UNUSABLE.format(address))
    if pool_id is None or address is not None:
        return address or ""
    pool = ips.pools.get(pool_id)
    if pool is None:
        raise ApiError(400, f"IP pool not found: {pool_id}")
    return pool.ips[0] if pool.ips else ""


def delivery_time(domain: Domain, text: str, now: float) -> float:
    """Return when to deliver a message. It can't be further ahead than the domain's retention of stored messages."""
    try:
        at = parse_mail_date(text)
    except (ValueError, OverflowError) as error:
        raise ApiError(400, f"{text} is not an RFC-2822 compliant date") from error
    if at > now + domain.retention:
        raise ApiError(400, TOO_FAR_AHEAD.format(text, round(domain.retention / HOUR)))
    return at


def confirm_recipient(account: Account, email: str) -> None:
    """Confirm an invited sandbox recipient, as a click on the link in the invitation does."""
    account.administration.access.invited.pop(email, None)
    account.authorized_recipients.add(email)


def _check_daily(domain: Domain, now: float, recipients: int) -> None:
    today = [event.at for event in domain.events.walk(EventRange(low=now - DAY, kinds=ACCEPTED))]
    if len(today) + recipients > SANDBOX_A_DAY:
        raise ApiError(
            RECIPIENT_LIMIT_STATUS, TOO_MANY.format(domain.name, mail_date(min(today, default=now) + DAY, "GMT"))
        )
