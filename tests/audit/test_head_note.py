"""The head is noted beside the database, signed with a key of the log."""

import json
from typing import Any

import pytest

from mailgun_mcp.audit.heads import FILE, noted
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.audit.log_keys import AuditKey, AuditKeys
from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import Store
from tests.support.audit_log import write
from tests.support.state import NOW


@pytest.mark.parametrize("rewritten", [{"signature": ""}, {"at": NOW + 1}, {"seq": 2}, {"hash": "other"}])
def test_a_note_that_is_not_signed_as_it_stands_is_not_believed(
    log: AuditLog, store: Store, rewritten: dict[str, Any]
) -> None:
    for _ in range(3):
        write(log)
    log.note_head(log.head(NOW))
    path = store.directory / FILE
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | rewritten), encoding="utf-8")
    assert log.verify().broken is not None
    with pytest.raises(StateError):
        log.note_head(log.head(NOW))
    log.restart(by="olga", reason="an editor changed the file", now=NOW + 60)
    assert log.verify().broken is None


def test_a_process_that_dies_between_the_first_note_and_its_key_leaves_a_log_that_begins(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(store)
    with monkeypatch.context() as patch:
        patch.setattr(AuditKeys, "add", _died)
        with pytest.raises(StateError, match="no power"):
            write(log)
    assert noted(store.directory) is not None
    write(log)
    assert log.verify().broken is None


def _died(*_: Any) -> AuditKey:
    raise StateError("no power")
