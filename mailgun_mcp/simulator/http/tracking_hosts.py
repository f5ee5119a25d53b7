"""Finds the domain of a tracking host, and decides how sections answer for an unknown domain."""

from collections.abc import Callable

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.replies.reply import ApiError

WEB_PREFIX = "email"
CERTIFICATES = "/v2/x509/"


def tracking_host(domain: Domain) -> str:
    """Return the host name in the domain's tracked links."""
    return f"{domain.settings.get('web_prefix') or WEB_PREFIX}.{domain.name}"


def _by_tracking_host(account: Account, operation: Operation, name: str) -> Domain:
    if not operation.path.startswith(CERTIFICATES):
        raise ApiError(404, f"Domain not found: {name}")
    for domain in account.domains.values():
        if tracking_host(domain) == name.lower():
            return domain
    if operation.method == "POST":
        raise ApiError(400, "invalid CNAME record", "Reason")
    raise ApiError(404, "x509 cert not found", "Description")


def _described(_: Account, __: Operation, ___: str) -> Domain:
    raise ApiError(404, "domain not found", "Description")


UNKNOWN_DOMAIN: dict[str, Callable[[Account, Operation, str], Domain]] = {
    "tracking": _by_tracking_host,
    "dkim_security": _described,
}
"""Toolset -> the function that answers for a domain that the account does not have."""
