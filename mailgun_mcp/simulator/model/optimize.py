"""Resources that Mailgun's SDKs use but the catalogue lacks: exports, alerts and bulk validations."""

from dataclasses import dataclass, field
from typing import Any

from mailgun_mcp.simulator.model.lists import ListValidation


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
    """The exports, alerts and bulk validations of an account, by id."""

    exports: dict[str, Export] = field(default_factory=dict)
    alerts: dict[str, AlertSetting] = field(default_factory=dict)
    validations: dict[str, ListValidation] = field(default_factory=dict)
    previews: dict[str, ListValidation] = field(default_factory=dict)
    """Validations that show only their summary."""
    signing_key: str | None = None
    """The key that signs the webhooks of alerts; None means the initial key. The webhooks of mail use another key."""
