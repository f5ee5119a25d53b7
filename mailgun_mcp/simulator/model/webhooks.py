"""Webhooks, and the outbox of what is to be posted to someone's URL."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from mailgun_mcp.simulator.model.messages import StoredMessage

EVENT_TYPES = (
    "accepted",
    "delivered",
    "opened",
    "clicked",
    "unsubscribed",
    "complained",
    "temporary_fail",
    "permanent_fail",
)
MOST_URLS = 3
"""URLs of one event type, of a domain as of the account."""
OUTBOX_LIMIT = 10_000
"""Postings that are remembered."""


@dataclass(slots=True)
class AccountWebhook:
    """A URL that is called for events of all domains."""

    id: str
    url: str
    event_types: list[str]
    created_at: float
    description: str = ""


@dataclass(frozen=True, slots=True)
class WebhookSignature:
    """What proves to a receiver that a posting is Mailgun's."""

    timestamp: str
    token: str
    signature: str


@dataclass(frozen=True, slots=True)
class PostedFile:
    """A file that goes with a posting."""

    name: str
    filename: str
    content_type: str
    data: bytes


@dataclass(slots=True)
class Posting:
    """A POST to someone's URL: an event for a webhook, or mail that a route forwards or announces."""

    id: str
    kind: Literal["webhook", "forward", "store"]
    url: str
    domain: str
    event: str
    """The webhook's event type; nothing for a route's."""
    created_at: float
    signature: WebhookSignature
    data: dict[str, Any]
    """The event, or the fields of the form."""
    due_at: float | None
    """When it is posted next; None once it is over, or on its way."""
    files: tuple[PostedFile, ...] = ()
    retried: bool = True
    attempts: list[tuple[float, int]] = field(default_factory=list)
    """When it was posted, and the status of the answer; 0 is none."""
    outcome: Literal["", "taken", "refused", "given up"] = ""
    message: StoredMessage | None = None
    """The mail that a route forwards: taken, it is delivered."""


@dataclass(slots=True)
class Webhooks:
    """The account's webhooks, and its outbox. A domain keeps its own URLs."""

    by_id: dict[str, AccountWebhook] = field(default_factory=dict)
    outbox: deque[Posting] = field(default_factory=lambda: deque(maxlen=OUTBOX_LIMIT))
