"""Mailing lists. Their members are in `list_members`."""

from email.utils import parseaddr

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.request.formats import email as fault_of_address
from mailgun_mcp.simulator.mail.inbound import receiving_domain
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.lists import MailingList
from mailgun_mcp.simulator.replies.paging import PivotQuery, pivot_page, skip_page
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

SETTINGS = ("name", "description", "access_level", "reply_preference", "list_id")


@handles("list_mailing_lists", fidelity="stateful", note="skip/limit")
def list_mailing_lists(account: Account, request: SimulatedRequest) -> Reply:
    email = request.get("address", "").lower()
    lists = [account.lists[address] for address in sorted(account.lists) if not email or address == email]
    page = skip_page(lists, request.get("skip"), request.get("limit"))
    return Reply({"total_count": len(lists), "items": [list_to_json(mailing_list) for mailing_list in page]})


@handles("list_mailing_lists_by_page", fidelity="stateful", note="paged by pivot")
def list_mailing_lists_by_page(account: Account, request: SimulatedRequest) -> Reply:
    asked = PivotQuery(request.url, request.get("page"), request.get("address"), request.get("limit"), backward="prev")
    page = pivot_page(account.lists, asked)
    return Reply({"items": [list_to_json(mailing_list) for mailing_list in page.items], "paging": page.paging})


@handles("create_mailing_list", fidelity="stateful", note="mail to its address is delivered to the members")
def create_mailing_list(account: Account, request: SimulatedRequest) -> Reply:
    name, address = _address(account, request["address"])
    if address in account.lists:
        raise ApiError(400, f"Mailing list {address} already exists")
    mailing_list = MailingList(address, account.clock.now(), name)
    _set(
        mailing_list, {"access_level": request.get("access_level"), "reply_preference": request.get("reply_preference")}
    )
    _set(mailing_list, request.arguments)
    account.lists[address] = mailing_list
    return success("Mailing list has been created", list=list_to_json(mailing_list))


@handles("get_mailing_list", fidelity="stateful", note="with the number of members")
def get_mailing_list(account: Account, request: SimulatedRequest) -> Reply:
    return Reply({"list": list_to_json(require_list(account, request))})


@handles("update_mailing_list", fidelity="stateful", note="including its address and who may post")
def update_mailing_list(account: Account, request: SimulatedRequest) -> Reply:
    mailing_list = require_list(account, request)
    if "address" in request.arguments:
        _move(account, mailing_list, request["address"])
    _set(mailing_list, request.arguments)
    return success("Mailing list has been updated", list=list_to_json(mailing_list))


@handles("delete_mailing_list", fidelity="stateful", note="deleted with its members")
def delete_mailing_list(account: Account, request: SimulatedRequest) -> Reply:
    mailing_list = require_list(account, request)
    del account.lists[mailing_list.address]
    return success("Mailing list has been removed", address=mailing_list.address)


def require_list(
    account: Account, request: SimulatedRequest, missing: str = "Mailing list {} not found"
) -> MailingList:
    """Return the list named in the path. Raises ApiError when it does not exist."""
    mailing_list = account.lists.get(request["list_address"].lower())
    if mailing_list is None:
        raise ApiError(404, missing.format(request["list_address"]))
    return mailing_list


def list_to_json(mailing_list: MailingList) -> Record:
    """Return the list in the form that responses use."""
    return {
        "address": mailing_list.address,
        "name": mailing_list.name,
        "description": mailing_list.description,
        "access_level": mailing_list.access_level,
        "reply_preference": mailing_list.reply_preference,
        "created_at": mail_date(mailing_list.created_at, "-0000"),
        "members_count": len(mailing_list.members),
    }


def _address(account: Account, text: str) -> tuple[str, str]:
    """Return the name and address of a list. Raises ApiError unless the address is at a domain of the account."""
    name, address = parseaddr(text)
    if fault_of_address(address):
        raise ApiError(400, "'address' parameter is not a valid address. please check documentation")
    if receiving_domain(account, address) is None:
        raise ApiError(404, f"Domain not found: {address.rpartition('@')[2]}")
    return name, address.lower()


def _move(account: Account, mailing_list: MailingList, text: str) -> None:
    _, address = _address(account, text)
    if address != mailing_list.address and address in account.lists:
        raise ApiError(400, f"Mailing list {address} already exists")
    del account.lists[mailing_list.address]
    mailing_list.address = address
    account.lists[address] = mailing_list


def _set(mailing_list: MailingList, values: Record) -> None:
    for name in SETTINGS:
        if name in values:
            setattr(mailing_list, name, values[name])
