"""Makes messages: addresses, templates, the copies of a batch, and the MIME form."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import getaddresses, quote
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from mailgun_mcp.request.formats import email as fault_of_address
from mailgun_mcp.simulator.mail.raw_mime import filled_in_mime
from mailgun_mcp.simulator.model.messages import Attachment, StoredMessage
from mailgun_mcp.simulator.replies.reply import ApiError
from mailgun_mcp.text.characters import replace_surrogates

if TYPE_CHECKING:
    from email.message import EmailMessage, MIMEPart

Address = tuple[str, str]
"""Display name and bare address."""

PERSONAL = re.compile(r"%recipient(?:\.([^%\s]+)|_(email|name|fname|lname))?%")
UNSUBSCRIBE = re.compile("%(unsubscribe_url|tag_unsubscribe_url|unsubscribe_email)%")
KEY_BYTES = 30
"""Length of the random part of a storage key in bytes."""
LONGEST_KEPT = 200
"""Length in characters of the longest address whose parts are kept for the next mail."""
AMP = "x-amp-html"
SPECIAL = re.compile(r'[][\\()<>@,:;".]')
"""Characters that require quotes around a display name (RFC 5322, section 3.2.3)."""
HEADER_NAME = re.compile(r"[!-9;-~]+")
"""Matches a header name: printable ASCII without the colon (RFC 5322, section 2.2)."""


@dataclass(slots=True)
class ParsedMail:
    """A parsed message."""

    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    html: str = ""
    amp: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    all_headers: list[tuple[str, str]] = field(default_factory=list)
    """All headers in order, including repeated ones."""

    @property
    def repeated_headers(self) -> list[tuple[str, str]]:
        """All headers in order if one is repeated, else an empty list."""
        names = [name.lower() for name, _ in self.all_headers]
        return self.all_headers if len(set(names)) < len(names) else []


@lru_cache(maxsize=1000)
def _addresses_in(text: str) -> tuple[Address, ...]:
    """Return the addresses in a short text. Most mails have the same sender, and parsing takes a tenth of a send."""
    return tuple(getaddresses([text]))


def parse_addresses(name: str, texts: list[str]) -> list[Address]:
    """Return the addresses in the field `name`. Raises ApiError for an invalid address."""
    single = len(texts) == 1 and len(texts[0]) <= LONGEST_KEPT
    addresses = list(_addresses_in(texts[0])) if single else getaddresses(texts)
    if not addresses or any(fault_of_address(address) for _, address in addresses):
        raise ApiError(400, f"'{name}' parameter is not a valid address. please check documentation")
    return addresses


def recipient_copies(
    message: StoredMessage, to: list[Address], variables: Mapping[str, Any], keys: list[str]
) -> list[StoredMessage]:
    """Return a copy of a batch message for each recipient, with the recipient variables filled in."""
    variables_of = {address.lower(): values for address, values in variables.items()}
    return [
        _copy(message, person, variables_of.get(person[1].lower(), {}), key)
        for person, key in zip(to, keys, strict=True)
    ]


def copies_with_unsubscribe_links(message: StoredMessage, new_key: Callable[[int], str]) -> list[StoredMessage]:
    """Return a copy of the message for each recipient, with the recipient's own unsubscribe links filled in.

    A message without unsubscribe links is returned as it is.
    """
    mime = b"" if message.mime is None else message.mime
    if not any(UNSUBSCRIBE.search(body) for body in (message.text, message.html, message.amp, mime.decode("latin-1"))):
        return [message]
    keys = [message.key, *(new_key(KEY_BYTES) for _ in message.recipients[1:])]
    copies = [
        replace(message, key=key, recipients=[recipient])
        for key, recipient in zip(keys, message.recipients, strict=True)
    ]
    for copy in copies:
        _fill_in_unsubscribe_links(copy, copy.recipients[0])
    return copies


def _fill_in_unsubscribe_links(message: StoredMessage, recipient: str) -> None:
    token = sha256(f"{message.id} {recipient}".encode("utf-8", "replace")).hexdigest()[:24]
    values = {
        "unsubscribe_url": f"https://email.{message.domain}/u/{token}",
        "tag_unsubscribe_url": f"https://email.{message.domain}/u/{token}/tag",
        "unsubscribe_email": f"u+{token}@{message.domain}",
    }

    def filled_in(text: str) -> str:
        return UNSUBSCRIBE.sub(lambda match: values[match[1]], text)

    message.text, message.html, message.amp = map(filled_in, (message.text, message.html, message.amp))
    if message.mime is not None:
        message.mime = filled_in_mime(message.mime, filled_in, decoded_words)


def decoded_words(value: str) -> str:
    """Return the value of a header with its encoded words (RFC 2047) decoded."""
    if "=?" not in value:
        return value
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value


def to_mime(message: StoredMessage) -> str:
    """Return the MIME form of a stored message."""
    if message.mime is not None:
        return message.mime.decode("utf-8", "replace")
    from email.message import EmailMessage

    mail = EmailMessage()
    mail.set_content(replace_surrogates(message.text))
    if message.amp:
        # Before the HTML: a mail program shows the last form that it supports, and some support only the last one.
        mail.add_alternative(replace_surrogates(message.amp), subtype=AMP)
    if message.html:
        mail.add_alternative(replace_surrogates(message.html), subtype="html")
    for item in sorted(message.attachments, key=lambda each: not each.inline):
        kind, _, subtype = item.content_type.partition("/")
        subtype = subtype or "octet-stream"
        if item.inline:
            related, cid = _html_part(mail), f"<{item.cid}>"
            name = item.filename
            related.add_related(item.data, kind, subtype, filename=name, disposition="inline", cid=cid)
        else:
            mail.add_attachment(item.data, maintype=kind, subtype=subtype, filename=item.filename)
    for name, value in message.headers.items():
        # The sender must not override the headers of the MIME structure, such as Content-Type. Mail that was received
        # as fields may name what cannot be a header: Python refuses it from 3.14 on, and wrote other headers before.
        if HEADER_NAME.fullmatch(name) and not name.lower().startswith("content-"):
            del mail[name]
            mail[name] = " ".join(replace_surrogates(value).split())
    return mail.as_string()


def from_mime(content: bytes) -> ParsedMail:
    """Parse a MIME message, with any nesting of its parts."""
    from email import policy
    from email.parser import BytesParser

    mail = BytesParser(policy=policy.default).parsebytes(content)
    headers = [(name, str(value)) for name, value in mail.items()]
    for part in mail.walk():
        if part.get_content_maintype() == "multipart" and not part.is_multipart():
            # It has no boundary, or a wrong one, so nothing tells its parts apart.
            part.replace_header("Content-Type", "text/plain; charset=utf-8")
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    amp = next((part for part in _leaves(mail) if part.get_content_type() == f"text/{AMP}"), None)
    bodies = [part for part in (plain, html, amp) if part is not None]
    return ParsedMail(
        headers=dict(headers),
        text=_content(plain),
        html=_content(html),
        amp=_content(amp),
        attachments=[_attachment(part) for part in _leaves(mail) if not any(part is body for body in bodies)],
        all_headers=headers,
    )


def _leaves(part: "MIMEPart") -> "Iterator[MIMEPart]":
    """Yield the parts that have content. A forwarded message counts as one part and is not searched."""
    if part.get_content_maintype() != "multipart":
        yield part
        return
    for inner in part.iter_parts():
        yield from _leaves(inner)


def _html_part(mail: "EmailMessage") -> "EmailMessage":
    """Return the part that inline files belong to: the HTML, or the whole message when it has none."""
    return mail.get_body(("related", "html")) or mail  # type: ignore[return-value]  # every part is one


def _content(part: "MIMEPart | None") -> str:
    if part is None:
        return ""
    data = part.get_payload(decode=True)
    if isinstance(data, bytes) and part.get_content_charset("us-ascii") == "us-ascii":
        # Many programs send UTF-8 without saying so.
        return data.decode("utf-8", "replace")
    try:
        return str(part.get_content())
    except LookupError:
        return data.decode("utf-8", "replace") if isinstance(data, bytes) else ""


def _attachment(part: "MIMEPart") -> Attachment:
    content_id = str(part.get("Content-Id", "")).strip().strip("<>")
    inline = part.get_content_disposition() == "inline" or (bool(content_id) and not part.is_attachment())
    name = part.get_filename() or ("forwarded.eml" if part.get_content_type() == "message/rfc822" else "attachment")
    return Attachment(name, part.get_content_type(), _data(part), inline, content_id)


def _data(part: "MIMEPart") -> bytes:
    if part.get_content_maintype() == "message":
        return b"".join(inner.as_bytes() for inner in part.iter_parts())
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _copy(message: StoredMessage, person: Address, values: Mapping[str, Any], key: str) -> StoredMessage:
    def personal(text: str) -> str:
        return PERSONAL.sub(lambda match: _personal(match, person, values), text)

    headers = {name: personal(value) for name, value in message.headers.items() if name.lower() != "to"}
    return replace(
        message,
        key=key,
        recipients=[person[1]],
        headers={**headers, "To": _address_text(person)},
        repeated_headers=[(name, personal(value)) for name, value in message.repeated_headers],
        text=personal(message.text),
        html=personal(message.html),
        amp=personal(message.amp),
        variables=_filled_in(message.variables, personal),
        mime=None if message.mime is None else filled_in_mime(message.mime, personal, decoded_words),
    )


def _filled_in(value: Any, personal: Callable[[str], str]) -> Any:
    """Return JSON with the recipient variables filled into each text."""
    if isinstance(value, str):
        return personal(value)
    if isinstance(value, dict):
        return {key: _filled_in(item, personal) for key, item in value.items()}
    return [_filled_in(item, personal) for item in value] if isinstance(value, list) else value


def _personal(match: re.Match[str], person: Address, values: Mapping[str, Any]) -> str:
    name, address = person
    if match[1]:
        value = values.get(match[1], match[0])
        return value if isinstance(value, str) else json.dumps(value)
    first, _, last = name.partition(" ")
    texts = {"email": address, "name": name, "fname": first, "lname": last, None: _address_text(person)}
    return texts[match[2]]


def _address_text(person: Address) -> str:
    name, address = person
    if not name:
        return address
    return f'"{quote(name)}" <{address}>' if SPECIAL.search(name) else f"{name} <{address}>"
