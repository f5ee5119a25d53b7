"""Records events of messages in the JSON form of `/events`."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from mailgun_mcp.simulator.mail.webhooks import enqueue_webhooks
from mailgun_mcp.simulator.model.access import OWN_KEY_ID
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import SHARED_IP
from mailgun_mcp.simulator.model.messages import StoredMessage, find_header
from mailgun_mcp.simulator.model.packed_events import MailEvent

ENHANCED_CODE = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")
"""The enhanced status code (RFC 3463) in a server's text."""
LINK = re.compile(r"""<a\b[^>]*?\shref\s*=\s*(["'])(https?://.*?)\1""", re.IGNORECASE | re.DOTALL)
URL = re.compile(r"https?://[^\s<>\"']+")
ORIGIN_IP = "198.51.100.7"

PROVIDERS = {
    "gmail.com": "Gmail",
    "googlemail.com": "Gmail",
    "yahoo.com": "Yahoo",
    "outlook.com": "Outlook",
    "hotmail.com": "Outlook",
    "icloud.com": "Apple",
}

WITH_STORAGE = frozenset({"accepted", "delivered", "failed", "stored"})
"""Events that contain the location of the stored copy."""
LOG_LEVELS = {"failed": "error", "complained": "warn", "rejected": "warn"}

BROWSER = {
    "client-type": "browser",
    "client-os": "macOS",
    "client-name": "Chrome",
    "device-type": "desktop",
    "user-agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/141.0 Safari/537.36",
    "bot": "",
}
VISITOR = {
    "ip": "203.0.113.25",
    "client-info": BROWSER,
    "geolocation": {"country": "US", "region": "CA", "city": "San Francisco", "timezone": "America/Los_Angeles"},
}


def record_event(
    account: Account, domain: Domain, name: str, message: StoredMessage, recipient: str, at: float, **details: Any
) -> MailEvent:
    """Add an event to the domain, count it, and queue its webhooks.

    `details` are further fields, written with `_` instead of `-`. `flags` among them overrides single flags.
    """
    fields = EVENT_FIELDS[name](domain, message, recipient)
    if "flags" in details:
        details["flags"] = {**fields["flags"], **details["flags"]}
    record = {
        "event": name,
        "id": account.opaque_id(),
        "timestamp": round(at, 6),
        "log-level": LOG_LEVELS.get(name, "info"),
        **_recipient(recipient),
        **fields,
        **(_api_key(account, message) if name == "accepted" else {}),
        **({"storage": storage_location(account, message)} if name in WITH_STORAGE else {}),
        "tags": message.tags,
        "user-variables": message.variables,
        "campaigns": [],
        **({"mailing-list": message.mailing_list} if message.mailing_list else {}),
        **{key.replace("_", "-"): value for key, value in details.items()},
    }
    if name == "failed" and record["severity"] == "temporary":
        record["log-level"] = "warn"
    if name == "accepted":
        account.administration.sending_limit.count(at)
    event = MailEvent(at, account.serial, record, account.analytics.count_event(domain.name, at, record))
    domain.events.append(event)
    enqueue_webhooks(account, domain, event)
    return event


def _api_key(account: Account, message: StoredMessage) -> dict[str, str]:
    """Return the field with the API key that submitted the message, if there was one and the account still has it."""
    if message.smtp_login or message.routed:
        return {}
    owners = [account, *([account.administration.parent] if account.administration.parent else [])]
    keys = {key for owner in owners for key in owner.administration.access.keys}
    used = message.api_key_id or OWN_KEY_ID
    return {"api-key-id": used} if used in keys else {}


def storage_location(account: Account, message: StoredMessage) -> dict[str, str]:
    """Return the location of the stored copy of `message`."""
    return {
        "url": f"{account.storage_url}/v3/domains/{message.domain}/messages/{message.key}",
        "key": message.key,
        "region": "us-east4",
        "env": "production",
    }


def with_current_storage(account: Account, record: dict[str, Any]) -> dict[str, Any]:
    """Return an event with the URL at which its message is stored now: a state file may have been served elsewhere."""
    storage = record.get("storage")
    if storage is None or storage["url"].startswith(f"{account.storage_url}/"):
        return record
    _, separator, path = storage["url"].partition("/v3/domains/")
    return {**record, "storage": {**storage, "url": account.storage_url + separator + path}} if separator else record


def delivered_status(recipient: str) -> dict[str, Any]:
    """Return the status of a delivery that the recipient's server accepted."""
    return _status(250, "OK", recipient, **{"enhanced-code": "2.0.0"})


def refused_status(recipient: str, code: int, message: str, **more: Any) -> dict[str, Any]:
    """Return the status of a delivery that the recipient's server refused."""
    return _status(code, message, recipient, **more)


def not_attempted_status(code: int, message: str) -> dict[str, Any]:
    """Return the status of mail that Mailgun did not try to deliver."""
    return {"attempt-no": 1, "code": code, "message": "", "description": message, "session-seconds": 0.0}


def _status(code: int, message: str, recipient: str, **more: Any) -> dict[str, Any]:
    return {
        "attempt-no": 1,
        "code": code,
        "message": message,
        "description": "",
        "mx-host": f"mx.{_host(recipient)}",
        "session-seconds": 0.427,
        "tls": True,
        "certificate-verified": True,
        "utf8": True,
        **({"enhanced-code": enhanced[1]} if (enhanced := ENHANCED_CODE.match(message)) else {}),
        **more,
    }


def _host(recipient: str) -> str:
    return recipient.rpartition("@")[2]


def _recipient(recipient: str) -> dict[str, str]:
    host = _host(recipient)
    return {"recipient": recipient, "recipient-domain": host, "recipient-provider": PROVIDERS.get(host, "Other")}


def _flags(message: StoredMessage, **more: bool) -> dict[str, bool]:
    return {"is-authenticated": not message.routed, "is-test-mode": message.test_mode, **more}


def _message(message: StoredMessage, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    headers = message.headers if headers is None else headers
    return {
        "headers": {
            "to": find_header(headers, "To"),
            "from": find_header(headers, "From"),
            "subject": find_header(headers, "Subject"),
            "message-id": message.id,
        },
        "attachments": [
            {"filename": item.filename, "content-type": item.content_type, "size": len(item.data)}
            for item in message.attachments
        ],
        "size": message.size,
    }


def _transport(message: StoredMessage, recipient: str) -> dict[str, str]:
    return {"sender": message.sender, "transport": "smtp", "targets": recipient}


def _template(message: StoredMessage) -> dict[str, Any]:
    if message.template is None:
        return {}
    return {"template": {"name": message.template, "version": message.template_version or "", "is-text": False}}


def _accepted(_: Domain, message: StoredMessage, recipient: str) -> dict[str, Any]:
    at = {"scheduled-for": int(message.deliver_at)} if message.deliver_at else {}
    return {
        "method": "SMTP" if message.smtp_login else "HTTP",
        "originating-ip": ORIGIN_IP,
        "envelope": _transport(message, recipient),
        "flags": _flags(message, **{"is-routed": message.routed}),
        "message": {**_message(message, without_template(message)), "recipients": message.recipients, **at},
        **_template(message),
    }


def without_template(message: StoredMessage) -> Mapping[str, str]:
    """Return the headers without those set by the template, since the accepted event precedes the rendering."""
    return {name: value for name, value in message.headers.items() if name not in message.template_headers}


def _sent(domain: Domain, message: StoredMessage, recipient: str) -> dict[str, Any]:
    envelope = {
        **_transport(message, recipient),
        "sending-ip": sending_ip(domain, message),
        "mail-from": f"bounce@{domain.name}",
    }
    return {
        "envelope": envelope,
        "flags": _flags(message, **{"is-routed": message.routed, "is-system-test": False, "is-delayed-bounce": False}),
        "message": _message(message),
        "primary-dkim": f"pic._domainkey.{domain.name}",
        **_template(message),
    }


def _engaged(_: Domain, message: StoredMessage, __: str) -> dict[str, Any]:
    return {"message": {"headers": {"message-id": message.id}}, **VISITOR}


def sending_ip(domain: Domain, message: StoredMessage) -> str:
    """Return the IP that a message is sent from."""
    ips = domain.administration.sending.ips
    return message.sending_ip or (ips[0] if ips else SHARED_IP)


def _complained(_: Domain, message: StoredMessage, __: str) -> dict[str, Any]:
    return {"message": _message(message), "flags": {"is-test-mode": message.test_mode}}


def _stored(_: Domain, message: StoredMessage, __: str) -> dict[str, Any]:
    return {
        "message": {**_message(message), "recipients": message.recipients},
        "flags": {"is-authenticated": False, "is-test-mode": False},
    }


def _clicked(domain: Domain, message: StoredMessage, recipient: str) -> dict[str, Any]:
    return {**_engaged(domain, message, recipient), "url": _first_link(message) or f"https://www.{domain.name}/"}


def _first_link(message: StoredMessage) -> str:
    """Return the first web link in the HTML, else in the text; empty if there is none."""
    in_html, in_text = LINK.search(message.html), URL.search(message.text)
    return unescape(in_html[2]) if in_html else in_text[0].rstrip(".,;:!?") if in_text else ""


EVENT_FIELDS: Mapping[str, Any] = {
    "accepted": _accepted,
    "delivered": _sent,
    "failed": _sent,
    "opened": _engaged,
    "clicked": _clicked,
    "unsubscribed": _engaged,
    "complained": _complained,
    "stored": _stored,
}
"""Event name -> the function that makes its fields beyond those common to all events."""
