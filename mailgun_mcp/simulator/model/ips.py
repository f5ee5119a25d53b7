"""The IPs that mail is sent from: dedicated IPs, pools of them, and their warm-up."""

from dataclasses import dataclass, field

from mailgun_mcp.simulator.model.clock import DAY
from mailgun_mcp.simulator.model.provider_blocks import ProviderBlock

SHARED_IP = "192.0.2.10"
NEVER = "0001-01-01T00:00:00Z"
"""Mailgun's value for a date that is not set."""
GOOD, POOR, NEW = "dynamic_good", "dynamic_poor", "dynamic_new"
STAGES = (1_000, 2_000, 4_000, 8_000, 14_000, 20_000, 30_000, 45_000, 65_000, 90_000, 120_000, 160_000, 200_000, 250_000, 300_000)  # fmt: skip
"""Messages per day that a warming IP sends, by stage. A stage lasts one day."""


@dataclass(slots=True)
class Warmup:
    """A plan that raises the volume of a new IP day by day."""

    started_at: float

    def stage(self, now: float) -> int:
        """Return the stage, counted from 0. `len(STAGES)` means that the warm-up is complete."""
        return max(0, int((now - self.started_at) // DAY))

    def running(self, now: float) -> bool:
        return self.stage(now) < len(STAGES)


@dataclass(slots=True)
class Ip:
    """An IP that the account sends from."""

    address: str
    dedicated: bool = True
    enabled: bool = True
    band: str = ""
    warmup: Warmup | None = None

    def warming(self, now: float) -> bool:
        return self.warmup is not None and self.warmup.running(now)


@dataclass(slots=True)
class Pool:
    """A dedicated IP pool."""

    id: str
    name: str
    description: str = ""
    ips: list[str] = field(default_factory=list)
    delegated_to: set[str] = field(default_factory=set)
    """Ids of the subaccounts that may use the pool."""
    inherited: bool = False


@dataclass(slots=True)
class PoolMove:
    """A domain's move from one dynamic pool to another."""

    id: str
    at: float
    domain_id: str
    domain: str
    moved_from: str
    moved_to: str
    reason: str
    initiated_by: str
    bounce_rate: float
    complaint_rate: float
    processed: int


@dataclass(slots=True)
class Ips:
    """The IPs of one account."""

    ips: dict[str, Ip] = field(default_factory=lambda: {SHARED_IP: Ip(SHARED_IP, dedicated=False)})
    allowed: int = 2
    """Number of dedicated IPs that the account can still order."""
    pools: dict[str, Pool] = field(default_factory=dict)
    dynamic: dict[str, list[str]] = field(default_factory=dict)
    """Dynamic pool -> IPs. Empty when the account has no dynamic pools."""
    history: list[PoolMove] = field(default_factory=list)
    blocks: list[ProviderBlock] = field(default_factory=list)
    """Providers that refuse mail from an IP, regardless of the sending domain."""


@dataclass(slots=True)
class Sending:
    """The IPs that a domain sends from. `ips` is always current, because a linked pool updates it."""

    ips: list[str] = field(default_factory=list)
    pool_id: str | None = None
    dynamic_pool: str | None = None
    override: bool = False
    registered_at: float = 0.0
