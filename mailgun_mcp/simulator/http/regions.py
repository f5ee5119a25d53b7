"""Mailgun's two regions. An account's resources in one region can't be seen from the other, except global ones."""

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
"""Toolsets of the global resources: account, users, billing, keys."""
SERIAL = 1_000_000
"""The first serial number in the other region. It differs so that ids differ."""


def in_region(account: Account, operation: Operation, host: str, home: str) -> Account:
    """Return the account's part in the region of the host. Hosts that are not Mailgun's belong to `home`."""
    region = HOSTS.get(host.partition(":")[0].lower(), home)
    if region == home or operation.toolset in GLOBAL:
        return account
    if account.other_region is None:
        name = f"{account.id[:-2]}{region}"
        # A simulator whose URLs lead to itself must not send a client to Mailgun.
        storage_url = STORAGE[region] if account.storage_url in STORAGE.values() else account.storage_url
        account.other_region = Account(account.clock, name, serial=SERIAL, storage_url=storage_url)
    return account.other_region


def serve_storage_at(account: Account, url: str) -> None:
    """Let the URLs of stored messages start with `url`. If it is Mailgun's, the other region has Mailgun's too."""
    other = next((theirs for theirs in STORAGE.values() if theirs != url), url) if url in STORAGE.values() else url
    for owner in account.with_subaccounts():
        owner.storage_url = url
        if owner.other_region is not None:
            owner.other_region.storage_url = other


def check_name(account: Account, operation: Operation, arguments: Arguments) -> None:
    """Raise ApiError for a new domain whose name exists in the other region: names are global."""
    other = account.other_region
    if operation.name == "create_domain" and other is not None:
        name = arguments["domain"].lower().removesuffix(".")
        if name in account.domains or name in other.domains:
            raise ApiError(409, f"Domain {name} already exists")
