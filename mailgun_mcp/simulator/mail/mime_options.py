"""The options that a MIME message carries in headers of its own, which mail frameworks set instead of parameters."""

import json
from typing import Any

from mailgun_mcp.simulator.mail.composing import ParsedMail
from mailgun_mcp.simulator.model.clock import parse_mail_date
from mailgun_mcp.simulator.model.messages import StoredMessage, find_header

TAG, VARIABLES, RECIPIENT_VARIABLES = "X-Mailgun-Tag", "X-Mailgun-Variables", "X-Mailgun-Recipient-Variables"
TEMPLATE, TEMPLATE_VERSION = "X-Mailgun-Template-Name", "X-Mailgun-Template-Version"
TEMPLATE_VARIABLES = "X-Mailgun-Template-Variables"
DROP_MESSAGE, DELIVER_BY = "X-Mailgun-Drop-Message", "X-Mailgun-Deliver-By"


def apply_mime_options(message: StoredMessage, mail: ParsedMail) -> dict[str, Any]:
    """Set tags, variables, test mode and delivery time as the headers say. Return the recipient variables.

    A parameter of the request that says the same takes precedence.
    """
    texts = [value for name, value in mail.all_headers if name.lower() == TAG.lower()]
    tags = [tag.strip() for text in texts for tag in text.split(",") if tag.strip()]
    message.tags = list(dict.fromkeys([*message.tags, *tags]))
    message.variables = {**read_object(find_header(mail.headers, VARIABLES)), **message.variables}
    message.test_mode = message.test_mode or find_header(mail.headers, DROP_MESSAGE).strip().lower() in ("yes", "true")
    if message.deliver_at is None:
        message.deliver_at = _date(find_header(mail.headers, DELIVER_BY))
    return read_object(find_header(mail.headers, RECIPIENT_VARIABLES))


def read_object(text: str) -> dict[str, Any]:
    """Return the JSON object in a header. Mailgun ignores a header that does not contain one."""
    try:
        value = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _date(text: str) -> float | None:
    try:
        return parse_mail_date(text) if text else None
    except (ValueError, OverflowError):
        return None
