"""The IP allowlist: with entries on it, only they may use the account's API keys."""

from ipaddress import ip_network

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.replies.call import Call, Handler
from mailgun_mcp.simulator.replies.reply import Refusal, Reply


def list_ip_allowlist(account: Account, _: Call) -> Reply:
    entries = _entries(account).items()
    return Reply({"addresses": [{"ip_address": address, "description": text} for address, text in entries]})


def add_ip_allowlist_entry(account: Account, call: Call) -> Reply:
    address = call["address"].strip()
    try:
        ip_network(address, strict=False)
    except ValueError as error:
        raise Refusal(400, "Invalid IP Address or CIDR") from error
    _entries(account)[address] = call.get("description")
    return list_ip_allowlist(account, call)


def update_ip_allowlist_entry(account: Account, call: Call) -> Reply:
    _entries(account)[_known(account, call)] = call.get("description")
    return list_ip_allowlist(account, call)


def delete_ip_allowlist_entry(account: Account, call: Call) -> Reply:
    del _entries(account)[_known(account, call)]
    return list_ip_allowlist(account, call)


def _entries(account: Account) -> dict[str, str]:
    return account.administration.access.allowlist


def _known(account: Account, call: Call) -> str:
    address: str = call["address"].strip()
    if not address:
        raise Refusal(400, "IP address can not be blank")
    if address not in _entries(account):
        raise Refusal(400, "IP not found")
    return address


HANDLERS: dict[str, Handler] = {
    "list_ip_allowlist": list_ip_allowlist,
    "add_ip_allowlist_entry": add_ip_allowlist_entry,
    "update_ip_allowlist_entry": update_ip_allowlist_entry,
    "delete_ip_allowlist_entry": delete_ip_allowlist_entry,
}
