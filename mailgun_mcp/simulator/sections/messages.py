"""Messages: sending, and the queue of scheduled messages."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mailgun_mcp.simulator.http.body import File
from mailgun_mcp.simulator.mail.composing import (
    HEADER_NAME,
    KEY_BYTES,
    Address,
    ParsedMail,
    decoded_words,
    from_mime,
    parse_addresses,
    recipient_copies,
)
from mailgun_mcp.simulator.mail.delivery import accept, send_to_list
from mailgun_mcp.simulator.mail.list_delivery import split_lists
from mailgun_mcp.simulator.mail.mime_options import (
    DELIVER_BY,
    SENDING_IP,
    SENDING_IP_POOL,
    TEMPLATE,
    TEMPLATE_VARIABLES,
    TEMPLATE_VERSION,
    apply_mime_options,
    read_object,
)
from mailgun_mcp.simulator.mail.sending_limits import authorized_recipients, check_sending, choose_ip, delivery_time
from mailgun_mcp.simulator.mail.templating import render_body, render_headers
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import Attachment, StoredMessage, find_header, with_headers
from mailgun_mcp.simulator.model.templates import TemplateVersion
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles
from mailgun_mcp.simulator.sections.stored_messages import find_stored

SANDBOX = (
    "Domain {} is not allowed to send: Sandbox subdomains are for test purposes only. "
    "Please add your own domain or add the address to authorized recipients in Account Settings."
)
UNVERIFIED = (
    "Domain {} is not allowed to send: The domain is unverified and requires DNS configuration. "
    "Log in to your control panel to view required DNS records."
)
DISABLED = "Domain {} is not allowed to send: Domain is disabled"
OPEN_QUEUE = {"is_disabled": False, "disabled": {"until": "", "reason": ""}}


@dataclass(frozen=True, slots=True)
class SmtpEnvelope:
    """The login that submitted a message over SMTP, and the envelope sender."""

    login: str
    sender: str


@handles(
    "send_message",
    fidelity="stateful",
    note="batches, templates, scheduling, test mode, IP options; AMP and tracking; DKIM, TLS and time zone options have no effect",
)
def send_message(account: Account, request: SimulatedRequest) -> Reply:
    sender, to, others = _sender(account, request), parse_addresses("to", request["to"]), _others(request)
    _check_may_send(account, request.domain, [*to, *others])
    message = _composed(account, request, sender)
    if "recipient_variables" not in request.arguments:
        return _queued(account, request.domain, message, [*to, *others])
    return _send_batch(account, request.domain, message, to, others, request["recipient_variables"])


@handles(
    "send_mime_message",
    fidelity="stateful",
    note="the MIME is stored and parsed; templates and options as in send_message",
)
def send_mime_message(account: Account, request: SimulatedRequest) -> Reply:
    return submit_mime(account, request)


def submit_mime(account: Account, request: SimulatedRequest, envelope: SmtpEnvelope | None = None) -> Reply:
    """Send a MIME message. `envelope` is the SMTP envelope, for a message that was submitted over SMTP."""
    to = parse_addresses("to", request["to"])
    _check_may_send(account, request.domain, to)
    mail = from_mime(request["message"].data)
    author = find_header(mail.headers, "From")
    if not author:
        raise ApiError(400, "from parameter is missing")
    message = _blank(account, request, parse_addresses("from", [author])[0])
    message.headers, message.text, message.html, message.amp = mail.headers, mail.text, mail.html, mail.amp
    message.attachments, message.mime = mail.attachments, request["message"].data
    message.repeated_headers = mail.repeated_headers
    if own_id := find_header(mail.headers, "Message-Id").strip("<> "):
        message.id = own_id
    else:
        _add_message_id(message)
    if envelope is not None:
        message.smtp_login, message.sender = envelope.login, envelope.sender.strip("<>") or message.sender
    if message.deliver_at is None and (deliver_by := find_header(mail.headers, DELIVER_BY)):
        message.deliver_at = delivery_time(request.domain, deliver_by, message.at)
    address, pool = (find_header(mail.headers, name) or None for name in (SENDING_IP, SENDING_IP_POOL))
    message.sending_ip = message.sending_ip or choose_ip(account, address, pool)
    variables = apply_mime_options(message, mail) | request.get("recipient_variables", {})
    _apply_template(account, request, message, mail)
    if variables:
        return _send_batch(account, request.domain, message, to, [], variables)
    return _queued(account, request.domain, message, to)


def _add_message_id(message: StoredMessage) -> None:
    """Add the Message-Id header to a MIME message that has none."""
    header, mime = f"<{message.id}>", message.mime or b""
    message.headers = {"Message-Id": header, **message.headers}
    line_end = b"\r\n" if b"\r\n" in mime else b"\n"
    message.mime = b"Message-Id: %s%s%s" % (header.encode(), line_end, mime)


def _apply_template(account: Account, request: SimulatedRequest, message: StoredMessage, mail: ParsedMail) -> None:
    """Replace the body with the rendered template that the request or a MIME header names."""
    name = request.get("template") or find_header(mail.headers, TEMPLATE).strip()
    if not name:
        return
    message.template = name
    version = _find_version(
        account, request.domain, name, request.get("version") or find_header(mail.headers, TEMPLATE_VERSION)
    )
    if version is None:
        message.fault = f"Template '{name}' not found"
        return
    own = request.get("template_variables", {})
    variables = {**message.variables, **read_object(find_header(mail.headers, TEMPLATE_VARIABLES)), **own}
    render_body(message, version, variables, as_text=bool(request.get("template_text")))
    from_template = {
        header: text
        for header, text in render_headers(version, variables).items()
        if not find_header(message.headers, header)
    }
    message.headers = {
        header: text
        for header, text in with_headers(message.headers, from_template).items()
        if header.lower() != TEMPLATE_VARIABLES.lower()
    }
    # The original MIME still has the body that the template replaces.
    message.mime = None


def _send_batch(
    account: Account,
    domain: Domain,
    message: StoredMessage,
    to: list[Address],
    others: list[Address],
    variables: Mapping[str, Any],
) -> Reply:
    """Send each recipient in `to` a separate copy. Recipients in cc and bcc get every copy."""
    people, lists = split_lists(account, to)
    other_people, other_lists = split_lists(account, others)
    for copy in recipient_copies(message, people, variables, [account.opaque_id(KEY_BYTES) for _ in people]):
        accept(account, domain, replace(copy, recipients=[*copy.recipients, *_bare(other_people)]))
    rest = [("", each.address) for each in (*lists, *other_lists)] + ([] if people else other_people)
    return _queued(account, domain, replace(message, key=account.opaque_id(KEY_BYTES)), rest)


@handles("resend_message", fidelity="stateful", note="sends a new copy, which has its own events")
def resend_message(account: Account, request: SimulatedRequest) -> Reply:
    message = find_stored(account, request)
    to = parse_addresses("to", request["to"])
    _check_may_send(account, request.domain, to)
    now = account.clock.now()
    again = replace(message, key=account.opaque_id(KEY_BYTES), at=now, deliver_at=None, routed=False)
    again.api_key_id = request.key.id if request.key else None
    return _queued(account, request.domain, again, to)


@handles("get_sending_queues", fidelity="computed", note="closed while the domain or account can't send; never slow")
def get_sending_queues(account: Account, request: SimulatedRequest) -> Reply:
    """Show the queues. A queue is closed while the domain, or the account because of its limit, can't send."""
    try:
        _check_may_send(account, request.domain, [])
    except ApiError as refusal:
        reason = str(refusal).partition(": ")[2] or str(refusal)
        closed = {"is_disabled": True, "disabled": {"until": "", "reason": reason}}
        return Reply({"regular": closed, "scheduled": closed})
    return Reply({"regular": OPEN_QUEUE, "scheduled": OPEN_QUEUE})


@handles("clear_message_queue", fidelity="stateful", note="deletes the scheduled and the deferred mail")
def clear_message_queue(request: SimulatedRequest) -> Reply:
    request.domain.scheduled.clear()
    request.domain.deferred.clear()
    return Reply({"message": "done"})


def _queued(account: Account, domain: Domain, message: StoredMessage, recipients: list[Address]) -> Reply:
    """Send the message to the recipients. For a mailing list, each subscriber gets a copy."""
    people, lists = split_lists(account, recipients)
    if people:
        accept(account, domain, replace(message, recipients=_bare(people)))
    for mailing_list in lists:
        send_to_list(account, domain, message, mailing_list)
    return Reply({"id": f"<{message.id}>", "message": "Queued. Thank you."})


def _check_may_send(account: Account, domain: Domain, recipients: list[Address]) -> None:
    refusals: dict[str, Callable[[], bool]] = {
        UNVERIFIED: lambda: domain.state == "unverified",
        DISABLED: lambda: domain.state == "disabled",
        SANDBOX: lambda: domain.type == "sandbox" and not _authorized(account, recipients),
    }
    for text, holds in refusals.items():
        if holds():
            raise ApiError(403, text.format(domain.name))
    check_sending(account, domain, len(recipients))


def _authorized(account: Account, recipients: list[Address]) -> bool:
    return authorized_recipients(account).issuperset(address.lower() for address in _bare(recipients))


def _sender(account: Account, request: SimulatedRequest) -> Address:
    version = _template_version(account, request)
    text = request.get("from") or (version.headers.get("From") if version else None)
    if not text and not request.get("template"):
        raise ApiError(400, "from parameter is missing")
    return parse_addresses("from", [text or f"postmaster@{request.domain.name}"])[0]


def _others(request: SimulatedRequest) -> list[Address]:
    return [address for name in ("cc", "bcc") if request.get(name) for address in parse_addresses(name, request[name])]


def _blank(account: Account, request: SimulatedRequest, sender: Address) -> StoredMessage:
    """Return a message without content that has the options of the request."""
    now = account.clock.now()
    deliver_at = request.get("deliverytime")
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(now))
    return StoredMessage(
        key=account.opaque_id(KEY_BYTES),
        id=f"{stamp}.{account.hex_id(16)}@{request.domain.name}",
        domain=request.domain.name,
        at=now,
        sender=sender[1],
        recipients=[],
        headers={},
        tags=request.get("tags", []),
        variables=_variables(request),
        test_mode=bool(request.get("test_mode")),
        sending_ip=choose_ip(account, request.get("sending_ip"), request.get("sending_ip_pool")),
        untracked=_untracked(request),
        deliver_at=delivery_time(request.domain, deliver_at, now) if deliver_at else None,
        api_key_id=request.key.id if request.key else None,
    )


def _untracked(request: SimulatedRequest) -> set[str]:
    """Return the kinds of events whose tracking the request switches off."""
    names = {"opened": "tracking_opens", "clicked": "tracking_clicks"}
    off = {name: request.get(name) in (False, "no") for name in ("tracking", *names.values())}
    return {event for event, name in names.items() if off["tracking"] or off[name]}


def _composed(account: Account, request: SimulatedRequest, sender: Address) -> StoredMessage:
    message = _blank(account, request, sender)
    version = _template_version(account, request)
    message.text, message.html, message.amp = (request.get(name, "") for name in ("text", "html", "amp_html"))
    message.attachments = [_attachment(file, inline=True) for file in request.get("inline", [])]
    message.attachments += [_attachment(file) for file in request.get("attachments", [])]
    message.template = request.get("template")
    if version:
        render_body(message, version, _template_variables(request), as_text=bool(request.get("template_text")))
    elif message.template:
        message.fault = f"Template '{message.template}' not found"
    message.headers = _headers(request, message, version)
    return message


def _headers(request: SimulatedRequest, message: StoredMessage, version: TemplateVersion | None) -> dict[str, str]:
    given = request.get("headers", {})
    for name in given:
        if not HEADER_NAME.fullmatch(name):
            raise ApiError(400, f"Header name must be pure ASCII: {name}")
    message.id = find_header(given, "Message-Id").strip("<> ") or message.id
    from_template = render_headers(version, _template_variables(request))
    own = {
        "Mime-Version": "1.0",
        "Date": mail_date(message.at, "+0000"),
        "Message-Id": f"<{message.id}>",
        "From": request.get("from") or from_template.get("From") or message.sender,
        "To": ", ".join(request["to"]),
        **({"Cc": ", ".join(request["cc"])} if request.get("cc") else {}),
        "Subject": request.get("subject", from_template.get("Subject", "")),
        **({"Reply-To": from_template["Reply-To"]} if "Reply-To" in from_template else {}),
        **({"X-Mailgun-Tag": ", ".join(message.tags)} if message.tags else {}),
        **({"X-Mailgun-Variables": json.dumps(message.variables)} if message.variables else {}),
        **({"X-Mailgun-Template-Name": message.template} if message.template else {}),
    }
    in_request = {"From": request.get("from"), "Subject": request.get("subject"), "Reply-To": None}
    message.template_headers = [name for name in from_template if not in_request[name] and not find_header(given, name)]
    return with_headers(own, {name: decoded_words(value) for name, value in given.items()})


def _variables(request: SimulatedRequest) -> dict[str, Any]:
    """Return the custom variables of a message, which the recipient can see."""
    return {**_of_header(request, "x-mailgun-variables"), **request.get("variables", {})}


def _template_variables(request: SimulatedRequest) -> dict[str, Any]:
    hidden = _of_header(request, "x-mailgun-template-variables")
    return {**_variables(request), **hidden, **request.get("template_variables", {})}


def _of_header(request: SimulatedRequest, header: str) -> dict[str, Any]:
    """Return the JSON object in a header. Mailgun ignores anything else."""
    texts = [text for name, text in request.get("headers", {}).items() if name.lower() == header]
    try:
        value = json.loads(texts[-1]) if texts else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _template_version(account: Account, request: SimulatedRequest) -> TemplateVersion | None:
    return _find_version(account, request.domain, request.get("template", ""), request.get("version"))


def _find_version(account: Account, domain: Domain, name: str, tag: str | None) -> TemplateVersion | None:
    template = domain.templates.get(name.lower()) or account.templates.get(name.lower())
    if template is None:
        return None
    return template.versions.get(tag.strip()) if tag else template.active


def _attachment(file: File, *, inline: bool = False) -> Attachment:
    return Attachment(file.filename, file.content_type, file.data, inline, file.filename if inline else "")


def _bare(addresses: list[Address]) -> list[str]:
    return [address for _, address in addresses]
