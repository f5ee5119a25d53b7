"""Routes, and the record of inbound mail."""

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from mailgun_mcp.simulator.model.json_forms import JsonForm

INBOUND_LIMIT = 10_000
"""Maximum number of inbound mails to keep."""


@dataclass(slots=True)
class Route:
    """A rule for inbound mail: when its expression matches, its actions are performed."""

    id: str
    serial: int
    expression: str
    created_at: float
    actions: list[str] = field(default_factory=list)
    priority: int = 0
    description: str = ""

    @property
    def order(self) -> tuple[int, int]:
        """The sort key for the order in which routes are tried."""
        return self.priority, self.serial


@dataclass(slots=True)
class InboundMail:
    """An inbound mail for one recipient, and what was done with it."""

    at: float
    recipient: str
    sender: str
    subject: str
    domain: str = ""
    routes: list[str] = field(default_factory=list)
    """Ids of the routes that matched."""
    actions: list[str] = field(default_factory=list)
    """The actions performed, with captured groups filled in."""
    mailing_list: str = ""
    """The mailing list that forwarded it."""
    storage_key: str = ""
    """The key of the copy that a route stored."""
    refused: str = ""
    """The SMTP reply to the sender's server when the mail was refused."""


@dataclass(slots=True)
class Routes:
    """An account's routes, and its latest inbound mail."""

    by_id: dict[str, Route] = field(default_factory=dict)
    received: Annotated[deque[InboundMail], JsonForm(partial(deque, maxlen=INBOUND_LIMIT))] = field(
        default_factory=lambda: deque(maxlen=INBOUND_LIMIT)
    )

    def in_order(self) -> list[Route]:
        """Return the routes in the order in which they are tried."""
        return sorted(self.by_id.values(), key=lambda route: route.order)
