"""Authenticates and authorizes requests: by API key, role, client address and subaccount."""

from base64 import b64decode
from binascii import Error as BinasciiError
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from mailgun_mcp.catalogue.catalogue import SUBACCOUNT_HEADER
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.simulator.model.access import OWN_KEY_ID, Access, ApiKey, KeyRole
from mailgun_mcp.simulator.model.account import OPEN, Account
from mailgun_mcp.simulator.replies.reply import ApiError

FORBIDDEN = "Forbidden"
UNFIT = "Incompatible key for this endpoint"
UNSEEN = "Forbidden - user does not have permission to view this resource"

SENDS = frozenset({"send_message", "send_mime_message"})
ADMIN_TOOLSETS = frozenset({"api_keys", "smtp_credentials", "subaccounts", "account_limits", "account", "ip_allowlist"})
ADMIN_OPERATIONS = frozenset({"request_dedicated_ip"})
DEVELOPER_OPERATIONS = frozenset({"add_sandbox_recipient", "delete_sandbox_recipient", "get_webhook_signing_key"})
"""Operations in the toolsets of admins that a developer key may use as well."""


@dataclass(frozen=True, slots=True)
class ApiClient:
    """The sender of a request: its API key and the key's account. None is the simulator's own key, an admin's."""

    account: Account
    key: ApiKey | None = None


def set_own_key(account: Account, secret: str) -> None:
    """Make `secret` the account's admin key that belongs to the simulator, in place of any earlier one."""
    keys = account.administration.access.keys
    own_key = keys.get(OWN_KEY_ID)
    if own_key is None:
        keys[OWN_KEY_ID] = ApiKey(OWN_KEY_ID, secret, "admin", account.clock.now())
    else:
        own_key.secret = secret


def authenticate(account: Account, authorization: str, *, any_key: bool) -> ApiClient | None:
    """Return the client for a key, or None if it is refused. With `any_key`, an unknown key counts as an admin's."""
    if not authorization.startswith("Basic "):
        return None
    secret = _secret(authorization)
    for holder in account.with_subaccounts(OPEN):
        access = holder.administration.access
        if secret in access.revoked:
            return None
        for key in access.keys.values():
            if secret and key.secret == secret:
                return None if key.expired(account.clock.now()) else ApiClient(holder, key)
    return ApiClient(account) if any_key else None


def acting_account(client: ApiClient, operation: Operation, subaccount_id: str | None) -> Account:
    """Return the account that the request is for. Raises ApiError if the client may not act for it."""
    if subaccount_id is None or any(argument.wire == SUBACCOUNT_HEADER for argument in operation.arguments):
        return client.account
    subaccount = client.account.administration.subaccounts.get(subaccount_id)
    if subaccount is None or subaccount.status == "closed":
        raise ApiError(403, FORBIDDEN)
    if subaccount.status == "disabled":
        raise ApiError(403, "subaccount is disabled")
    return subaccount.account


def authorize(client: ApiClient, operation: Operation, values: Arguments) -> None:
    """Raise ApiError if the client's key does not allow the operation. `values` are the path parameters."""
    key = client.key
    if key is None or ROLES[key.role](operation, key, values):
        return
    if key.role == "sending":
        raise ApiError(403, FORBIDDEN if operation.name in SENDS else UNFIT)
    raise ApiError(403, UNSEEN if operation.risk == "read" else FORBIDDEN)


def check_client_address(client: ApiClient, address: str | None) -> None:
    """Raise ApiError if the account has an IP allowlist and the client's address is not on it."""
    access = client.account.administration.access
    if access.allowlist and not (client.key and client.key.kind == "web") and not _on_allowlist(access, address):
        raise ApiError(403, FORBIDDEN)


def _secret(authorization: str) -> str:
    try:
        user, _, secret = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    except (BinasciiError, UnicodeDecodeError, ValueError):
        return ""
    return secret if user == "api" else ""


@lru_cache(maxsize=1000)
def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """Return the address, or None if it is none. Parsing takes a tenth of a small request's time."""
    try:
        return ip_address(address)
    except ValueError:
        return None


def _on_allowlist(access: Access, address: str | None) -> bool:
    client = _parsed(address or "127.0.0.1")
    if client is None:
        return False
    if client.is_loopback and not access.allowlist_binds_loopback:
        return True
    return any(client in ip_network(entry, strict=False) for entry in access.allowlist)


def _admin(_: Operation, __: ApiKey, ___: Arguments) -> bool:
    return True


def _developer(operation: Operation, _: ApiKey, __: Arguments) -> bool:
    if operation.risk == "read" or operation.name in DEVELOPER_OPERATIONS:
        return True
    return operation.toolset not in ADMIN_TOOLSETS and operation.name not in ADMIN_OPERATIONS


def _basic(operation: Operation, _: ApiKey, __: Arguments) -> bool:
    return operation.risk == "read"


def _sending(operation: Operation, key: ApiKey, values: Arguments) -> bool:
    return operation.name in SENDS and values["domain_name"].lower() == key.domain


ROLES: dict[KeyRole, Callable[[Operation, ApiKey, Arguments], bool]] = {
    "admin": _admin,
    "developer": _developer,
    "basic": _basic,
    "sending": _sending,
}
