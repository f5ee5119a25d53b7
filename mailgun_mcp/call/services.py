"""What all calls of one server share. Each part is created at its first use, so that little is loaded at the start."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mailgun_mcp.audit.call_record import CallRecord
from mailgun_mcp.audit.recorder import Recorder
from mailgun_mcp.call.history import History
from mailgun_mcp.call.pictures import Pictures
from mailgun_mcp.call.protection import Protection
from mailgun_mcp.call.results import Results
from mailgun_mcp.call.running_calls import RunningCalls
from mailgun_mcp.call.server_account import ServerAccount
from mailgun_mcp.catalogue.builtin_tools import listed, offered
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS
from mailgun_mcp.errors import StateError
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.exchange import Notify
from mailgun_mcp.policy.model import Policy
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.request.files import Files
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.sealing import SealKeys
from mailgun_mcp.undo.reader import ResourceReader

if TYPE_CHECKING:
    from mailgun_mcp.audit.log import AuditLog
    from mailgun_mcp.call.counters import Nonces
    from mailgun_mcp.call.domain_directory import DomainDirectory
    from mailgun_mcp.call.kept_results import KeptResults
    from mailgun_mcp.call.personal_accounts import PersonalAccounts, PersonalKeyOptions
    from mailgun_mcp.catalogue.search.index import SearchIndex
    from mailgun_mcp.confirm.approvals import Approvals
    from mailgun_mcp.confirm.grants import Grants
    from mailgun_mcp.undo.snapshots import Snapshots


Observer = Callable[[CallRecord, float], None]


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """One of several accounts of a server."""

    name: str
    client: Client
    subaccount: str | None = None
    principals: tuple[str, ...] | None = None
    """Globs of the principals who may use it; None for everybody whose token permits it."""


@dataclass(frozen=True)
class Services:
    """What every call of one server shares.

    A server with several accounts has these services once for itself, and once for each account: `of_accounts`.
    """

    catalogue: Catalogue
    """The tools that are offered."""
    client: Client
    state: Path
    """Directory of the state; it is created when something is first stored."""
    state_store: Store | None = None
    """The state store, if it is not in the directory."""
    seal_keys: SealKeys | None = None
    """The keys that all servers with the same state share; None for a single server."""
    policy: Policy = field(default_factory=lambda: profile("guarded"))
    files: Files = field(default_factory=Files)
    subaccount: str | None = None
    account_name: str | None = None
    """The operator's name for the account; None if they gave none."""
    simulator: bool = False
    """Whether the client leads to the built-in simulator."""
    results: Results = field(default_factory=Results)
    pictures: Pictures = field(default_factory=Pictures)
    clock: Callable[[], float] = time.time
    full_catalogue: Catalogue | None = None
    """All tools, for the reads behind previews; None if all are offered."""
    exclude: frozenset[str] = frozenset()
    """Built-in tools that the server does not offer."""
    search_mode: bool = False
    """Whether tools are found by search instead of being listed."""
    asks_person: frozenset[str] = frozenset()
    """Tools for which the client is told to ask a person before each call."""
    accounts: tuple[NamedAccount, ...] = ()
    """The accounts of a server with several. `call.account_choice` chooses one for each call."""
    without_account: bool = False
    """Whether the server has no account of its own: all people store their own keys."""
    personal_keys: "PersonalKeyOptions | None" = field(default=None, repr=False)
    """How people store their own keys; None if they cannot."""
    public_url: str | None = None
    """The server's URL for people; None if it is not set."""
    owner: str | None = None
    """The principal whose own key opens the account of these services."""
    server: "Services | None" = field(default=None, repr=False)
    """The services of the whole server, if these belong to one of its accounts."""

    observers: list[Observer] = field(default_factory=list)
    """Called for each call that has ended, with its duration in seconds."""
    running: RunningCalls = field(default_factory=RunningCalls)
    """The calls that are being made."""

    @property
    def approvals_page(self) -> str | None:
        """The URL of the approvals page, or None if the public URL is not set."""
        return f"{self.public_url.rstrip('/')}/approvals" if self.public_url else None

    @cached_property
    def of_accounts(self) -> dict[str, "Services"]:
        """The services of each account. State, audit log, files and long results are those of the server."""
        return {
            account.name: replace(
                self,
                client=account.client,
                account_name=account.name,
                subaccount=account.subaccount,
                accounts=(),
                server=self,
            )
            for account in self.accounts
        }

    @cached_property
    def personal(self) -> "PersonalAccounts[Services] | None":
        """The accounts that people open with their own keys; None if they cannot, or for services of one account."""
        if self.personal_keys is None or self.server is not None:
            return None
        from mailgun_mcp.call.personal_accounts import PersonalAccounts, Server

        find = self.all_tools.find
        server = Server(self.store, self.clock, find("list_domains"), lambda: self.audit_log, self._owned)
        return PersonalAccounts(server, self.personal_keys)

    def _owned(self, principal: str, client: Client) -> "Services":
        """Return the services of the account that a principal's own key opens."""
        return replace(
            self,
            client=client,
            account_name=None,
            subaccount=None,
            accounts=(),
            without_account=False,
            owner=principal,
            server=self,
        )

    @cached_property
    def shared_account(self) -> "Services":
        """The services of the server's own account, on a server where people may have accounts of their own too."""
        return replace(self, server=self)

    @cached_property
    def domains(self) -> "DomainDirectory":
        """Which account has which domain. If the services have only one account, its name is empty."""
        from mailgun_mcp.call.domain_directory import DomainDirectory, domain_names

        accounts = self.accounts or (NamedAccount("", self.client, self.subaccount),)
        return DomainDirectory(
            {
                account.name: partial(domain_names, self.all_tools, account.client, account.subaccount)
                for account in accounts
            }
        )

    @property
    def all_tools(self) -> Catalogue:
        """All tools that the server itself may read with."""
        return self.full_catalogue or self.catalogue

    @cached_property
    def account(self) -> ServerAccount:
        """The account in which calls are made."""
        return ServerAccount(
            self.store,
            self.client,
            self.policy,
            self.clock,
            name=self.account_name,
            simulator=self.simulator,
            owner=self.owner,
        )

    @cached_property
    def builtin_tools(self) -> dict[str, Record]:
        """The built-in tools, as they are listed."""
        return offered(self.catalogue, self.exclude, search_mode=self.search_mode)

    @property
    def workflows(self) -> list[str]:
        """The names of the workflow tools that are offered."""
        return [name for name in WORKFLOW_TOOLS if name in self.builtin_tools]

    @property
    def listed_tools(self) -> list[Record]:
        """All tools that clients are shown, in order."""
        return listed(self.catalogue, self.exclude, search_mode=self.search_mode, asks_person=self.asks_person)

    @cached_property
    def search_index(self) -> "SearchIndex":
        """Finds tools by what they do."""
        if self.server is not None:
            return self.server.search_index
        from mailgun_mcp.catalogue.search.index import index_of

        return index_of(self.catalogue)

    @cached_property
    def store(self) -> Store:
        """The state store, which outlasts calls and processes."""
        if self.server is not None:
            return self.server.store
        return self.state_store or Store(self.state)

    @cached_property
    def approvals(self) -> "Approvals":
        """Calls that wait for a person's approval, and the answers to them."""
        from mailgun_mcp.confirm.approvals import Approvals

        return Approvals(self.store)

    @cached_property
    def grants(self) -> "Grants":
        """What people have allowed until a certain time."""
        from mailgun_mcp.confirm.grants import Grants

        return Grants(self.store)

    @cached_property
    def nonces(self) -> "Nonces":
        """Values that can be used only once."""
        from mailgun_mcp.call.counters import Nonces

        return Nonces(self.store)

    @cached_property
    def audit_log(self) -> "AuditLog":
        """The record of what was called, decided and done."""
        from mailgun_mcp.audit.log import AuditLog

        return AuditLog(self.store)

    @cached_property
    def snapshots(self) -> "Snapshots":
        """Copies of what calls were about to remove or overwrite."""
        from mailgun_mcp.undo.snapshots import Snapshots

        return Snapshots(self.store)

    @cached_property
    def kept_results(self) -> "KeptResults":
        """Long results, for a restarted server or another one that shares the state."""
        from mailgun_mcp.call.kept_results import KeptResults

        return KeptResults(self.store)

    @cached_property
    def history(self) -> History:
        """Earlier calls, for the rules that depend on them."""
        if self.server is not None:
            return self.server.history
        return History(
            self.store, self.clock, several_accounts=bool(self.accounts), counts_calls=self.policy.counts_calls
        )

    @cached_property
    def protection(self) -> Protection:
        """Withholds secrets from the model, and marks third-party text."""
        return Protection(self.policy, self.store, self.results, self.clock)

    async def __aenter__(self) -> "Services":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections to Mailgun, and whatever `close` closes."""
        for client in (self.client, *(account.client for account in self.accounts)):
            await client.aclose()
        if self.personal is not None:
            await self.personal.aclose()
        self.close()

    def close(self) -> None:
        """Write the rest of the audit log, and close the state store. A store that was never used stays closed."""
        if self.server is not None:
            return
        for opened in ("recorder", "store"):
            if opened in self.__dict__:
                getattr(self, opened).close()

    @cached_property
    def recorder(self) -> Recorder:
        """Writes calls to the audit log."""
        if self.server is not None:
            return self.server.recorder
        # A separate connection, so that other users of the store do not wait for the disk.
        return Recorder(
            self.store.reopened(), self.clock, self.policy.audit, monotonic=time.monotonic, running=self.running
        )

    def reader(self, subaccount: str | None, notify: Notify) -> ResourceReader:
        """Return what reads the resources that calls affect."""
        return ResourceReader(self.all_tools, self.client, subaccount=subaccount, notify=notify)

    def pack(self) -> None:
        """Store the tools as text, which saves memory: once clients have the list, few tools are needed."""
        for catalogue in (self.catalogue, self.all_tools):
            catalogue.pack()

    def prepare(self) -> None:
        """Load what the first call needs, so that it is not delayed. May run in any thread."""
        self.client.prepare()
        # Otherwise the first entry of the audit log would wait for these.
        import encodings.utf_8_sig  # noqa: F401
        import sqlite3  # noqa: F401

        from mailgun_mcp.audit import log  # noqa: F401
        from mailgun_mcp.confirm import grants  # noqa: F401
        from mailgun_mcp.identity import accounts, fingerprint  # noqa: F401
        from mailgun_mcp.output.logs import redactor

        redactor()
        self._open_state()

    def _open_state(self) -> None:
        """Open a state file that exists. The first call creates a missing one, and reports one that cannot be used."""
        if self.state_store is None:
            with suppress(StateError):
                if self.store.exists:
                    for services in (self, *self.of_accounts.values()):
                        services.account.prepare()
                    self.recorder.prepare()
