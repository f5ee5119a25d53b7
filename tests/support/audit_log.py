"""Entries of an audit log."""

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.log import AuditLog
from tests.support.state import NOW


def write(log: AuditLog) -> None:
    """Append one entry."""
    log.append([LogEntry("call", "intent", {})], NOW, durable=False)
