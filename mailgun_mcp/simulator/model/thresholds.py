"""Thresholds on the account's metrics, and when they were crossed."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from mailgun_mcp.simulator.model.json_forms import PAIRS


@dataclass(slots=True)
class Threshold:
    """A rule such as `hard_bounce_rate > .05 by domain`."""

    id: str
    name: str
    created_at: float
    updated_at: float
    metric: str
    comparator: str
    limit: str
    dimension: str
    period: str = "1h"
    description: str = ""
    channels: list[str] = field(default_factory=list)
    filters: list[dict[str, Any]] = field(default_factory=list)
    last_checked: float | None = None


@dataclass(slots=True)
class ThresholdHit:
    """A crossed threshold, for one value of its dimension."""

    id: str
    threshold: str
    """Id of the threshold."""
    value: str
    created_at: float
    updated_at: float
    latest: float
    triggered: bool = True


@dataclass(slots=True)
class Thresholds:
    """The alerts and limits of one account, by name."""

    alerts: dict[str, Threshold] = field(default_factory=dict)
    limits: dict[str, Threshold] = field(default_factory=dict)
    hits: Annotated[dict[tuple[str, str], ThresholdHit], PAIRS] = field(default_factory=dict)
    """(Id of the threshold, value of its dimension) -> hit."""
