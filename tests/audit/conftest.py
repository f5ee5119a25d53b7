"""What the tests of the audit log share."""

import pytest

from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.store.database import Store
from tests.support.apps import put_unused_state


@pytest.fixture
def log(store: Store, state_url: str | None) -> AuditLog:
    """A log without an entry."""
    if state_url is None:
        put_unused_state(store.directory)
    return AuditLog(store)
