"""A request after decoding: what a handler gets."""

from dataclasses import dataclass
from typing import Any

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.simulator.model.access import ApiKey
from mailgun_mcp.simulator.model.domains import Domain


@dataclass(frozen=True, slots=True)
class SimulatedRequest:
    """An operation with its arguments, by their names in the catalogue, checked against its input schema."""

    operation: Operation
    arguments: Arguments
    url: str
    """The absolute URL of the request, without its query."""
    accept: str = ""
    found_domain: Domain | None = None
    key: ApiKey | None = None
    """The API key of the request. None is the simulator's own key, an admin's."""

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument, else the default that its schema names, else `default`."""
        if name in self.arguments:
            return self.arguments[name]
        schema = call_schema(self.operation)["properties"].get(name, {})
        return schema.get("default", default)

    @property
    def domain(self) -> Domain:
        """The domain that the path names. Only for operations whose path has one."""
        if self.found_domain is None:
            raise LookupError(f"{self.operation.name} names no domain")
        return self.found_domain
