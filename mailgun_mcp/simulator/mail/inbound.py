"""Receives mail from outside: mailing lists forward it to their members, routes forward and store it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from email.utils import getaddresses, parseaddr
from typing import Any

from mailgun_mcp.request.route_language import Captures, RouteAction, RouteInput, parse_action, parse_expression
from mailgun_mcp.simulator.mail.composing import KEY_BYTES, ParsedMail, from_mime, to_mime
from mailgun_mcp.simulator.mail.delivery import TICK, deliver, send_to_list
from mailgun_mcp.simulator.mail.record_events import record_event, storage_location
from mailgun_mcp.simulator.mail.stripping import strip_bodies
from mailgun_mcp.simulator.mail.webhooks import enqueue, route_posting
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage, find_header
from mailgun_mcp.simulator.model.routes import InboundMail, Route
from mailgun_mcp.simulator.model.webhooks import PostedFile

NO_RECIPIENT = "550 5.7.1 Relaying denied"
NOT_ALLOWED = "550 5.7.1 You are not allowed to post to this mailing list"
BODIES = {"text": "text", "body-plain": "text", "html": "html", "body-html": "html"}
HEADERS = {"from": "From", "to": "To", "cc": "Cc", "subject": "Subject", "message-id": "Message-Id", "date": "Date"}


def deliver_inbound(
    account: Account, mail: bytes | Mapping[str, Any], *, sender: str = "", recipients: Sequence[str] = ()
) -> list[InboundMail]:
    """Receive a mail, and return what was done with it for each recipient.

    A subaccount receives the mail for its own domains. `mail` is MIME, or the fields from, to, cc, subject, text and
    html, with all other headers in `headers`. Without `sender` and `recipients`, the addresses in the headers are used.
    """
    parsed = from_mime(mail) if isinstance(mail, bytes) else _from_fields(mail)
    mime = mail if isinstance(mail, bytes) else None
    envelope_sender = sender or parseaddr(find_header(parsed.headers, "From"))[1]
    received = []
    for recipient in recipients or _recipients(parsed.headers):
        owner = _owner(account, recipient)
        received.append(_receive(owner, parsed, mime, envelope_sender, recipient))
        owner.routes.received.append(received[-1])
    return received


def matching_routes(account: Account, recipient: str, headers: Mapping[str, str]) -> Iterator[tuple[Route, Captures]]:
    """Yield the routes that match a mail, with their captured groups."""
    named = {name.lower(): value for name, value in headers.items()}
    matched_before = False
    for route in account.routes.in_order():
        captures = parse_expression(route.expression).match(RouteInput(recipient, named, matched_before))
        if captures is not None:
            matched_before = True
            yield route, captures


def receiving_domain(account: Account, address: str) -> Domain | None:
    """Return the domain that receives mail to `address`; a wildcard domain also receives its subdomains' mail."""
    host = address.rpartition("@")[2].lower()
    if host in account.domains:
        return account.domains[host]
    parents = (account.domains.get(host[index + 1 :]) for index, sign in enumerate(host) if sign == ".")
    return next((domain for domain in parents if domain and domain.settings.get("wildcard")), None)


def _owner(account: Account, recipient: str) -> Account:
    return next(
        (one for one in account.with_subaccounts(all_regions=True) if receiving_domain(one, recipient)), account
    )


def _recipients(headers: Mapping[str, str]) -> list[str]:
    texts = [text for name in ("To", "Cc") if (text := find_header(headers, name))]
    return list(dict.fromkeys(address for _, address in getaddresses(texts) if address))


def _from_fields(fields: Mapping[str, Any]) -> ParsedMail:
    headers = {HEADERS[name.lower()]: str(value) for name, value in fields.items() if name.lower() in HEADERS}
    bodies = {BODIES[name]: str(value) for name, value in fields.items() if name in BODIES}
    return ParsedMail(
        {**headers, **fields.get("headers", {})}, text=bodies.get("text", ""), html=bodies.get("html", "")
    )


def _receive(account: Account, parsed: ParsedMail, mime: bytes | None, sender: str, recipient: str) -> InboundMail:
    now = account.clock.now()
    received = InboundMail(now, recipient, sender, find_header(parsed.headers, "Subject"))
    domain = receiving_domain(account, recipient)
    if domain is None:
        received.refused = NO_RECIPIENT
        return received
    received.domain = domain.name
    message = _message(account, domain, parsed, mime, sender, recipient)
    # If a list and a route have the same address, both receive the mail.
    listed = _pass_on(account, domain, message, received)
    routed = _follow_routes(account, domain, message, received)
    if not listed and not routed and not received.refused:
        received.refused = NO_RECIPIENT
    return received


def _message(
    account: Account, domain: Domain, parsed: ParsedMail, mime: bytes | None, sender: str, recipient: str
) -> StoredMessage:
    now = account.clock.now()
    defaults = {"Date": mail_date(now, "+0000"), "To": recipient}
    message_id = find_header(parsed.headers, "Message-Id").strip("<> ")
    message_id = message_id or f"{account.hex_id(16)}@{sender.rpartition('@')[2] or 'localhost'}"
    return StoredMessage(
        key=account.opaque_id(KEY_BYTES),
        id=message_id,
        domain=domain.name,
        at=now,
        sender=sender,
        recipients=[recipient],
        headers={
            **{name: value for name, value in defaults.items() if not find_header(parsed.headers, name)},
            **parsed.headers,
        },
        text=parsed.text,
        html=parsed.html,
        amp=parsed.amp,
        attachments=list(parsed.attachments),
        mime=mime,
        routed=True,
        repeated_headers=parsed.repeated_headers,
    )


def _pass_on(account: Account, domain: Domain, message: StoredMessage, received: InboundMail) -> bool:
    mailing_list = account.lists.get(received.recipient.lower())
    if mailing_list is None:
        return False
    if not mailing_list.lets_post(message.sender):
        received.refused = NOT_ALLOWED
        return False
    received.mailing_list = mailing_list.address
    send_to_list(account, domain, message, mailing_list)
    return True


def _follow_routes(account: Account, domain: Domain, message: StoredMessage, received: InboundMail) -> bool:
    matches = list(_matches(account, message))
    if not matches:
        return False
    received.refused = ""
    received.routes = [route.id for route, _ in matches]
    route_records = [
        {"id": route.id, "priority": route.priority, "expression": route.expression} for route, _ in matches
    ]
    at = account.clock.now()
    record_event(account, domain, "accepted", message, received.recipient, at, method="SMTP", routes=route_records)
    for _, actions in matches:
        for action in actions:
            received.actions.append(str(action))
            _perform(account, domain, message, action, received)
    return True


def _matches(account: Account, message: StoredMessage) -> Iterator[tuple[Route, list[RouteAction]]]:
    for route, captures in matching_routes(account, message.recipients[0], message.headers):
        actions = [parse_action(text).filled_in(captures) for text in route.actions]
        yield route, actions
        if any(action.kind == "stop" for action in actions):
            return


def _perform(
    account: Account, domain: Domain, message: StoredMessage, action: RouteAction, received: InboundMail
) -> None:
    if action.kind == "forward":
        for target in action.targets:
            _forward(account, domain, message, target)
    elif action.kind == "store":
        received.storage_key = message.key
        _store(account, domain, message, action.targets)


def _forward(account: Account, domain: Domain, message: StoredMessage, target: str) -> None:
    if "://" not in target:
        at = account.clock.now() + TICK
        deliver(account, domain, replace(message, recipients=[target]), at)
    elif target.endswith("mime"):
        data = {**_envelope(message), "body-mime": to_mime(message)}
        enqueue(account, route_posting(account, message, "forward", target, data))
    else:
        enqueue(account, route_posting(account, message, "forward", target, _parsed(message), _files(message)))


def _store(account: Account, domain: Domain, message: StoredMessage, notified: Sequence[str]) -> None:
    domain.messages[message.key] = message
    at = account.clock.now() + TICK
    record_event(account, domain, "stored", message, message.recipients[0], at)
    listed = [
        {"name": item.filename, "content-type": item.content_type, "size": len(item.data)}
        for item in message.attachments
    ]
    more = {
        "domain": domain.name,
        "message-url": storage_location(account, message)["url"],
        "attachments": json.dumps(listed),
    }
    for url in notified:
        enqueue(account, route_posting(account, message, "store", url, {**_parsed(message), **more}))


def _envelope(message: StoredMessage) -> dict[str, str]:
    return {
        "recipient": message.recipients[0],
        "sender": message.sender,
        "from": find_header(message.headers, "From"),
        "subject": message.subject,
    }


def _parsed(message: StoredMessage) -> dict[str, str]:
    stripped = strip_bodies(message.text, message.html)
    return {
        **message.headers,
        **_envelope(message),
        "body-plain": message.text,
        "stripped-text": stripped.text,
        "stripped-signature": stripped.signature,
        **({"body-html": message.html, "stripped-html": stripped.html} if message.html else {}),
        "attachment-count": str(len(message.attachments)),
        "message-headers": json.dumps(message.header_lines),
        "content-id-map": json.dumps(_content_ids(message)),
    }


def _content_ids(message: StoredMessage) -> dict[str, str]:
    """Return content id in the HTML -> name of the posted file."""
    numbered = enumerate(message.attachments, 1)
    return {f"<{item.content_id}>": f"attachment-{number}" for number, item in numbered if item.content_id}


def _files(message: StoredMessage) -> list[PostedFile]:
    return [
        PostedFile(f"attachment-{index}", item.filename, item.content_type, item.data)
        for index, item in enumerate(message.attachments, 1)
    ]
