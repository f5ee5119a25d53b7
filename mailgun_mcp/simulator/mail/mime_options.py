"""The sending options in special headers of a MIME message. Mail frameworks set these instead of parameters."""

import json
from typing import Any

from mailgun_mcp.simulator.mail.composing import ParsedMail
from mailgun_mcp.simulator.model.messages import StoredMessage, find_header

TAG, VARIABLES, RECIPIENT_VARIABLES = "X-Mailgun-Tag", "X-Mailgun-Variables", "X-Mailgun-Recipient-Variables"
TEMPLATE, TEMPLATE_VERSION = "X-Mailgun-Template-Name", "X-Mailgun-Template-Version"
TEMPLATE_VARIABLES = "X-Mailgun-Template-Variables"
DROP_MESSAGE, DELIVER_BY = "X-Mailgun-Drop-Message", "X-Mailgun-Deliver-By"
SENDING_IP, SENDING_IP_POOL = "X-Mailgun-Sending-Ip", "X-Mailgun-Sending-Ip-Pool"
TRACK, TRACK_OPENS, TRACK_CLICKS = "X-Mailgun-Track", "X-Mailgun-Track-Opens", "X-Mailgun-Track-Clicks"
UNTRACKED = {"opened": TRACK_OPENS, "clicked": TRACK_CLICKS}
NO = frozenset({"no", "false"})


def apply_mime_options(message: StoredMessage, mail: ParsedMail) -> dict[str, Any]:
    """Set tags, variables, tracking and test mode from the headers. Return the recipient variables.

    A request parameter for the same option takes precedence.
    """
    texts = [value for name, value in mail.all_headers if name.lower() == TAG.lower()]
    tags = [tag.strip() for text in texts for tag in text.split(",") if tag.strip()]
    message.tags = list(dict.fromkeys([*message.tags, *tags]))
    message.variables = {**read_object(find_header(mail.headers, VARIABLES)), **message.variables}
    message.test_mode = message.test_mode or find_header(mail.headers, DROP_MESSAGE).strip().lower() in ("yes", "true")
    both = _is_off(mail, TRACK)
    message.untracked |= {name for name, header in UNTRACKED.items() if both or _is_off(mail, header)}
    return read_object(find_header(mail.headers, RECIPIENT_VARIABLES))


def read_object(text: str) -> dict[str, Any]:
    """Return the JSON object in a header. Mailgun ignores a header that does not contain one."""
    try:
        value = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_off(mail: ParsedMail, name: str) -> bool:
    return find_header(mail.headers, name).strip().lower() in NO
