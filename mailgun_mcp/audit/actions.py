"""Records in the audit log what people do besides calls: answers, grants, cleared marks, changes of who is trusted."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.log import AuditLog, new_call_id
from mailgun_mcp.errors import Outcome
from mailgun_mcp.output.logs import redactor


@contextmanager
def recorded_action(
    log: AuditLog,
    name: str,
    *,
    by: str,
    client: str,
    details: Mapping[str, Any],
    clock: Callable[[], float] = time.time,
) -> Iterator[None]:
    """Record what the block does: the intent before it, the outcome after it. If that is impossible, it does not run.

    The details must not contain secrets. Raises StateError.
    """
    call = new_call_id()
    body = {
        "tool": name,
        "risk": "credential",
        "principal": by,
        "client": client,
        "arguments": redactor().value(dict(details)),
    }
    log.append([LogEntry(call, "intent", body)], clock(), durable=True)
    outcome: Outcome = "failed"
    try:
        yield
        outcome = "done"
    finally:
        log.append([LogEntry(call, "outcome", {"result": {"outcome": outcome}})], clock(), durable=True)
