"""The events of an approval, by what has happened to it so far."""

from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.store.database import Store
from mailgun_mcp.web.webhooks.events import events_of
from tests.support.state import NOW, TTL, asked, request_approval

BASE = "https://mail-admin.example.com"


def test_each_answer_and_each_end_is_an_event_with_the_form_and_a_link(store: Store) -> None:
    approvals = Approvals(store)
    approval = request_approval(store, asked("two_people"))
    (pending,) = events_of(approval, NOW, BASE)
    assert (pending.type, pending.subject, pending.number) == ("approval.pending", approval.id, 0)
    assert pending.data["text"] == approval.text
    assert pending.data["url"] == f"{BASE}/approvals/{approval.id}"
    for by in ("ann", "ben"):
        approval = approvals.approve(approval.id, by=by, now=NOW, typed=approval.typed)
    assert approvals.consume(approval.id, NOW)
    events = events_of(approvals.get(approval.id, NOW), NOW, BASE)
    assert [(event.type.partition(".")[2], event.number) for event in events] == [
        ("pending", 0),
        ("approved", 1),
        ("approved", 2),
        ("used", 0),
    ]
    late = request_approval(store, asked(request="other"))
    expired = events_of(approvals.get(late.id, NOW + TTL), NOW + TTL, BASE)
    assert [event.type for event in expired] == ["approval.pending", "approval.expired"]
    denied = approvals.deny(request_approval(store, asked(request="third")).id, by="kim", now=NOW)
    assert [event.type for event in events_of(denied, NOW, BASE)] == ["approval.pending", "approval.denied"]
