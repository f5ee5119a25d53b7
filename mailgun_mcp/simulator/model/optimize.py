"""Resources that Mailgun's SDKs use but the catalogue lacks: exports, and the alerts of Mailgun Optimize."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Export:
    """An export of the response of an API URL."""

    id: str
    url: str
    created_at: float


@dataclass(slots=True)
class AlertSetting:
    """A subscription to an event of Mailgun Optimize, with the channel to notify."""

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
    """The key that signs the webhooks of alerts; None means the initial key. The webhooks of mail use another key."""
