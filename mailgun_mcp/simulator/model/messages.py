"""Messages as the account stores them."""

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
    """Whether the HTML shows it, by `cid:` and its content id."""
    content_id: str = ""
    """Without the angle brackets."""


def find_header(headers: Mapping[str, str], name: str) -> str:
    """Return the value of a header, whose name has no case; empty when it is missing."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def with_headers(headers: Mapping[str, str], changes: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with `changes` instead of the headers of the same names, whose case does not matter."""
    changed = {name.lower() for name in changes}
    return {**{name: value for name, value in headers.items() if name.lower() not in changed}, **changes}


@dataclass(slots=True)
class StoredMessage:
    """A stored copy of a message. A batch makes one for each recipient, all of one id.

    It never changes once it is stored, so copies of an account share it.
    """

    key: str
    id: str
    """Without the angle brackets."""
    domain: str
    at: float
    sender: str
    """The bare address of the envelope."""
    recipients: list[str]
    headers: dict[str, str]
    """From, To, Subject, … as the recipient sees them."""
    text: str = ""
    html: str = ""
    amp: str = ""
    """The form for mail programs that show AMP."""
    attachments: list[Attachment] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    template: str | None = None
    template_version: str | None = None
    template_headers: list[str] = field(default_factory=list)
    """The headers that the template set, and not the request."""
    test_mode: bool = False
    deliver_at: float | None = None
    sending_ip: str = ""
    """The IP that it was asked to leave from; empty leaves it to the domain."""
    fault: str = ""
    """Why it cannot be delivered to anyone, such as a template that is not there."""
    mime: Annotated[bytes | None, BASE64] = None
    """The message as it was handed in, when it came as MIME."""
    mailing_list: dict[str, str] | None = None
    """The list that passed it on, as events show it."""
    untracked: set[str] = field(default_factory=set)
    """Which of `opened` and `clicked` Mailgun does not learn of, because the message is not tracked."""
    routed: bool = False
    """Whether it came in from outside, and a route took it."""
    smtp_login: str | None = None
    """The login that handed it in over SMTP; None if it came over HTTP."""
    api_key_id: str | None = None
    """The API key that handed it in; None for the key of the account itself."""
    repeated_headers: list[tuple[str, str]] = field(default_factory=list)
    """All headers in their order, if the message came as MIME with one of them more than once. `headers` has the last."""

    def __deepcopy__(self, _: object) -> "StoredMessage":
        return self

    @property
    def header_lines(self) -> list[tuple[str, str]]:
        """The headers in their order, also those that occur more than once."""
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
        """About as many bytes as the MIME form has."""
        if self.mime is not None:
            return len(self.mime)
        parts = sum(len(attachment.data) for attachment in self.attachments)
        return 400 + len(self.subject) + len(self.text) + len(self.html) + len(self.amp) + parts
