"""An account's monthly sending limit, and a domain's settings for sending, signing and tracking."""

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
    """A limit on the number of messages in a calendar month, and the number sent in each month."""

    limit: int | None = None
    stopped_in: Month | None = None
    """The month in which the account reached the limit and was disabled."""
    sent: Annotated[dict[Month, int], PAIRS] = field(default_factory=dict)

    def count(self, at: float) -> None:
        self.sent[month(at)] = self.sent.get(month(at), 0) + 1

    def current(self, now: float) -> int:
        return self.sent.get(month(now), 0)

    def stops(self, now: float) -> bool:
        """Return whether the account is disabled now. Reaching the limit disables it until the end of the month."""
        if self.limit is not None and self.current(now) >= self.limit:
            self.stopped_in = month(now)
        return self.stopped_in == month(now)


def month(at: float) -> Month:
    """Return the year and month of a time."""
    return gmtime(at)[:2]


@dataclass(slots=True)
class DomainAdministration:
    """A domain's settings and credentials. Its mail and suppressions are in `Domain`."""

    sending: Sending = field(default_factory=Sending)
    signing: Signing = field(default_factory=Signing)
    tracking: Tracking = field(default_factory=Tracking)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    """Tracking host -> certificate."""
    credentials: dict[str, SmtpCredential] = field(default_factory=dict)
    """Login -> credential, without the postmaster that every domain has."""
    postmaster_password: str = ""
