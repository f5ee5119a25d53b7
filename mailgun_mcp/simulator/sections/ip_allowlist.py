"""The IP allowlist. If it has entries, the account's API keys work only from those addresses."""

from ipaddress import ip_network

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.replies.reply import ApiError, Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles


@handles("list_ip_allowlist", fidelity="stateful", note="with descriptions")
def list_ip_allowlist(account: Account) -> Reply:
    entries = _entries(account).items()
    return Reply({"addresses": [{"ip_address": address, "description": text} for address, text in entries]})


@handles("add_ip_allowlist_entry", fidelity="stateful", note="other addresses are refused from then on")
def add_ip_allowlist_entry(account: Account, request: SimulatedRequest) -> Reply:
    address = request["address"].strip()
    try:
        ip_network(address, strict=False)
    except ValueError as error:
        raise ApiError(400, "Invalid IP Address or CIDR") from error
    _entries(account)[address] = request.get("description")
    return list_ip_allowlist(account)


@handles("update_ip_allowlist_entry", fidelity="stateful", note="the description")
def update_ip_allowlist_entry(account: Account, request: SimulatedRequest) -> Reply:
    _entries(account)[_listed_address(account, request)] = request.get("description")
    return list_ip_allowlist(account)


@handles("delete_ip_allowlist_entry", fidelity="stateful", note="by address")
def delete_ip_allowlist_entry(account: Account, request: SimulatedRequest) -> Reply:
    del _entries(account)[_listed_address(account, request)]
    return list_ip_allowlist(account)


def _entries(account: Account) -> dict[str, str]:
    return account.administration.access.allowlist


def _listed_address(account: Account, request: SimulatedRequest) -> str:
    address: str = request["address"].strip()
    if not address:
        raise ApiError(400, "IP address can not be blank")
    if address not in _entries(account):
        raise ApiError(400, "IP not found")
    return address
