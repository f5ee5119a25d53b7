"""What the account has of products that its SDKs reach and the catalogue lacks: exports, and alerts of Optimize."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Export:
    """An export of what a URL of the API answers."""

    id: str
    url: str
    created_at: float


@dataclass(slots=True)
class AlertSetting:
    """An event of Optimize that somebody wants to hear of, and how."""

    id: str
    event_type: str
    channel: str
    settings: dict[str, Any]


@dataclass(slots=True)
class Optimize:
    """The exports and the alerts of an account, by id."""

    exports: dict[str, Export] = field(default_factory=dict)
    alerts: dict[str, AlertSetting] = field(default_factory=dict)
    signing_key: str | None = None
    """Signs the webhooks of alerts; None is the first one. Mail's webhooks have another key."""
