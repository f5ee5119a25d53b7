"""Which account has which domain. The lists are read from Mailgun, and read again if they may have changed."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.confirm.caller import quiet
from mailgun_mcp.errors import MailgunError, UnreadableError
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.exchange import Notify
from mailgun_mcp.output.logs import logger
from mailgun_mcp.text.host_names import canonical_host
from mailgun_mcp.undo.page_reader import PageReader

FRESH = 300.0
"""How long a list of domains is used without reading it again, in seconds."""
ReadDomains = Callable[[], Awaitable[list[str]]]
AGAIN = 10.0
"""How old a list must be, in seconds, to be read again for a domain that is not in it: it may just have been added."""


async def read_domains(
    catalogue: Catalogue, client: Client, subaccount: str | None, notify: Notify = quiet
) -> list[Record]:
    """Return the domains of an account; each has a name. Raises MailgunError."""
    reader = PageReader(client, subaccount, notify)
    domains = [domain async for domain in reader.items(catalogue.find("list_domains"))]
    if not all(isinstance(domain.get("name"), str) for domain in domains):
        raise UnreadableError("A domain in the account's list has no name", "Try again.")
    return domains


async def domain_names(
    catalogue: Catalogue, client: Client, subaccount: str | None, notify: Notify = quiet
) -> list[str]:
    """Return the names of the domains of an account. Raises MailgunError."""
    return [str(domain["name"]) for domain in await read_domains(catalogue, client, subaccount, notify)]


def comparable(domains: Iterable[str]) -> frozenset[str]:
    """Return the domains in the form in which they are compared."""
    return frozenset(canonical_host(name) or name.lower() for name in domains)


@dataclass(slots=True)
class _List:
    """The domains of one account when they were last read."""

    names: frozenset[str] = field(default_factory=frozenset)
    read_at: float | None = None

    def age(self, now: float) -> float:
        return float("inf") if self.read_at is None else now - self.read_at


class DomainDirectory:
    """The domains of several accounts. For a caller, only the accounts that they may use are read and searched."""

    def __init__(self, read: Mapping[str, ReadDomains], clock: Callable[[], float] = time.monotonic) -> None:
        """`read` has, for each account, a function that reads the names of its domains."""
        self._read = read
        self._clock = clock
        self._lists = {name: _List() for name in read}

    async def accounts_with(self, domain: str, names: Sequence[str]) -> list[str]:
        """Return those of the accounts `names` that have the domain, and those whose domains cannot be read."""
        for limit in (FRESH, AGAIN):
            unread = [name for name in names if not await self._read_if_older(name, limit)]
            owners = [name for name in names if domain in self._lists[name].names]
            if owners:
                break
        return list(dict.fromkeys([*owners, *unread]))

    async def _read_if_older(self, name: str, limit: float) -> bool:
        """Read the domains of the account unless its list is younger than `limit`. Return whether it can be used."""
        if self._lists[name].age(self._clock()) <= limit:
            return True
        try:
            domains = await self._read[name]()
        except MailgunError as error:
            logger().warning("the domains of an account cannot be read", account=name, reason=str(error))
            return False
        self._lists[name] = _List(comparable(domains), self._clock())
        return True
