"""What people do beside calls is in the audit log, also when it fails, and is not done when it cannot be recorded."""

import pytest

from mailgun_mcp.audit.actions import recorded_action
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import Store
from tests.support.state import NOW


def act(log: AuditLog, fails: bool = False) -> None:
    with recorded_action(log, "approvals deny", by="ann", client="page", details={"id": "x"}, clock=lambda: NOW):
        if fails:
            raise StateError("it was answered before")


def test_what_was_done_and_what_failed_is_recorded_with_who_did_it(store: Store) -> None:
    log = AuditLog(store)
    act(log)
    with pytest.raises(StateError, match="answered before"):
        act(log, fails=True)
    calls = [(call.fields, call.outcome) for call in log.calls()]
    fields = {"tool": "approvals deny", "risk": "credential", "principal": "ann", "client": "page"}
    assert calls == [({**fields, "arguments": {"id": "x"}}, outcome) for outcome in ("done", "failed")]


def test_what_cannot_be_recorded_is_not_done(store: Store) -> None:
    log = AuditLog(store)
    act(log)
    for key in store.directory.glob("audit-key*"):
        key.unlink()
    done = []
    with (
        pytest.raises(StateError),
        recorded_action(AuditLog(store), "x", by="ann", client="page", details={}, clock=lambda: NOW),
    ):
        done.append(True)
    assert done == []
