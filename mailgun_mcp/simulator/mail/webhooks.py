"""Puts postings to customers' URLs into the outbox, signed as Mailgun signs them."""

import hmac
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from mailgun_mcp.request.multipart import Part, encode_multipart
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.packed_events import MailEvent
from mailgun_mcp.simulator.model.webhooks import PostedFile, Posting, WebhookSignature
from mailgun_mcp.text.characters import replace_surrogates

TOKEN_LENGTH = 50
FAILURES = {"permanent": "permanent_fail", "temporary": "temporary_fail"}
EVENTS = frozenset({"accepted", "delivered", "opened", "clicked", "unsubscribed", "complained"})


def enqueue_webhooks(account: Account, domain: Domain, event: MailEvent) -> None:
    """Queue the webhooks for an event. A URL that both the domain and the account have is called once."""
    if not domain.webhooks and not account.webhooks.by_id:
        return
    kind = webhook_event_type(event.record)
    if kind is None:
        return
    urls = domain.webhooks.get(kind, [])
    for url in urls:
        _call(account, domain, kind, url, event.record)
    account_fields = {"domain-name": domain.name, "account-id": account.id}
    for url in _account_urls(account, kind):
        if url not in urls:
            _call(account, domain, kind, url, {**event.record, **account_fields})


def webhook_event_type(record: dict[str, Any]) -> str | None:
    """Return the webhook type for an event, or None when there are no webhooks for it."""
    name: str = record["event"]
    return FAILURES[record["severity"]] if name == "failed" else name if name in EVENTS else None


def enqueue(account: Account, posting: Posting) -> None:
    """Put a posting into the outbox."""
    account.webhooks.outbox.append(posting)


def route_posting(
    account: Account,
    message: StoredMessage,
    kind: str,
    url: str,
    data: dict[str, Any],
    files: Iterable[PostedFile] = (),
) -> Posting:
    """Return a route's posting to `url`: the mail itself, or a notification that it was stored."""
    return Posting(
        id=account.opaque_id(),
        kind="forward" if kind == "forward" else "store",
        url=url,
        domain=message.domain,
        event="",
        created_at=account.clock.now(),
        signature=sign(account),
        data=data,
        due_at=account.clock.now(),
        files=tuple(files),
        message=message if kind == "forward" else None,
    )


def sign(account: Account) -> WebhookSignature:
    """Return a new signature made with the account's signing key."""
    timestamp, token = str(int(account.clock.now())), account.hex_id(TOKEN_LENGTH)
    key = account.administration.access.signing_key
    return WebhookSignature(
        timestamp, token, hmac.new(key.encode(), (timestamp + token).encode(), "sha256").hexdigest()
    )


def encode_posting(posting: Posting) -> tuple[str, bytes]:
    """Return content type and body of a posting."""
    signed = {
        "timestamp": posting.signature.timestamp,
        "token": posting.signature.token,
        "signature": posting.signature.signature,
    }
    if posting.kind == "webhook":
        return "application/json", json.dumps({"signature": signed, "event-data": posting.data}).encode()
    fields = {**posting.data, **signed}
    if posting.files:
        parts = [
            Part(replace_surrogates(name), str(value).encode("utf-8", "replace")) for name, value in fields.items()
        ]
        parts += [
            Part(replace_surrogates(file.name), file.data, replace_surrogates(file.filename), file.content_type)
            for file in posting.files
        ]
        content, content_type = encode_multipart(parts)
        return content_type, content
    return "application/x-www-form-urlencoded", urlencode(fields, errors="replace").encode()


def _call(account: Account, domain: Domain, kind: str, url: str, record: dict[str, Any]) -> None:
    now = account.clock.now()
    posting = Posting(
        id=account.opaque_id(),
        kind="webhook",
        url=url,
        domain=domain.name,
        event=kind,
        created_at=now,
        signature=sign(account),
        data=record,
        due_at=now,
        retried=kind != "delivered",
    )
    enqueue(account, posting)


def _account_urls(account: Account, kind: str) -> dict[str, None]:
    return {hook.url: None for hook in account.webhooks.by_id.values() if kind in hook.event_types}
