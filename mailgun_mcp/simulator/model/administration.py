"""What belongs to an account and to a domain beside their mail, section by section."""

from dataclasses import dataclass, field
from time import gmtime
from typing import TYPE_CHECKING, Literal

from mailgun_mcp.simulator.model.access import Access, SmtpCredential
from mailgun_mcp.simulator.model.ips import Ips, Sending
from mailgun_mcp.simulator.model.signing import Certificate, Signing, Tracking
from mailgun_mcp.simulator.model.thresholds import Thresholds

if TYPE_CHECKING:
    from mailgun_mcp.simulator.model.account import Account

SubaccountStatus = Literal["open", "disabled", "closed"]
Month = tuple[int, int]


@dataclass(slots=True)
class SendingLimit:
    """A limit on the messages of a calendar month, and what was sent."""

    limit: int | None = None
    stopped_in: Month | None = None
    """The month in which the account was disabled for reaching it."""
    sent: dict[Month, int] = field(default_factory=dict)

    def count(self, at: float) -> None:
        self.sent[month(at)] = self.sent.get(month(at), 0) + 1

    def current(self, now: float) -> int:
        return self.sent.get(month(now), 0)

    def stops(self, now: float) -> bool:
        """Say whether the account is disabled now; what reaches the limit disables it until the month is over."""
        if self.limit is not None and self.current(now) >= self.limit:
            self.stopped_in = month(now)
        return self.stopped_in == month(now)


def month(at: float) -> Month:
    """Return year and month of a moment."""
    return gmtime(at)[:2]


@dataclass(slots=True)
class Subaccount:
    """An account below another, with its own state."""

    id: str
    name: str
    account: "Account"
    created_at: float
    updated_at: float
    status: SubaccountStatus = "open"
    reason: str = ""
    note: str = ""


@dataclass(slots=True)
class Administration:
    """What an account holds beside its domains."""

    access: Access = field(default_factory=Access)
    ips: Ips = field(default_factory=Ips)
    thresholds: Thresholds = field(default_factory=Thresholds)
    sending_limit: SendingLimit = field(default_factory=SendingLimit)
    subaccounts: dict[str, Subaccount] = field(default_factory=dict)
    child_limit: int = 10
    """Subaccounts that may be open at one time."""
    parent: "Account | None" = None
    features: dict[str, bool] = field(default_factory=dict)


@dataclass(slots=True)
class DomainAdministration:
    """What a domain holds beside its mail and suppressions."""

    sending: Sending = field(default_factory=Sending)
    signing: Signing = field(default_factory=Signing)
    tracking: Tracking = field(default_factory=Tracking)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    """By tracking host."""
    credentials: dict[str, SmtpCredential] = field(default_factory=dict)
    """By login, the system's own not among them."""
    postmaster_password: str = ""
