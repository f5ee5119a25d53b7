"""Sends the postings in the outbox on request, and retries them by the simulator's clock until they are accepted.

The simulator never sends anything by itself. Unless this module is called, the outbox is only a record.
"""

from collections.abc import Awaitable, Callable

from mailgun_mcp.simulator.mail.record_events import record_event
from mailgun_mcp.simulator.mail.webhooks import encode_posting
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import HOUR, MINUTE
from mailgun_mcp.simulator.model.webhooks import Posting

RETRIES = (10 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR)
NOT_ACCEPTABLE = 406

Poster = Callable[[str, str, bytes], Awaitable[int]]
"""Posts to a URL with a content type and a body. Returns the status of the response, or 0 when there was none."""


async def send_due_posts(account: Account, poster: Poster, *, may: Callable[[str], bool] = bool) -> list[Posting]:
    """Send all due postings whose URL `may` allows, and return them with their outcome."""
    now = account.clock.now()
    due = [
        posting
        for posting in account.webhooks.outbox
        if posting.due_at is not None and posting.due_at <= now and may(posting.url)
    ]
    for posting in due:
        # Cleared before the first await, so that a concurrent call does not send it as well.
        posting.due_at = None
    for posting in due:
        record_response(account, posting, await poster(posting.url, *encode_posting(posting)))
    return due


def record_response(account: Account, posting: Posting, status: int) -> None:
    """Record the response to a posting, and when it will be retried."""
    now = account.clock.now()
    posting.attempts.append((now, status))
    attempts = len(posting.attempts)
    posting.due_at = None
    if 200 <= status < 300:
        posting.outcome = "taken"
        _delivered(account, posting, now)
    elif status == NOT_ACCEPTABLE:
        posting.outcome = "refused"
    elif not posting.retried or attempts > len(RETRIES):
        posting.outcome = "given up"
    else:
        posting.due_at = now + RETRIES[attempts - 1]


def _delivered(account: Account, posting: Posting, now: float) -> None:
    """Record that mail forwarded by a route was delivered, because the URL accepted it."""
    message, domain = posting.message, account.domains.get(posting.domain)
    if message is None or domain is None:
        return
    status = {"attempt-no": len(posting.attempts), "code": 200, "message": "OK", "description": ""}
    envelope = {"sender": message.sender, "transport": "http", "targets": posting.url}
    record_event(
        account, domain, "delivered", message, message.recipients[0], now, delivery_status=status, envelope=envelope
    )
