"""The members of mailing lists, one by one and in bulk."""

import csv
import io
import json
from collections.abc import Iterable
from email.utils import parseaddr
from typing import Any

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.request.formats import email as fault_of_address
from mailgun_mcp.simulator.mail.inbound import receiving_domain
from mailgun_mcp.simulator.mail.list_delivery import list_id
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.lists import MailingList, Member
from mailgun_mcp.simulator.model.packed_events import MailEvent
from mailgun_mcp.simulator.replies.paging import PivotQuery, pivot_page, skip_page
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.lists import list_to_json, require_list
from mailgun_mcp.simulator.sections.registry import handles

MOST = 1000
AT_ONCE = 100
"""Maximum number of members in a call for which the list is changed before the response is sent."""
QUOTED = "Mailing list '{}' not found"
YES = frozenset({"yes", "true", "1"})
NO = frozenset({"no", "false", "0"})
COLUMNS = frozenset({"address", "name", "subscribed", "vars"})
NOT_VALID = "'address' parameter is not a valid address. please check documentation"


@handles("list_mailing_list_members", fidelity="stateful", note="skip/limit, by subscription")
def list_mailing_list_members(account: Account, request: SimulatedRequest) -> Reply:
    members, email = _chosen(account, request), request.get("address", "").lower()
    matching = [members[address] for address in sorted(members) if not email or address == email]
    page = skip_page(matching, request.get("skip"), request.get("limit"))
    return Reply({"total_count": len(matching), "items": [_to_json(member) for member in page]})


@handles("list_mailing_list_members_by_page", fidelity="stateful", note="paged by pivot")
def list_mailing_list_members_by_page(account: Account, request: SimulatedRequest) -> Reply:
    subscribed = request.get("subscribed")
    filters = {} if subscribed is None else {"subscribed": "yes" if subscribed else "no"}
    asked = PivotQuery(
        request.url, request.get("page"), request.get("address"), request.get("limit"), filters=filters, backward="prev"
    )
    page = pivot_page(_chosen(account, request), asked)
    return Reply({"items": [_to_json(member) for member in page.items], "paging": page.paging})


@handles("add_mailing_list_member", fidelity="stateful", note="with upsert")
def add_mailing_list_member(account: Account, request: SimulatedRequest) -> Reply:
    mailing_list = require_list(account, request)
    entry = _bare({"subscribed": request.get("subscribed"), **request.arguments})
    if entry["address"].lower() in mailing_list.members and not request.get("upsert"):
        raise ApiError(400, f"Address already exists '{request['address']}'")
    member = _put(mailing_list, entry)
    return success("Mailing list member has been created", member=_to_json(member))


@handles("get_mailing_list_member", fidelity="stateful", note="by address")
def get_mailing_list_member(account: Account, request: SimulatedRequest) -> Reply:
    return Reply({"member": _to_json(_get_member(require_list(account, request), request))})


@handles("update_mailing_list_member", fidelity="stateful", note="name, variables, subscription")
def update_mailing_list_member(account: Account, request: SimulatedRequest) -> Reply:
    mailing_list = require_list(account, request)
    member = _get_member(mailing_list, request)
    values = request.arguments
    if "address" in values:
        values = _bare(values)
        _move(mailing_list, member, values["address"])
    _put(mailing_list, {**values, "address": member.address})
    return success("Mailing list member has been updated", member=_to_json(member))


@handles("delete_mailing_list_member", fidelity="stateful", note="by address")
def delete_mailing_list_member(account: Account, request: SimulatedRequest) -> Reply:
    mailing_list = require_list(account, request)
    member = _get_member(mailing_list, request)
    del mailing_list.members[member.address]
    return success("Mailing list member has been deleted", member={"address": member.address})


@handles("bulk_add_mailing_list_members", fidelity="stateful", note="JSON; up to 1000 members")
def bulk_add_mailing_list_members(account: Account, request: SimulatedRequest) -> Reply:
    mailing_list = require_list(account, request, QUOTED)
    entries = [{"subscribed": True, **_bare(entry)} for entry in request["members"]]
    if len(entries) > AT_ONCE:
        return _uploaded(account, mailing_list, entries, "json", upsert=request.get("upsert"))
    if any(fault_of_address(entry["address"]) for entry in entries):
        raise ApiError(400, NOT_VALID)
    _put_all(mailing_list, entries, upsert=request.get("upsert"))
    return success("Mailing list has been updated", list=list_to_json(mailing_list))


@handles("import_mailing_list_members", fidelity="stateful", note="CSV; done at once")
def import_mailing_list_members(account: Account, request: SimulatedRequest) -> Reply:
    mailing_list = require_list(account, request, QUOTED)
    rows = _rows(request["members"].data)
    if len(rows) > MOST:
        raise ApiError(400, f"Batch size should be less than {MOST}")
    entries = [_entry(row, subscribed=request.get("subscribed", True)) for row in rows]
    return _uploaded(account, mailing_list, entries, "csv", upsert=request.get("upsert"))


def _chosen(account: Account, request: SimulatedRequest) -> dict[str, Member]:
    members, subscribed = require_list(account, request).members, request.get("subscribed")
    if subscribed is None:
        return members
    return {address: member for address, member in members.items() if member.subscribed is subscribed}


def _get_member(mailing_list: MailingList, request: SimulatedRequest) -> Member:
    member = mailing_list.members.get(request["member_address"].lower())
    if member is None:
        raise ApiError(404, f"Member {request['member_address']} of mailing list {mailing_list.address} not found")
    return member


def _put(mailing_list: MailingList, values: Record) -> Member:
    """Add a member, or update the fields in `values` of an existing one."""
    address = values["address"].lower()
    member = mailing_list.members.setdefault(address, Member(address))
    member.name = values.get("name", member.name)
    member.vars = values.get("vars", member.vars)
    member.subscribed = values.get("subscribed", member.subscribed)
    return member


def _bare(entry: Record) -> Record:
    """Return the entry with an address such as `Kim <kim@x.example>` split into the name and the bare address."""
    name, address = parseaddr(entry["address"])
    if fault_of_address(address):
        return entry
    return {**({"name": name} if name else {}), **entry, "address": address}


def _put_all(mailing_list: MailingList, entries: Iterable[Record], *, upsert: bool) -> list[Record]:
    """Add the members, and return those that were added. Without `upsert`, existing members are not changed."""
    added = [entry for entry in entries if upsert or entry["address"].lower() not in mailing_list.members]
    for entry in added:
        _put(mailing_list, entry)
    return added


def _move(mailing_list: MailingList, member: Member, address: str) -> None:
    if fault_of_address(address):
        raise ApiError(400, NOT_VALID)
    if address.lower() != member.address and address.lower() in mailing_list.members:
        raise ApiError(400, f"Address already exists '{address}'")
    del mailing_list.members[member.address]
    member.address = address.lower()
    mailing_list.members[member.address] = member


def _rows(data: bytes) -> list[Record]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
        rows = [{(name or "").strip().lower(): value for name, value in row.items()} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ApiError(400, "CSV file can't be parsed") from error
    if "address" not in {(name or "").strip().lower() for name in reader.fieldnames or ()}:
        raise ApiError(400, "CSV file has no 'address' column")
    return rows


def _entry(row: Record, *, subscribed: bool) -> Record:
    """Return the member that a row describes. Columns with other names become its variables."""
    more = {name: value for name, value in row.items() if name and name not in COLUMNS and isinstance(value, str)}
    said_so = (row.get("subscribed") or "").strip().lower()
    name = row.get("name")
    return {
        "address": (row.get("address") or "").strip(),
        "subscribed": True if said_so in YES else False if said_so in NO else subscribed,
        **({"name": name.strip()} if name else {}),
        **({"vars": variables} if (variables := {**_variables(row.get("vars")), **more}) else {}),
    }


def _variables(text: str | None) -> Record:
    try:
        value = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _uploaded(account: Account, mailing_list: MailingList, entries: list[Record], form: str, *, upsert: bool) -> Reply:
    """Add the valid members, and report the result as events, as Mailgun does when its background task is done."""
    task = account.hex_id()
    good = [entry for entry in entries if not fault_of_address(entry["address"])]
    bad = [entry for entry in entries if fault_of_address(entry["address"])]
    added = _put_all(mailing_list, good, upsert=upsert)
    for entry in added:
        member = mailing_list.members[entry["address"].lower()]
        _tell(account, mailing_list, "list_member_uploaded", task, member=_to_json(member))
    for entry in bad:
        reason = {"reason": "invalid address", "member-description": entry["address"]}
        _tell(account, mailing_list, "list_member_upload_error", task, **reason)
    counts = {"member-count": len(entries), "upserted-count": len(added), "failed-count": len(bad)}
    _tell(account, mailing_list, "list_uploaded", task, format=form, **{"is-upsert": upsert}, **counts)
    return success("Mailing list upload started in background", list=list_to_json(mailing_list), **{"task-id": task})


def _tell(account: Account, mailing_list: MailingList, name: str, task: str, **details: Any) -> None:
    domain = receiving_domain(account, mailing_list.address)
    if domain is None:
        return
    now = account.clock.now()
    record = {
        "event": name,
        "id": account.opaque_id(),
        "timestamp": round(now, 6),
        "log-level": "error" if name.endswith("_error") else "info",
        "recipient": mailing_list.address,
        "recipient-domain": domain.name,
        "message": {"headers": {}, "attachments": [], "size": 0},
        "mailing-list": {"address": mailing_list.address, "list-id": list_id(mailing_list), "sid": ""},
        "task-id": task,
        "tags": [],
        "user-variables": {},
        "campaigns": [],
        **details,
    }
    domain.events.append(
        MailEvent(now, account.serial, record, account.analytics.count_event(domain.name, now, record))
    )


def _to_json(member: Member) -> Record:
    return {
        "address": member.address,
        "name": member.name,
        "vars": member.vars,
        "subscribed": member.subscribed,
    }
