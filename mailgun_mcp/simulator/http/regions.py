"""Mailgun's two regions: what an account has in one is not seen from the other, but for what is global."""

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.replies.reply import ApiError

HOSTS = {"api.mailgun.net": "us", "api.eu.mailgun.net": "eu"}
STORAGE = {
    "us": "https://storage-us-east4.api.mailgun.net",
    "eu": "https://storage-europe-west1.api.mailgun.net",
}
GLOBAL = frozenset({"account", "account_limits", "api_keys", "ip_allowlist", "subaccounts", "users", "validate"})
"""Toolsets of what is the same in both (account, users, billing, keys)."""
SERIAL = 1_000_000
"""Where the other region begins to count, so that ids differ."""


def in_region(account: Account, operation: Operation, host: str, home: str) -> Account:
    """Return what the account has in the region that the host is of; any other host is the simulator's own region."""
    region = HOSTS.get(host.partition(":")[0].lower(), home)
    if region == home or operation.toolset in GLOBAL:
        return account
    if account.other_region is None:
        name = f"{account.id[:-2]}{region}"
        account.other_region = Account(account.clock, name, serial=SERIAL, storage_url=STORAGE[region])
    return account.other_region


def check_name(account: Account, operation: Operation, arguments: Arguments) -> None:
    """Raise ApiError for a domain that is made in one region while the other has it: names are global."""
    other = account.other_region
    if operation.name == "create_domain" and other is not None:
        name = arguments["name"].lower()
        if name in account.domains or name in other.domains:
            raise ApiError(409, f"Domain {name} already exists")
