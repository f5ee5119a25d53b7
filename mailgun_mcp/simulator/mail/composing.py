"""Makes messages: addresses, templates, the copies of a batch, and the MIME form."""

import re
from collections.abc import Mapping
from dataclasses import replace
from email.utils import getaddresses
from typing import TYPE_CHECKING, Any

from mailgun_mcp.request.formats import email as fault_of_address
from mailgun_mcp.simulator.model.messages import Attachment, StoredMessage
from mailgun_mcp.simulator.replies.reply import ApiError

if TYPE_CHECKING:
    from email.message import MIMEPart

Address = tuple[str, str]
"""Display name and bare address."""

PERSONAL = re.compile(r"%recipient(?:\.([\w-]+)|_(email|name|fname|lname))?%")


def parse_addresses(name: str, texts: list[str]) -> list[Address]:
    """Return the addresses in the field `name`. Raises ApiError when one is not valid."""
    found = getaddresses(texts)
    if not found or any(fault_of_address(address) for _, address in found):
        raise ApiError(400, f"'{name}' parameter is not a valid address. please check documentation")
    return found


def recipient_copies(
    message: StoredMessage, to: list[Address], variables: Mapping[str, Any], keys: list[str]
) -> list[StoredMessage]:
    """Return each recipient's own copy of a batch message, with what is personal filled in."""
    own = {address.lower(): values for address, values in variables.items()}
    return [_copy(message, person, own.get(person[1].lower(), {}), key) for person, key in zip(to, keys, strict=True)]


def to_mime(message: StoredMessage) -> str:
    """Return the MIME form of a stored message."""
    if message.mime is not None:
        return message.mime.decode("utf-8", "replace")
    from email.message import EmailMessage

    mail = EmailMessage()
    mail.set_content(_encodable(message.text))
    if message.html:
        mail.add_alternative(_encodable(message.html), subtype="html")
    for item in message.attachments:
        kind, _, subtype = item.content_type.partition("/")
        mail.add_attachment(item.data, maintype=kind, subtype=subtype or "octet-stream", filename=item.filename)
    for name, value in message.headers.items():
        # The structure's own headers (Content-Type, …) are not the sender's to set.
        if not name.lower().startswith("content-"):
            del mail[name]
            mail[name] = " ".join(_encodable(value).split())
    return mail.as_string()


def from_mime(content: bytes) -> dict[str, Any]:
    """Return headers, text, html and attachments of a MIME message."""
    from email import policy
    from email.parser import BytesParser

    mail = BytesParser(policy=policy.default).parsebytes(content)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    return {
        "headers": {name: str(value) for name, value in mail.items()},
        "text": _content(plain),
        "html": _content(html),
        "attachments": [_attachment(part) for part in mail.iter_attachments()],
    }


def _content(part: "MIMEPart | None") -> str:
    if part is None:
        return ""
    data = part.get_payload(decode=True)
    try:
        return str(part.get_content())
    except LookupError:
        return data.decode("utf-8", "replace") if isinstance(data, bytes) else ""


def _encodable(text: str) -> str:
    """Return the text without lone surrogates, which JSON can smuggle in."""
    return text.encode("utf-8", "replace").decode()


def _attachment(part: "MIMEPart") -> Attachment:
    data = part.get_payload(decode=True)
    return Attachment(
        part.get_filename() or "attachment", part.get_content_type(), data if isinstance(data, bytes) else b""
    )


def _copy(message: StoredMessage, person: Address, values: Mapping[str, Any], key: str) -> StoredMessage:
    def personal(text: str) -> str:
        return PERSONAL.sub(lambda found: _personal(found, person, values), text)

    headers = {name: personal(value) for name, value in message.headers.items()}
    return replace(
        message,
        key=key,
        recipients=[person[1]],
        headers={**headers, "To": _written(person)},
        text=personal(message.text),
        html=personal(message.html),
    )


def _personal(found: re.Match[str], person: Address, values: Mapping[str, Any]) -> str:
    name, address = person
    if found[1]:
        return str(values.get(found[1], found[0]))
    first, _, last = name.partition(" ")
    known = {"email": address, "name": name, "fname": first, "lname": last, None: _written(person)}
    return known[found[2]]


def _written(person: Address) -> str:
    name, address = person
    return f"{name} <{address}>" if name else address
