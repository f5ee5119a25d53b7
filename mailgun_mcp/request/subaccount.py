"""Which subaccount a call acts in."""

from mailgun_mcp.catalogue.catalogue import ON_BEHALF_OF
from mailgun_mcp.catalogue.types import Arguments


def acting_subaccount(arguments: Arguments, configured: str | None) -> str | None:
    """Return the subaccount that the call names, else the configured one; None for the main account."""
    named: str | None = arguments.get(ON_BEHALF_OF)
    return named or configured
