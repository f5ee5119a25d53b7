"""What the tests of the audit log share."""

import pytest

from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.store.database import Store


@pytest.fixture
def log(store: Store) -> AuditLog:
    """A log without an entry."""
    return AuditLog(store)
