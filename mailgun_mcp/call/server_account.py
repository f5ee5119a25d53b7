"""The account of a server's API key. It is looked up in the state, or created there at the first call."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailgun_mcp.errors import AccountError, StateError
from mailgun_mcp.identity.account import Account, personal_account_name
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.output.logs import logger
from mailgun_mcp.policy.model import Policy
from mailgun_mcp.store.database import Store, in_thread

if TYPE_CHECKING:
    from mailgun_mcp.identity.accounts import KeyInUse

SIMULATOR = "simulator"
FORMER = "default"
"""The name that version 0.1 gave to the account of every key."""


class ServerAccount:
    """The account of a server's key."""

    def __init__(
        self,
        store: Store,
        client: Client,
        policy: Policy,
        clock: Callable[[], float],
        *,
        name: str | None,
        simulator: bool,
        owner: str | None = None,
    ) -> None:
        """`name` is the operator's name for the account, None if they gave none.

        `owner` is the principal whose own key opens it. The account is theirs alone, even if others have the same key.
        """
        self._store = store
        self._client = client
        self._policy = policy
        self._clock = clock
        self._name = name
        self._simulator = simulator
        self._owner = owner
        self._account: Account | None = None
        self._fingerprint: str | None = None

    async def current(self, *, changes: bool) -> Account:
        """Return the account. A call that changes something reads the state each time: the name may have changed.

        Raises AccountError if the key still has to be accepted, StateError if a call needs a state that cannot be read.
        """
        if self._account is not None and not changes:
            return self._account
        try:
            self._account = await in_thread(self._open)
        except AccountError:
            self._account = None
            raise
        except StateError:
            if changes or (self._name is None and self._policy.names_accounts):
                raise
            return self._account or self.assumed
        return self._account

    def prepare(self) -> None:
        """Look the account up, if its key was used before, so that the first call need not. Raises StateError."""
        from mailgun_mcp.identity.accounts import Accounts

        self._account = Accounts(self._store).opened_by(self._key())

    @property
    def assumed(self) -> Account:
        """The account by its name before the state is read; no state belongs to it."""
        endpoint = self._client.endpoint
        return Account(self._name or self._default_name, endpoint.url, endpoint.region)

    def _open(self) -> Account:
        from mailgun_mcp.identity.accounts import Accounts

        opened = Accounts(self._store).open(self._key(), self._clock())
        if opened.notice:
            logger().warning(opened.notice)
        return opened.account

    def _key(self) -> "KeyInUse":
        from mailgun_mcp.identity.accounts import KeyInUse
        from mailgun_mcp.identity.fingerprint import fingerprint

        if self._fingerprint is None:
            of_owner = "" if self._owner is None else f"{self._owner}\n"
            self._fingerprint = self._client.fingerprint(lambda key: fingerprint(of_owner + key, self._store))
        endpoint = self._client.endpoint
        return KeyInUse(
            endpoint.url,
            endpoint.region,
            self._fingerprint,
            self._name,
            default_name=self._default_name,
            former=None if self._owner is not None else SIMULATOR if self._simulator else FORMER,
        )

    @property
    def _default_name(self) -> str:
        if self._owner is not None:
            return personal_account_name(self._owner)
        if self._simulator:
            return SIMULATOR
        endpoint = self._client.endpoint
        return endpoint.region or urlsplit(endpoint.url).netloc.replace(":", "-").strip("[]-")
