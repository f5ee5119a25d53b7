"""Which scopes a call lacks, checked before anything is done. An HTTP server answers with a challenge for them."""

from typing import Any

from mailgun_mcp.call.access import needed_scopes
from mailgun_mcp.call.large_calls import for_size
from mailgun_mcp.call.prepare import find_operation
from mailgun_mcp.call.search_mode import unwrap
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.raised_risk import as_called
from mailgun_mcp.errors import ArgumentError, UnknownToolError
from mailgun_mcp.identity.access import Access
from mailgun_mcp.request.as_meant import as_meant


async def missing_scopes(services: Services, access: Access, tool: str, arguments: Any) -> frozenset[str]:
    """Return the scopes that a call of `tool` needs and `access` lacks.

    Empty for a call that is invalid anyway: its own error is returned instead.
    """
    arguments = arguments if isinstance(arguments, dict) else {}
    return await for_size(arguments, _missing, services, access, tool, arguments)


def _missing(services: Services, access: Access, tool: str, arguments: dict[str, Any]) -> frozenset[str]:
    try:
        tool, arguments = unwrap(services, tool, arguments)
        operation = find_operation(services, tool)
    except (ArgumentError, UnknownToolError):
        return frozenset()
    arguments = as_meant(operation, arguments)
    needed = needed_scopes(as_called(operation, arguments), access, dry_run=arguments.get("dry_run") is True)
    return frozenset(scope for scope in needed if not access.has(scope))
