"""What an account holds. Plain records; who changes them are the handlers in `behaviour`."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import takewhile
from typing import Any, Literal

from mailgun_mcp.simulator.model.administration import Administration, DomainAdministration
from mailgun_mcp.simulator.model.analytics import Analytics
from mailgun_mcp.simulator.model.clock import DAY, Clock
from mailgun_mcp.simulator.model.event_log import Event as Event
from mailgun_mcp.simulator.model.event_log import EventLog
from mailgun_mcp.simulator.model.lists import MailingList
from mailgun_mcp.simulator.model.routes import Routes
from mailgun_mcp.simulator.model.webhooks import Webhooks

RETENTION = 3 * DAY
"""Seconds that a stored message can be read, when its domain sets no `message_ttl`."""

STORAGE = "https://storage-us-east4.api.mailgun.net"

DomainState = Literal["active", "unverified", "disabled"]


@dataclass(slots=True)
class Attachment:
    """A file in a message."""

    filename: str
    content_type: str
    data: bytes


@dataclass(slots=True)
class Message:
    """A stored copy of a message. A batch makes one for each recipient, all of one id."""

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
    attachments: list[Attachment] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    template: str | None = None
    template_version: str | None = None
    test_mode: bool = False
    deliver_at: float | None = None
    sending_ip: str = ""
    """The IP that it was asked to leave from; empty leaves it to the domain."""
    fault: str = ""
    """Why it cannot be delivered to anyone, such as a template that is not there."""
    mime: bytes | None = None
    """The message as it was handed in, when it came as MIME."""
    mailing_list: dict[str, str] | None = None
    """The list that passed it on, as events show it."""
    routed: bool = False
    """Whether it came in from outside, and a route took it."""

    @property
    def subject(self) -> str:
        return self.headers.get("Subject", "")

    @property
    def size(self) -> int:
        """About as many bytes as the MIME form has."""
        if self.mime is not None:
            return len(self.mime)
        parts = sum(len(attachment.data) for attachment in self.attachments)
        return 400 + len(self.subject) + len(self.text) + len(self.html) + parts


@dataclass(slots=True)
class Bounce:
    """An address that mail bounced from."""

    address: str
    created_at: float
    code: str = "550"
    error: str = ""


@dataclass(slots=True)
class Complaint:
    """An address whose owner called a mail spam."""

    address: str
    created_at: float
    count: int = 1


@dataclass(slots=True)
class Unsubscribe:
    """An address that wants no mail, or none with some tags (`*` is every tag)."""

    address: str
    created_at: float
    id: str
    tags: list[str] = field(default_factory=lambda: ["*"])


@dataclass(slots=True)
class AllowlistEntry:
    """An address or domain that never gets onto the bounce list."""

    value: str
    created_at: float
    type: Literal["address", "domain"] = "address"
    reason: str = ""


@dataclass(slots=True)
class TemplateVersion:
    """One content of a template."""

    id: str
    tag: str
    template: str
    created_at: float
    active: bool = False
    comment: str = ""
    engine: str = "handlebars"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Template:
    """A stored mail body."""

    id: str
    name: str
    created_at: float
    description: str = ""
    created_by: str = ""
    versions: dict[str, TemplateVersion] = field(default_factory=dict)

    @property
    def active(self) -> TemplateVersion | None:
        """The version that is sent when none is named."""
        return next((version for version in self.versions.values() if version.active), None)


@dataclass(frozen=True, slots=True)
class Block:
    """An incident: servers that block a domain's mail."""

    hosts: list[str]
    """Domains of the recipients."""
    code: int
    text: str
    sending_ip: str = ""
    """Only mail from this IP; nothing is any."""
    unsigned: bool = False
    """Only while the DNS lacks the DKIM record."""


@dataclass(slots=True)
class Domain:
    """A sending domain with all that belongs to it. Addresses are kept in lower case."""

    id: str
    name: str
    created_at: float
    state: DomainState = "unverified"
    type: Literal["custom", "sandbox"] = "custom"
    settings: dict[str, Any] = field(default_factory=dict)
    """What create and update set: spam_action, wildcard, web_prefix, …"""
    messages: dict[str, Message] = field(default_factory=dict)
    scheduled: list[Message] = field(default_factory=list)
    events: EventLog = field(default_factory=EventLog)
    bounces: dict[str, Bounce] = field(default_factory=dict)
    complaints: dict[str, Complaint] = field(default_factory=dict)
    unsubscribes: dict[str, Unsubscribe] = field(default_factory=dict)
    allowlist: dict[str, AllowlistEntry] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    administration: DomainAdministration = field(default_factory=DomainAdministration)
    webhooks: dict[str, list[str]] = field(default_factory=dict)
    """Event type -> the URLs that are called."""
    absent_records: set[str] = field(default_factory=set)
    """Which of its records the DNS lacks: `spf`, `dkim`, `tracking`, `mx`. Verifying looks at them."""
    blocks: list[Block] = field(default_factory=list)

    @property
    def retention(self) -> float:
        """Seconds that its stored messages can be read."""
        return float(self.settings.get("message_ttl") or RETENTION)

    def forget_expired(self, now: float) -> None:
        """Drop the stored messages that can no longer be read, as far as they were stored in order."""
        expired = list(takewhile(lambda key: self.messages[key].at + self.retention < now, self.messages))
        for key in expired:
            del self.messages[key]


@dataclass(slots=True)
class Account:
    """A Mailgun account. Ids are drawn from a counter: the same calls give the same ids."""

    clock: Clock
    id: str = "5f3b1e9a7c2d4f6081a3b5c7"
    domains: dict[str, Domain] = field(default_factory=dict)
    authorized_recipients: set[str] = field(default_factory=set)
    """Who a sandbox domain may write to."""
    serial: int = 0
    administration: Administration = field(default_factory=Administration)
    analytics: Analytics = field(default_factory=Analytics)
    routes: Routes = field(default_factory=Routes)
    lists: dict[str, MailingList] = field(default_factory=dict)
    """By address."""
    webhooks: Webhooks = field(default_factory=Webhooks)
    storage_url: str = STORAGE
    """What the URLs of stored messages start with."""
    seed_results: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Where the mails of a seed test landed, by the result's id."""
    preview_results: dict[str, dict[str, Any]] = field(default_factory=dict)
    """How a mail looks in each client, by the test's id."""
    other_region: "Account | None" = None
    """What it has in the region that is not the simulator's own; see `regions`."""

    def next_serial(self) -> int:
        self.serial += 1
        return self.serial

    def hex_id(self, length: int = 24) -> str:
        """Return a new id in hex."""
        return sha256(b"id %d" % self.next_serial()).hexdigest()[:length]

    def uuid(self) -> str:
        """Return a new id in the form of a UUID."""
        text = self.hex_id(32)
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def opaque_id(self, size: int = 16) -> str:
        """Return a new id of URL-safe characters."""
        return urlsafe_b64encode(sha256(b"opaque %d" % self.next_serial()).digest()[:size]).rstrip(b"=").decode()
