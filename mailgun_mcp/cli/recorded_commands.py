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
"""Command -> its actions that change whom or what the server trusts."""
CREATING = ("add-approver", "page")
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
    details = {name: value for name in RECORDED if (value := getattr(arguments, name, None)) is not None}
    with recorded_action(
        AuditLog(store),
        f"mailgun-mcp {command} {action}",
        by=login_user().id,
        client="command line",
        details=details,
    ):
        yield
