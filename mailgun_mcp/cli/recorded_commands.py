"""Writes into the audit log what a person changes with a command: who may approve, what is granted, which key is accepted."""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.log import AuditLog, new_call_id
from mailgun_mcp.errors import Outcome
from mailgun_mcp.identity.principal import login_user
from mailgun_mcp.output.logs import redactor
from mailgun_mcp.store.database import Store

CHANGING = {
    "approvals": ("add-approver", "remove-approver", "grant", "revoke", "clear"),
    "accounts": ("accept", "rename"),
}
"""Command -> its actions that change whom or what the server trusts."""
CREATING = ("add-approver",)
"""Actions that can be the first that a state sees."""
RECORDED = ("name", "new", "key", "source", "id", "match", "span", "account", "principal", "by")
"""What is recorded of the command line. No secret is among it."""


@contextmanager
def recorded(store: Store, command: str, arguments: argparse.Namespace) -> Iterator[None]:
    """Record the command: the intent before it is done, the outcome after it. What cannot be recorded is not done."""
    action = arguments.action
    if action not in CHANGING[command] or not (store.exists or action in CREATING):
        yield
        return
    log, call = AuditLog(store), new_call_id()
    given = {name: value for name in RECORDED if (value := getattr(arguments, name, None)) is not None}
    _write(
        log,
        LogEntry(
            call,
            "intent",
            {
                "tool": f"mailgun-mcp {command} {action}",
                "risk": "credential",
                "principal": login_user().id,
                "client": "command line",
                "arguments": redactor().value(given),
            },
        ),
    )
    outcome: Outcome = "failed"
    try:
        yield
        outcome = "done"
    finally:
        body: dict[str, Any] = {"result": {"outcome": outcome}}
        _write(log, LogEntry(call, "outcome", body))


def _write(log: AuditLog, entry: LogEntry) -> None:
    log.append([entry], time.time(), durable=True)
