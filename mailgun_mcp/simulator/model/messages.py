"""Stored messages and their attachments."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from mailgun_mcp.simulator.model.json_forms import BASE64


@dataclass(slots=True)
class Attachment:
    """A file in a message."""

    filename: str
    content_type: str
    data: Annotated[bytes, BASE64]
    inline: bool = False
    """Whether the HTML shows the file through a `cid:` link."""
    content_id: str = ""
    """The Content-ID without its angle brackets."""

    @property
    def cid(self) -> str:
        """The Content-ID by which the HTML can show the file. An inline file without one has its name."""
        return self.content_id or (self.filename if self.inline else "")


def find_header(headers: Mapping[str, str], name: str) -> str:
    """Return the value of a header, or "" when it is missing. The name is case-insensitive."""
    lowered = name.lower()
    for key, value in headers.items():
        if key == name or key.lower() == lowered:
            return value
    return ""


def with_headers(headers: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with `changes` in place of those with the same names. Names are case-insensitive."""
    changed = {name.lower() for name in changes}
    return {**{name: value for name, value in headers.items() if name.lower() not in changed}, **changes}


@dataclass(slots=True)
class StoredMessage:
    """A stored copy of a message. A batch makes one for each recipient, all with the same id.

    It never changes once it is stored, so copies of an account share it.
    """

    key: str
    id: str
    """The Message-Id without its angle brackets."""
    domain: str
    at: float
    sender: str
    """The bare envelope sender."""
    recipients: list[str]
    headers: dict[str, str]
    """From, To, Subject, … as shown to the recipient."""
    text: str = ""
    html: str = ""
    amp: str = ""
    """The body for mail programs that support AMP."""
    attachments: list[Attachment] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    template: str | None = None
    template_version: str | None = None
    template_headers: list[str] = field(default_factory=list)
    """Names of the headers that were set by the template and not by the request."""
    test_mode: bool = False
    deliver_at: float | None = None
    sending_ip: str = ""
    """The IP that the request asked for; empty means one of the domain's."""
    fault: str = ""
    """Why the message cannot be delivered to anyone, such as a missing template."""
    mime: Annotated[bytes | None, BASE64] = None
    """The message as it was submitted, if it was MIME."""
    mailing_list: dict[str, str] | None = None
    """The mailing list that forwarded the message, as shown in events."""
    untracked: set[str] = field(default_factory=set)
    """Those of `opened` and `clicked` that are not tracked for this message."""
    routed: bool = False
    """Whether this is inbound mail that a route handled."""
    smtp_login: str | None = None
    """The login that submitted it over SMTP; None if it was submitted over HTTP."""
    api_key_id: str | None = None
    """Id of the API key that submitted it; None for the account's own key."""
    repeated_headers: list[tuple[str, str]] = field(default_factory=list)
    """All headers in order, if the message was MIME with a repeated header. `headers` has only the last of each."""

    def __deepcopy__(self, _: object) -> "StoredMessage":
        return self

    @property
    def header_lines(self) -> list[tuple[str, str]]:
        """The headers in order, including repeated ones."""
        lines: list[tuple[str, str]] = []
        rest = dict(self.headers)
        times = Counter(name.lower() for name, _ in self.repeated_headers)
        for name, value in self.repeated_headers:
            current = next((key for key in rest if key.lower() == name.lower()), None)
            if times[name.lower()] > 1:
                lines.append((name, value))
                rest.pop(current or "", None)
            elif current is not None:
                lines.append((current, rest.pop(current)))
        return [*lines, *rest.items()]

    @property
    def subject(self) -> str:
        return find_header(self.headers, "Subject")

    @property
    def size(self) -> int:
        """The approximate size of the MIME form in bytes."""
        if self.mime is not None:
            return len(self.mime)
        parts = sum(len(attachment.data) for attachment in self.attachments)
        return 400 + len(self.subject) + len(self.text) + len(self.html) + len(self.amp) + parts
