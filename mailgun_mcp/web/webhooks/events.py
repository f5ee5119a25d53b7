"""The events of an approval or an undo, derived from its state."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mailgun_mcp.confirm.approvals import Approval
from mailgun_mcp.text.durations import iso
from mailgun_mcp.undo.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for programs that cannot read the state."""

    type: str
    subject: str
    """The id of the approval or call."""
    number: int
    """Distinguishes events of one type about one subject, such as the two answers at level `two_people`."""
    at: float
    data: Mapping[str, Any] = field(default_factory=dict)


def events_of(approval: Approval, now: float, base_url: str) -> Iterator[Event]:
    """Yield the events of an approval so far."""
    data = {**approval.record, "url": f"{base_url}/approvals/{approval.id}"}
    yield Event("approval.pending", approval.id, 0, approval.created, data)
    for number, answer in enumerate(approval.answers, 1):
        kind = "approval.approved" if answer.yes else "approval.denied"
        yield Event(kind, approval.id, number, answer.at, data)
    if approval.status == "expired":
        yield Event("approval.expired", approval.id, 0, approval.expires, data)
    if approval.status == "withdrawn":
        yield Event("approval.withdrawn", approval.id, 0, now, data)
    if approval.status == "used":
        yield Event("approval.used", approval.id, 0, now, data)


def undone(snapshot: Snapshot, account: str, base_url: str) -> Event:
    """Return the event for a call that was undone."""
    at = snapshot.undone or 0.0
    data = {
        "id": snapshot.id,
        "tool": snapshot.tool,
        "summary": snapshot.summary,
        "account": account,
        "undone": iso(at),
        "url": f"{base_url}/approvals/history",
    }
    return Event("operation.undone", snapshot.id, 0, at, data)
