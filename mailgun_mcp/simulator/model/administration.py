"""An account's monthly sending limit, and the settings of how a domain sends, signs and tracks."""

from dataclasses import dataclass, field
from time import gmtime
from typing import Annotated

from mailgun_mcp.simulator.model.access import SmtpCredential
from mailgun_mcp.simulator.model.ips import Sending
from mailgun_mcp.simulator.model.json_forms import PAIRS
from mailgun_mcp.simulator.model.signing import Certificate, Signing, Tracking

Month = tuple[int, int]


@dataclass(slots=True)
class SendingLimit:
    """A limit on the messages of a calendar month, and how many were sent in each."""

    limit: int | None = None
    stopped_in: Month | None = None
    """The month in which the account was disabled for reaching it."""
    sent: Annotated[dict[Month, int], PAIRS] = field(default_factory=dict)

    def count(self, at: float) -> None:
        self.sent[month(at)] = self.sent.get(month(at), 0) + 1

    def current(self, now: float) -> int:
        return self.sent.get(month(now), 0)

    def stops(self, now: float) -> bool:
        """Say whether the account is disabled now. Reaching the limit disables it until the month is over."""
        if self.limit is not None and self.current(now) >= self.limit:
            self.stopped_in = month(now)
        return self.stopped_in == month(now)


def month(at: float) -> Month:
    """Return year and month of a moment."""
    return gmtime(at)[:2]


@dataclass(slots=True)
class DomainAdministration:
    """A domain's settings and credentials, as opposed to its mail and suppressions."""

    sending: Sending = field(default_factory=Sending)
    signing: Signing = field(default_factory=Signing)
    tracking: Tracking = field(default_factory=Tracking)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    """By tracking host."""
    credentials: dict[str, SmtpCredential] = field(default_factory=dict)
    """By login, without the system's own."""
    postmaster_password: str = ""
