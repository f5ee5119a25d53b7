"""Writes into the audit log what a person changes with a command: who may approve, what is granted, which key is accepted."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from mailgun_mcp.audit.actions import recorded_action
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.identity.principal import login_user
from mailgun_mcp.store.database import Store

CHANGING = {
    "approvals": ("add-approver", "remove-approver", "grant", "revoke", "clear", "page"),
    "accounts": ("accept", "rename", "remove-key", "encrypt-keys"),
}
"""Command -> actions that change whom or what the server trusts."""
CREATING = ("add-approver", "page")
"""Actions that may be the first ever recorded in a state."""
RECORDED = ("name", "new", "key", "source", "id", "match", "span", "account", "principal", "by")
"""The arguments of the command line that are recorded. None of them is a secret."""


@contextmanager
def recorded(store: Store, command: str, arguments: argparse.Namespace) -> Iterator[None]:
    """Record the intent before the command runs and the outcome after it. It does not run if it cannot be recorded."""
    action = arguments.action
    if action not in CHANGING[command] or not (store.exists or action in CREATING):
        yield
        return
    details = {name: value for name in RECORDED if (value := getattr(arguments, name, None)) is not None}
    with recorded_action(
        AuditLog(store),
        f"mailgun-mcp {command} {action}",
        by=login_user().id,
        client="command line",
        details=details,
    ):
        yield
