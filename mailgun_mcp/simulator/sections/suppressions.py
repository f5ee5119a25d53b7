"""The four suppression lists: one set of handlers, and a table of the differences."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from mailgun_mcp.request.formats import email as fault_of_address
from mailgun_mcp.request.formats import hostname as fault_of_domain
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date, parse_mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.suppressions import AllowlistEntry, Bounce, Complaint, Unsubscribe
from mailgun_mcp.simulator.replies.paging import PivotQuery, pivot_page
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SuppressionList:
    """One of the lists: its attribute, how its entries are made and shown, and Mailgun's messages."""

    attribute: str
    key: str
    """The argument that names an entry."""
    make: Callable[[Account, Fields], Any]
    show: Callable[[Any], Fields]
    missing: str
    removed: str
    cleared: str
    added: str = ""
    added_many: str = ""

    def entries(self, domain: Domain) -> dict[str, Any]:
        """Return the entries of `domain`, by address or domain in lower case."""
        entries: dict[str, Any] = getattr(domain, self.attribute)
        return entries

    def get_entry(self, request: SimulatedRequest) -> Any:
        """Return the entry that the request names. Raises ApiError when it does not exist."""
        entry = self.entries(request.domain).get(request[self.key].lower())
        if entry is None:
            raise ApiError(404, self.missing)
        return entry

    def put(self, domain: Domain, entry: Any) -> None:
        """Add the entry, replacing any entry with the same key."""
        self.entries(domain)[getattr(entry, self.key)] = entry


def list_entries(kind: SuppressionList, request: SimulatedRequest) -> Reply:
    term = request.get("term", "").lower()
    entries = {key: entry for key, entry in kind.entries(request.domain).items() if key.startswith(term)}
    pivot, limit = request.get("address", "").lower() or None, max(1, request.get("limit"))
    filters = {"term": term} if term else {}
    page = pivot_page(entries, PivotQuery(request.url, request.get("page"), pivot, limit, filters=filters))
    return Reply({"items": [kind.show(entry) for entry in page.items], "paging": page.paging})


def get_entry(kind: SuppressionList, request: SimulatedRequest) -> Reply:
    return Reply(kind.show(kind.get_entry(request)))


def add_entries(kind: SuppressionList, account: Account, request: SimulatedRequest) -> Reply:
    given: list[Fields] = request[kind.attribute]
    for fields in given:
        _check_address(fields["address"])
    for entry in [kind.make(account, fields) for fields in given]:
        kind.put(request.domain, entry)
    return success(kind.added if len(given) == 1 else kind.added_many.format(len(given)))


def add_allowlist_entry(kind: SuppressionList, account: Account, request: SimulatedRequest) -> Reply:
    entry = kind.make(account, request.arguments)
    kind.put(request.domain, entry)
    return success("Address/Domain has been added to the allowlists table", type=entry.type, value=entry.value)


def import_entries(kind: SuppressionList, account: Account, request: SimulatedRequest) -> Reply:
    for entry in [kind.make(account, fields) for fields in _read_csv(request["file"].data)]:
        kind.put(request.domain, entry)
    return Reply({"message": "file uploaded successfully for processing. standby..."}, 202)


def delete_entry(kind: SuppressionList, request: SimulatedRequest) -> Reply:
    entry = kind.get_entry(request)
    tag = request.get("tag")
    if tag and tag != "*":
        _remove_tag(kind.entries(request.domain), entry, tag)
    else:
        del kind.entries(request.domain)[getattr(entry, kind.key)]
    return success(kind.removed, **{kind.key: request[kind.key]})


def clear_entries(kind: SuppressionList, request: SimulatedRequest) -> Reply:
    kind.entries(request.domain).clear()
    return success(kind.cleared)


def _remove_tag(entries: dict[str, Unsubscribe], entry: Unsubscribe, tag: str) -> None:
    if tag not in entry.tags:
        raise ApiError(404, "Unsubscribe event for this tag does not exist")
    entry.tags.remove(tag)
    if not entry.tags:
        del entries[entry.address]


def _read_csv(data: bytes) -> list[Fields]:
    """Return the rows that contain an address or a domain. The header row may be missing."""
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(data.decode("utf-8-sig", "replace")))]
    if not rows:
        raise ApiError(400, "while reading csv header")
    header = [cell.lower() for cell in rows[0]]
    if "address" not in header and "domain" not in header:
        raise ApiError(400, "while reading csv header")
    named = [{name: cell for name, cell in zip(header, row, strict=False) if cell} for row in rows[1:]]
    return [fields for fields in named if _importable(fields)]


def _importable(fields: Fields) -> bool:
    """Return whether a row is valid. Invalid rows are skipped silently, because the import runs in the background."""
    if "address" in fields:
        return fault_of_address(fields["address"]) is None
    return "domain" in fields and fault_of_domain(fields["domain"]) is None


def _check_address(address: str) -> None:
    if fault_of_address(address):
        raise ApiError(400, "'address' parameter is not a valid address. please check documentation")


def _created(account: Account, fields: Fields) -> float:
    text = fields.get("created_at")
    try:
        return parse_mail_date(text) if text else account.clock.now()
    except ValueError as error:
        raise ApiError(400, f"{text} is not an RFC-2822 compliant date") from error


def _make_bounce(account: Account, fields: Fields) -> Bounce:
    address, at = fields["address"].lower(), _created(account, fields)
    return Bounce(address, at, str(fields.get("code") or "550"), fields.get("error", ""))


def _make_complaint(account: Account, fields: Fields) -> Complaint:
    return Complaint(fields["address"].lower(), _created(account, fields))


def _make_unsubscribe(account: Account, fields: Fields) -> Unsubscribe:
    tags = fields.get("tags") or ["*"]
    given = [tag.strip() for tag in tags.split(",")] if isinstance(tags, str) else list(tags)
    return Unsubscribe(fields["address"].lower(), _created(account, fields), account.hex_id(), given)


def _make_allowlist_entry(account: Account, fields: Fields) -> AllowlistEntry:
    if "address" in fields:
        return AllowlistEntry(fields["address"].lower(), account.clock.now(), "address", fields.get("reason", ""))
    # A call uses the name of the tool's argument; a CSV file uses the name of Mailgun's column.
    domain = fields.get("allowed_domain") or fields["domain"]
    return AllowlistEntry(domain.lower(), account.clock.now(), "domain", fields.get("reason", ""))


def _show_bounce(entry: Bounce) -> Fields:
    return {
        "address": entry.address,
        "code": entry.code,
        "error": entry.error,
        "created_at": mail_date(entry.created_at),
    }


def _show_complaint(entry: Complaint) -> Fields:
    return {"address": entry.address, "count": entry.count, "created_at": mail_date(entry.created_at)}


def _show_unsubscribe(entry: Unsubscribe) -> Fields:
    return {"id": entry.id, "address": entry.address, "tags": entry.tags, "created_at": mail_date(entry.created_at)}


def _show_allowlist_entry(entry: AllowlistEntry) -> Fields:
    created = mail_date(entry.created_at)
    return {"type": entry.type, "value": entry.value, "reason": entry.reason, "createdAt": created}


BOUNCES = SuppressionList(
    attribute="bounces",
    key="address",
    make=_make_bounce,
    show=_show_bounce,
    missing="Address not found in bounces table",
    added="Address has been added to the bounces table",
    added_many="{} addresses have been added to the bounces table",
    removed="Bounced address has been removed",
    cleared="Bounced addresses for this domain have been removed",
)
COMPLAINTS = SuppressionList(
    attribute="complaints",
    key="address",
    make=_make_complaint,
    show=_show_complaint,
    missing="No spam complaints found for this address",
    added="Address has been added to the complaints table",
    added_many="{} complaint addresses have been added to the complaints table",
    removed="Spam complaint has been removed",
    cleared="Complaint addresses for this domain have been removed",
)
UNSUBSCRIBES = SuppressionList(
    attribute="unsubscribes",
    key="address",
    make=_make_unsubscribe,
    show=_show_unsubscribe,
    missing="Address not found in unsubscribers table",
    added="Address has been added to the unsubscribes table",
    added_many="{} addresses have been added to the unsubscribes table",
    removed="Unsubscribe event has been removed",
    cleared="Unsubscribe addresses for this domain have been removed",
)
ALLOWLIST = SuppressionList(
    attribute="allowlist",
    key="value",
    make=_make_allowlist_entry,
    show=_show_allowlist_entry,
    missing="Address/Domain not found in allowlist table",
    removed="Allowlist address/domain has been removed",
    cleared="Allowlist addresses/domains for this domain have been removed",
)

EVERY_LIST = (BOUNCES, COMPLAINTS, UNSUBSCRIBES, ALLOWLIST)
ENTRY: tuple[tuple[str, SuppressionList, str, str, str], ...] = (
    ("bounce", BOUNCES, "by address", "mail flows again", "respected by sending; hard bounces add themselves"),
    ("complaint", COMPLAINTS, "by address", "mail flows again", "respected by sending"),
    (
        "unsubscribe",
        UNSUBSCRIBES,
        "with its tags",
        "mail flows again",
        "for all mail or for tags; respected by sending",
    ),
    (
        "allowlist_entry",
        ALLOWLIST,
        "by address or domain",
        "by address or domain",
        "keeps addresses off the bounce list",
    ),
)
"""The name of an entry, its list, and the notes on reading, deleting and adding an entry."""

for _name, _list, _get, _delete, _add in ENTRY:
    handles(f"get_{_name}", fidelity="stateful", note=_get)(partial(get_entry, _list))
    handles(f"delete_{_name}", fidelity="stateful", note=_delete)(partial(delete_entry, _list))
    if _list is ALLOWLIST:
        handles(f"add_{_name}", fidelity="stateful", note=_add)(partial(add_allowlist_entry, _list))
    else:
        handles(f"add_{_list.attribute}", fidelity="stateful", note=_add)(partial(add_entries, _list))
for _list in EVERY_LIST:
    handles(f"list_{_list.attribute}", fidelity="stateful", note="alphabetical, by prefix, paged by pivot")(
        partial(list_entries, _list)
    )
    handles(f"import_{_list.attribute}", fidelity="stateful", note="CSV; done at once")(partial(import_entries, _list))
    handles(f"clear_{_list.attribute}", fidelity="stateful", note="empties the list")(partial(clear_entries, _list))
