"""A decoded request, which is the input of a handler."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.simulator.model.access import ApiKey
from mailgun_mcp.simulator.model.account import ALL_STATUSES, Account, SubaccountStatus
from mailgun_mcp.simulator.model.domains import Domain


@dataclass(frozen=True, slots=True)
class SimulatedRequest:
    """An operation with its arguments, which have been checked against its input schema. Names are the catalogue's."""

    operation: Operation
    arguments: Arguments
    url: str
    """The absolute URL of the request, without its query."""
    accept: str = ""
    found_domain: Domain | None = None
    key: ApiKey | None = None
    """The API key of the request. None means the simulator's own key, which is an admin's."""

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument, or the default in its schema, or `default`."""
        if name in self.arguments:
            return self.arguments[name]
        schema = call_schema(self.operation)["properties"].get(name, {})
        return schema.get("default", default)

    def accounts(self, account: Account, statuses: Collection[SubaccountStatus] = ALL_STATUSES) -> Iterator[Account]:
        """Yield the account and, if `include_subaccounts` asks for them, its subaccounts with these statuses."""
        return account.with_subaccounts(statuses) if self.get("include_subaccounts") else iter((account,))

    @property
    def domain(self) -> Domain:
        """The domain named in the path. Only for operations whose path contains a domain."""
        if self.found_domain is None:
            raise LookupError(f"{self.operation.name} names no domain")
        return self.found_domain
