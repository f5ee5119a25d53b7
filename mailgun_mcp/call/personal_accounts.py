"""People's own Mailgun accounts. Each one uses a key that a person stored, and only for that person's calls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from mailgun_mcp.errors import MailgunError
from mailgun_mcp.identity.personal_keys import PersonalKey, PersonalKeys
from mailgun_mcp.mailgun.client import Client, Watch
from mailgun_mcp.output import logs
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.store.sealing import SealKeys
from mailgun_mcp.text.api_keys import has_key_characters

if TYPE_CHECKING:
    from mailgun_mcp.audit.log import AuditLog
    from mailgun_mcp.call.server_account import ServerAccount
    from mailgun_mcp.catalogue.operation import Operation
    from mailgun_mcp.identity.principal import Principal
    from mailgun_mcp.store.database import Store

PAGE = "/personal-key"
"""Path of the page where people store their keys."""
MOST_CLIENTS = 200
"""Most connections to people's accounts that stay open for the next call."""
IDLE = 900.0
"""How long a connection stays open after its last use, in seconds: longer than a call takes."""
MOST_CHECKS = 10
"""Most keys that one person may check in ten minutes, so that the page cannot be used to guess keys."""
CHECKED_WITHIN = 600.0
LONGEST = 200
"""Longest key, in characters."""
Connect = Callable[[str, str], Client]
"""Makes the client for a key and a region."""


@dataclass(frozen=True, slots=True)
class PersonalKeyOptions:
    """How people can store their own keys on a server."""

    encryption: SealKeys
    connect: Connect
    regions: tuple[str, ...]
    """The regions to choose from."""
    public_url: str | None = None


class KeyRefused(Exception):
    """The key was not stored. The message tells the person why."""


class OwnAccount(Protocol):
    """What all calls in a person's own account share: `call.services.Services`."""

    @property
    def account(self) -> "ServerAccount": ...
    @property
    def client(self) -> Client: ...


Account = TypeVar("Account", bound=OwnAccount)


@dataclass(frozen=True, slots=True)
class Server(Generic[Account]):
    """The parts of the server that are needed here."""

    store: "Store"
    clock: Callable[[], float]
    list_domains: "Operation"
    """The read that checks a key."""
    audit_log: "Callable[[], AuditLog]"
    open: Callable[[str, Client], Account]
    """Returns the shared services of a principal's calls that use this client."""


@dataclass
class _Open(Generic[Account]):
    version: bytes
    services: Account
    used: float


class PersonalAccounts(Generic[Account]):
    """The accounts of the people who use one server."""

    def __init__(self, server: Server[Account], options: PersonalKeyOptions) -> None:
        self._server = server
        self._keys = PersonalKeys(server.store, options.encryption)
        self._connect = options.connect
        self.regions = options.regions
        self.page = f"{(options.public_url or '').rstrip('/')}{PAGE}"
        """URL of the page; only its path if the server does not know its own URL."""
        self._open: dict[str, _Open[Account]] = {}
        self._replaced: list[_Open[Account]] = []
        self._checks: dict[str, list[float]] = {}
        self.watches: list[Callable[[Client], Watch]] = []
        """Each creates the watch of a new client: see `mailgun.client`."""

    async def services_of(self, principal: "Principal") -> Account | None:
        """Return the services of the principal's own account, or None if they have stored no key.

        The state is read each time, so that a key removed or replaced on another server is no longer used.
        Raises StateError.
        """
        if not principal.authenticated:
            return None
        version = await in_thread(self._keys.version, principal.id)
        opened = self._open.get(principal.id)
        if opened is not None and opened.version != version:
            # Other calls may still be using the connection.
            self._replaced.append(self._open.pop(principal.id))
            opened = None
        if version is None:
            return None
        if opened is None:
            stored = await in_thread(self._keys.find, principal.id)
            if stored is None:
                return None
            opened = _Open(version, self._services(stored), 0.0)
            self._open[principal.id] = opened
        opened.used = self._server.clock()
        await self._close_unused()
        own = await opened.services.account.current(changes=False)
        return opened.services if principal.access.reaches(own.name) else None

    async def account_of(self, principal: "Principal") -> str | None:
        """Return the name of the principal's own account, or None if they have none that they may use."""
        own = await self.services_of(principal)
        return None if own is None else (await own.account.current(changes=False)).name

    async def stored(self, principal: str) -> PersonalKey | None:
        """Return the principal's key, or None. Raises StateError."""
        return await in_thread(self._keys.find, principal)

    async def store(self, principal: "Principal", region: str, text: str) -> str:
        """Check the key against Mailgun, store it for the principal, and return the name of its account.

        Raises KeyRefused, StateError.
        """
        if not principal.authenticated:
            raise KeyRefused("You have not proved who you are.")
        if region not in self.regions:
            raise KeyRefused(f"Choose the region: {' or '.join(self.regions)}.")
        key = PersonalKey(principal.id, region, self._server.clock(), _checked(text))
        self._count_check(principal.id)
        logs.withhold(key.key)
        await self._try(key)
        services = self._services(key)
        account = await services.account.current(changes=True)
        await in_thread(
            self._record, "personal-key store", principal.id, account.name, region, lambda: self._keys.put(key)
        )
        return account.name

    async def remove(self, principal: str) -> bool:
        """Delete the principal's key permanently, and return whether there was one. Raises StateError."""
        removed = False

        def remove() -> None:
            nonlocal removed
            removed = self._keys.remove(principal)

        await in_thread(self._record, "personal-key remove", principal, "", "", remove)
        return removed

    async def aclose(self) -> None:
        """Close the connections."""
        opened = [*self._open.values(), *self._replaced]
        self._open, self._replaced = {}, []
        for each in opened:
            await each.services.client.aclose()

    def _services(self, key: PersonalKey) -> Account:
        logs.withhold(key.key)
        client = self._connect(key.key, key.region)
        client.watches = [watch_of(client) for watch_of in self.watches]
        return self._server.open(key.principal, client)

    async def _try(self, key: PersonalKey) -> None:
        """Raise KeyRefused unless Mailgun accepts the key."""
        async with self._connect(key.key, key.region) as client:
            try:
                await client.send(build(self._server.list_domains, {"limit": 1}, Files()), repeatable=True)
            except MailgunError as error:
                raise KeyRefused(_why_not(error, key.region)) from error

    def _count_check(self, principal: str) -> None:
        now = self._server.clock()
        recent = [at for at in self._checks.get(principal, []) if at > now - CHECKED_WITHIN]
        if len(recent) >= MOST_CHECKS:
            raise KeyRefused("You have tried too many keys. Wait ten minutes.")
        self._checks = {name: times for name, times in self._checks.items() if times[-1] > now - CHECKED_WITHIN}
        self._checks[principal] = [*recent, now]

    async def _close_unused(self) -> None:
        before = self._server.clock() - IDLE
        if len(self._open) > MOST_CLIENTS:
            for name in [name for name, opened in self._open.items() if opened.used < before]:
                self._replaced.append(self._open.pop(name))
        for opened in [opened for opened in self._replaced if opened.used < before]:
            self._replaced.remove(opened)
            await opened.services.client.aclose()

    def _record(self, action: str, by: str, account: str, region: str, change: Callable[[], None]) -> None:
        from mailgun_mcp.audit.actions import recorded_action

        log = self._server.audit_log()
        details = {name: value for name, value in (("account", account), ("region", region)) if value}
        with recorded_action(log, action, by=by, client="web page", details=details, clock=self._server.clock):
            change()


def _checked(text: str) -> str:
    key = text.strip()
    if not key:
        raise KeyRefused("Enter the API key.")
    if len(key) > LONGEST or not has_key_characters(key):
        raise KeyRefused("This is not an API key: it is too long, or has a character that API keys do not contain.")
    if key.startswith("pubkey-"):
        raise KeyRefused("This is a public validation key, which the API refuses. Use a private API key.")
    return key


def _why_not(error: MailgunError, region: str) -> str:
    status = getattr(error, "status", None)
    if status == 401:
        return (
            f"Mailgun does not accept this key in the region {region}. It was not stored. Check the key and the region."
        )
    if status == 403:
        return "The key may not list domains, so it was not stored. Use an API key of the account, not the key of a domain."
    return "This key could not be checked with Mailgun, so it was not stored. Try again."
