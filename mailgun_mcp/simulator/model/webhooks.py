"""Webhooks, and the outbox of requests to customers' URLs."""

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal

from mailgun_mcp.simulator.model.json_forms import BASE64, JsonForm
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
"""Maximum number of URLs for one event type, in a domain and in the account."""
OUTBOX_LIMIT = 10_000
"""Maximum number of postings to keep in the outbox."""


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
    """Proves to the receiver that a posting comes from Mailgun."""

    timestamp: str
    token: str
    signature: str


@dataclass(frozen=True, slots=True)
class PostedFile:
    """A file in a posting."""

    name: str
    filename: str
    content_type: str
    data: Annotated[bytes, BASE64]


@dataclass(slots=True)
class Posting:
    """A POST to someone's URL: an event for a webhook, or mail that a route forwards or announces."""

    id: str
    kind: Literal["webhook", "forward", "store"]
    url: str
    domain: str
    event: str
    """The webhook's event type; empty for a route's posting."""
    created_at: float
    signature: WebhookSignature
    data: dict[str, Any]
    """The event, or the fields of the form."""
    due_at: float | None
    """When it is posted next; None when it is finished or being posted."""
    files: tuple[PostedFile, ...] = ()
    retried: bool = True
    attempts: list[tuple[float, int]] = field(default_factory=list)
    """When it was posted, and the HTTP status of the response; 0 means no response."""
    outcome: Literal["", "taken", "refused", "given up"] = ""
    message: StoredMessage | None = None
    """The mail that a route forwards. It counts as delivered once the URL accepts the posting."""


@dataclass(slots=True)
class Webhooks:
    """The account's webhooks, and its outbox. A domain has its own URLs."""

    by_id: dict[str, AccountWebhook] = field(default_factory=dict)
    outbox: Annotated[deque[Posting], JsonForm(partial(deque, maxlen=OUTBOX_LIMIT))] = field(
        default_factory=lambda: deque(maxlen=OUTBOX_LIMIT)
    )
