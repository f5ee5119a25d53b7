"""Routes, and what became of the mail that came in."""

from collections import deque
from dataclasses import dataclass, field

INBOUND_LIMIT = 10_000
"""Inbound mails that are remembered."""


@dataclass(slots=True)
class Route:
    """A rule for inbound mail: when its expression holds, its actions are done."""

    id: str
    serial: int
    expression: str
    created_at: float
    actions: list[str] = field(default_factory=list)
    priority: int = 0
    description: str = ""

    @property
    def turn(self) -> tuple[int, int]:
        """Where it stands among the account's routes."""
        return self.priority, self.serial


@dataclass(slots=True)
class InboundMail:
    """A mail that came in for one recipient, and what was done with it."""

    at: float
    recipient: str
    sender: str
    subject: str
    domain: str = ""
    routes: list[str] = field(default_factory=list)
    """Ids of the routes that it took."""
    actions: list[str] = field(default_factory=list)
    """What they did, with captures filled in."""
    mailing_list: str = ""
    """The list that passed it on."""
    storage_key: str = ""
    """Of the copy that a route stored."""
    refused: str = ""
    """What the sender's server was told, when nobody wanted it."""


@dataclass(slots=True)
class Routes:
    """An account's routes, and its latest inbound mail."""

    by_id: dict[str, Route] = field(default_factory=dict)
    received: deque[InboundMail] = field(default_factory=lambda: deque(maxlen=INBOUND_LIMIT))

    def in_turn(self) -> list[Route]:
        """Return the routes in the order in which they are tried."""
        return sorted(self.by_id.values(), key=lambda route: route.turn)
