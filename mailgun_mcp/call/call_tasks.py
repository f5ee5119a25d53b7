"""The table of tasks: calls that wait for a person's approval, and run when their client asks for their status.

Exactly one server claims the task of an approved call and makes the call. Meanwhile it keeps renewing its claim.
If a claim is not renewed, its server has ended, and the outcome of the call is unknown.
"""

import json
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Literal

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.store.database import Store

TaskStatus = Literal["waiting", "running", "completed", "failed", "cancelled"]

LOCK = "call tasks"
RETENTION = 86_400.0
"""How long a task can be read after its approval would have expired, in seconds."""
CLAIM = 30.0
"""How long a claim lasts without renewal, in seconds."""


@dataclass(frozen=True, slots=True)
class CallTask:
    """A call that waits for an approval, is being made, or has ended."""

    id: str
    principal: str
    client: str
    tool: str
    arguments: Arguments
    approval: str
    """The id of the approval that the call waits for."""
    created: float
    updated: float
    expires: float
    status: TaskStatus
    claimed_until: float
    outcome: dict[str, Any]
    """The result of a completed call or the error of a failed one; otherwise empty."""


class CallTasks:
    """The table of tasks. Arguments and results are encrypted if servers share a database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(
        self, principal: str, client: str, tool: str, arguments: Arguments, approval: str, *, now: float, ttl: float
    ) -> CallTask:
        """Add a task for a call that waits for `approval`, which is valid for `ttl` seconds. Raises StateError."""
        name = token_hex(16)
        with self._store.writing(lock=LOCK) as connection:
            connection.execute("DELETE FROM call_tasks WHERE expires <= ?", (now,))
            connection.execute(
                """INSERT INTO call_tasks
                (id, principal, client, tool, arguments, approval, created, updated, expires, status, claimed_until, outcome)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0, ?)""",
                (
                    *(name, principal, client, tool, self._written(name, arguments), approval, now, now),
                    *(now + ttl + RETENTION, self._written(name, {})),
                ),
            )
        task = self.find(name, principal, now)
        assert task is not None  # noqa: S101 - it was just written
        return task

    def find(self, name: str, principal: str, now: float) -> CallTask | None:
        """Return the task with that name if it belongs to the principal and has not expired, else None."""
        if not self._store.exists:
            return None
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT * FROM call_tasks WHERE id = ? AND principal = ? AND expires > ?", (name, principal, now)
            ).fetchone()
        if row is None:
            return None
        read = {column: self._read(name, row[column]) for column in ("arguments", "outcome")}
        return CallTask(**{**dict(row), **read})

    def claim(self, task: CallTask, now: float) -> bool:
        """Claim a waiting task. Of all servers that try, only one gets True."""
        return self._changed(
            "UPDATE call_tasks SET status = 'running', claimed_until = ?, updated = ? WHERE id = ? AND status = 'waiting'",
            (now + CLAIM, now, task.id),
        )

    def renew(self, task: CallTask, now: float) -> None:
        """Renew the claim of a call that is still being made."""
        self._changed(
            "UPDATE call_tasks SET claimed_until = ? WHERE id = ? AND status = 'running'", (now + CLAIM, task.id)
        )

    def wait(self, task: CallTask, approval: str, now: float) -> None:
        """Make a claimed task wait for another approval, which the call needs because its target has changed."""
        self._changed(
            "UPDATE call_tasks SET status = 'waiting', approval = ?, updated = ? WHERE id = ? AND status = 'running'",
            (approval, now, task.id),
        )

    def end(self, task: CallTask, status: Literal["completed", "failed"], outcome: dict[str, Any], now: float) -> bool:
        """End a task whose status is still that of `task`, and return whether this call ended it."""
        return self._changed(
            "UPDATE call_tasks SET status = ?, outcome = ?, updated = ? WHERE id = ? AND status = ?",
            (status, self._written(task.id, outcome), now, task.id, task.status),
        )

    def cancel(self, task: CallTask, now: float) -> bool:
        """Cancel a waiting task, and return whether no other task waits for its approval."""
        with self._store.writing(lock=LOCK) as connection:
            done = connection.execute(
                "UPDATE call_tasks SET status = 'cancelled', updated = ? WHERE id = ? AND status = 'waiting'",
                (now, task.id),
            )
            others = connection.execute(
                "SELECT 1 FROM call_tasks WHERE approval = ? AND status = 'waiting'", (task.approval,)
            ).fetchone()
        return done.rowcount == 1 and others is None

    def _changed(self, statement: str, values: tuple[Any, ...]) -> bool:
        with self._store.writing(lock=LOCK) as connection:
            return connection.execute(statement, values).rowcount == 1

    def _written(self, name: str, value: Any) -> bytes:
        text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
        sealer = self._store.sealer
        return text if sealer is None else sealer.seal(text, sealed_name(name))

    def _read(self, name: str, written: bytes) -> Any:
        sealer = self._store.sealer
        text = bytes(written) if sealer is None else sealer.unseal(bytes(written), sealed_name(name))
        return json.loads(text.decode("utf-8", "surrogatepass"))


def sealed_name(name: str) -> str:
    """Return the name under which arguments and outcome of a task are sealed."""
    return f"the task {name}"
