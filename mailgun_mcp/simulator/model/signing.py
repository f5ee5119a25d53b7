"""A domain's signing and tracking: DKIM keys and their rotation, tracked actions, and tracking certificates."""

from dataclasses import dataclass, field
from typing import Literal

from mailgun_mcp.simulator.model.clock import DAY, MINUTE

GENERATION = MINUTE
"""Seconds until a requested certificate is issued."""
VALIDITY = 90 * DAY

HTML_FOOTER = '\n<br>\n<p><a href="%unsubscribe_url%">unsubscribe</a></p>\n'
TEXT_FOOTER = "\n\nTo unsubscribe click: <%unsubscribe_url%>\n\n"


@dataclass(slots=True)
class DomainKey:
    """A DKIM key. The private half is not stored."""

    selector: str
    public: str
    """The public key in base64, as in the DNS record."""
    created_at: float
    active: bool = False
    verified: bool = False
    """Whether the key's record was found in the DNS."""


@dataclass(slots=True)
class Rotation:
    """Automatic sender security: Mailgun keeps two keys behind CNAMEs and swaps them."""

    enabled: bool = False
    interval: str = ""
    seconds: float = 0.0
    since: float = 0.0
    """When the keys were last swapped by hand, or rotation was turned on."""
    swaps: int = 0
    """Number of swaps before `since`."""

    def active_selector(self, now: float) -> str:
        elapsed = int((now - self.since) // self.seconds) if self.enabled and self.seconds else 0
        return f"pdk{(self.swaps + elapsed) % 2 + 1}"


@dataclass(slots=True)
class Tracking:
    """Which actions of recipients are tracked in a domain's mail."""

    opens: bool = False
    opens_at_the_top: bool = False
    clicks: Literal["yes", "no", "htmlonly"] = "no"
    unsubscribes: bool = False
    html_footer: str = HTML_FOOTER
    text_footer: str = TEXT_FOOTER


@dataclass(slots=True)
class Certificate:
    """The TLS certificate of a tracking host, issued some time after it was requested."""

    host: str
    requested_at: float
    serial: int

    @property
    def valid_until(self) -> float:
        return self.requested_at + GENERATION + VALIDITY

    def status(self, now: float) -> Literal["processing", "active", "expired"]:
        if now < self.requested_at + GENERATION:
            return "processing"
        return "active" if now < self.valid_until else "expired"


@dataclass(slots=True)
class Signing:
    """The keys of one domain, by selector. `authority` is the domain whose key signs, if it is another domain."""

    keys: dict[str, DomainKey] = field(default_factory=dict)
    authority: str | None = None
    rotation: Rotation = field(default_factory=Rotation)
