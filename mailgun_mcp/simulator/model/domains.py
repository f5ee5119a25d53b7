"""A sending domain and everything that belongs to it."""

from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Literal

from mailgun_mcp.simulator.model.administration import DomainAdministration
from mailgun_mcp.simulator.model.clock import DAY
from mailgun_mcp.simulator.model.event_log import EventLog
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.provider_blocks import ProviderBlock
from mailgun_mcp.simulator.model.stored_messages import StoredMessages
from mailgun_mcp.simulator.model.suppressions import AllowlistEntry, Bounce, Complaint, Unsubscribe
from mailgun_mcp.simulator.model.templates import Template

RETENTION = 3 * DAY
"""Seconds for which a stored message can be read if its domain sets no `message_ttl`."""

MAILBOX_FULL = (452, "4.2.2 The email account that you tried to reach is over quota")

DomainState = Literal["active", "unverified", "disabled"]


@dataclass(frozen=True, slots=True)
class Deferral:
    """A message that a recipient's server deferred, and the time of the next attempt."""

    message: StoredMessage
    recipient: str
    attempts: int
    """Number of delivery attempts so far."""
    retry_at: float
    refusal: tuple[int, str] = MAILBOX_FULL
    """The SMTP code and text of the recipient's server."""


@dataclass(slots=True)
class Domain:
    """A sending domain with its mail, suppressions and settings. Addresses are in lower case."""

    id: str
    name: str
    created_at: float
    state: DomainState = "unverified"
    type: Literal["custom", "sandbox"] = "custom"
    settings: dict[str, Any] = field(default_factory=dict)
    """The values set by create and update: spam_action, wildcard, web_prefix, …"""
    messages: StoredMessages = field(default_factory=StoredMessages)
    scheduled: list[StoredMessage] = field(default_factory=list)
    deferred: list[Deferral] = field(default_factory=list)
    events: EventLog = field(default_factory=EventLog)
    bounces: dict[str, Bounce] = field(default_factory=dict)
    complaints: dict[str, Complaint] = field(default_factory=dict)
    unsubscribes: dict[str, Unsubscribe] = field(default_factory=dict)
    allowlist: dict[str, AllowlistEntry] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    administration: DomainAdministration = field(default_factory=DomainAdministration)
    webhooks: dict[str, list[str]] = field(default_factory=dict)
    """Event type -> URLs to call."""
    absent_records: set[str] = field(default_factory=set)
    """The missing DNS records: any of `spf`, `dkim`, `tracking`, `mx`. Verification reads this."""
    dns_checked_at: float | None = None
    """When the DNS records were last looked up, if ever."""
    blocks: list[ProviderBlock] = field(default_factory=list)
    """The blocks of this domain. Blocks of an IP are stored with the account's IPs."""

    @property
    def retention(self) -> float:
        """Seconds for which stored messages can be read."""
        return float(self.settings.get("message_ttl") or RETENTION)

    def forget_expired(self, now: float) -> None:
        """Drop expired messages, oldest first, and stop at the first that can still be read."""
        expired = list(takewhile(lambda key: self.messages[key].at + self.retention < now, self.messages))
        for key in expired:
            del self.messages[key]
