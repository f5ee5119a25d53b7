"""An account: its domains, subaccounts and settings. These are plain records that `mail` and `sections` change."""

from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal, get_args

from mailgun_mcp.simulator.model.access import Access
from mailgun_mcp.simulator.model.administration import SendingLimit
from mailgun_mcp.simulator.model.analytics import Analytics
from mailgun_mcp.simulator.model.clock import Clock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import Ips
from mailgun_mcp.simulator.model.lists import MailingList
from mailgun_mcp.simulator.model.optimize import Optimize
from mailgun_mcp.simulator.model.routes import Routes
from mailgun_mcp.simulator.model.templates import Template
from mailgun_mcp.simulator.model.thresholds import Thresholds
from mailgun_mcp.simulator.model.webhooks import Webhooks

STORAGE = "https://storage-us-east4.api.mailgun.net"

SubaccountStatus = Literal["open", "disabled", "closed"]
ALL_STATUSES: frozenset[SubaccountStatus] = frozenset(get_args(SubaccountStatus))
NOT_CLOSED = ALL_STATUSES - {"closed"}
OPEN: frozenset[SubaccountStatus] = frozenset({"open"})


@dataclass(slots=True)
class Subaccount:
    """An account that belongs to another account and has its own status."""

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
    """An account's settings and resources other than its domains and their mail."""

    access: Access = field(default_factory=Access)
    ips: Ips = field(default_factory=Ips)
    thresholds: Thresholds = field(default_factory=Thresholds)
    sending_limit: SendingLimit = field(default_factory=SendingLimit)
    subaccounts: dict[str, Subaccount] = field(default_factory=dict)
    child_limit: int = 10
    """Maximum number of open subaccounts."""
    parent: "Account | None" = None
    features: dict[str, bool] = field(default_factory=dict)
    optimize: Optimize = field(default_factory=Optimize)


@dataclass(slots=True)
class Account:
    """A Mailgun account. Ids come from a counter, so the same calls give the same ids."""

    clock: Clock
    id: str = "5f3b1e9a7c2d4f6081a3b5c7"
    domains: dict[str, Domain] = field(default_factory=dict)
    authorized_recipients: set[str] = field(default_factory=set)
    """The recipients that a sandbox domain may send to."""
    serial: int = 0
    administration: Administration = field(default_factory=Administration)
    analytics: Analytics = field(default_factory=Analytics)
    routes: Routes = field(default_factory=Routes)
    lists: dict[str, MailingList] = field(default_factory=dict)
    """Address -> list."""
    webhooks: Webhooks = field(default_factory=Webhooks)
    templates: dict[str, Template] = field(default_factory=dict)
    """Name -> template, for the templates that every domain can use."""
    storage_url: str = STORAGE
    """The start of the URLs of stored messages."""
    seed_results: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Id of a seed test's result -> where its mails landed."""
    preview_results: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Id of a preview test -> how the mail looks in each client."""
    other_region: "Account | None" = None
    """The part of the account in the other region; see `http/regions`."""

    def with_subaccounts(
        self, statuses: Collection[SubaccountStatus] = ALL_STATUSES, *, all_regions: bool = False
    ) -> "Iterator[Account]":
        """Yield the account and its subaccounts with these statuses.

        With `all_regions`, also yield the part of each in the other region.
        """
        yield self
        if all_regions and self.other_region is not None:
            yield self.other_region
        # A copy, because the caller may close or add one meanwhile.
        for owner in [each.account for each in self.administration.subaccounts.values() if each.status in statuses]:
            yield owner
            if all_regions and owner.other_region is not None:
                yield owner.other_region

    def next_serial(self) -> int:
        self.serial += 1
        return self.serial

    def hex_id(self, length: int = 24) -> str:
        """Return a new id in hex."""
        return sha256(b"id %d" % self.next_serial()).hexdigest()[:length]

    def uuid(self) -> str:
        """Return a new id in the form of a UUID."""
        text = self.hex_id(32)
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def opaque_id(self, size: int = 16) -> str:
        """Return a new id of URL-safe characters."""
        return urlsafe_b64encode(sha256(b"opaque %d" % self.next_serial()).digest()[:size]).rstrip(b"=").decode()
