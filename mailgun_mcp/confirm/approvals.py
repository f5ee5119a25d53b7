"""Held calls, and what persons said to them. No tool reads or writes these."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.policy.model import LEVELS, Level
from mailgun_mcp.store.database import MONTHS, Store, stored
from mailgun_mcp.store.ids import new_id
from mailgun_mcp.text.durations import iso
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    import sqlite3

    from mailgun_mcp.confirm.form import Form

Status = Literal["pending", "approved", "denied", "used", "expired", "stale"]

LIVE: tuple[Status, ...] = ("pending", "approved")
"""What time and a changed target can end."""
SHOWN = ("id", "status", "tool", "title", "text", "level", "typed", "account", "caller", "client")
NEEDED = {"two_people": 2}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person said."""

    by: str
    at: float
    yes: bool


@dataclass(frozen=True, slots=True)
class Approval:
    """A held call."""

    id: str
    created: float
    expires: float
    status: Status
    tool: str
    title: str
    text: str
    """What the person is shown; the same as in the client's form."""
    level: Level
    typed: str | None
    account: str
    caller: str
    client: str
    binding: str
    preview: str
    answers: tuple[Answer, ...]

    @property
    def record(self) -> dict[str, Any]:
        """What a person or their program may see, as JSON: all but what the approval is bound by."""
        shown = {field: getattr(self, field) for field in SHOWN}
        times = {name: iso(getattr(self, name)) for name in ("created", "expires")}
        answers = [{"by": answer.by, "at": iso(answer.at), "yes": answer.yes} for answer in self.answers]
        return {**shown, **times, "answers": answers}

    @property
    def people(self) -> str:
        """Who answered."""
        return " and ".join(answer.by for answer in self.answers)


class Approvals:
    """The table of held calls."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def request(
        self, form: "Form", *, tool: str, title: str, account: str, caller: str, client: str, now: float, ttl: float
    ) -> Approval:
        """Hold a call and return it; a call that is held already, in the same state of its target, is that one.

        One that is held for another state of its target is stale: nobody should be asked about what is no more.
        """
        with self._store.writing() as connection:
            _expire(connection, now)
            connection.execute("DELETE FROM approvals WHERE expires < ?", (now - MONTHS,))
            for held in _bound(connection, form.binding.digest, "pending", now):
                if _covers(held, form.preview, form.level):
                    return held
                _mark(connection, held, "stale")
            name = _new_id(connection)
            connection.execute(
                """INSERT INTO approvals (id, created, expires, status, tool, title, text, level, typed, account,
                caller, client, binding, preview) VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    *(name, now, now + ttl, tool, title, form.text, form.level, form.typed),
                    *(account, caller, client, form.binding.digest, form.preview),
                ),
            )
            return _find(connection, name, now)

    def find_approved(self, binding: str, preview: str, now: float, *, level: Level) -> Approval | None:
        """Return the approval, given at `level` or a higher one, that lets the bound call through, or None.

        One that was given for another state of the target, or asked less of a person than is asked now, is no
        longer good, and marked so.
        """
        with self._store.writing() as connection:
            _expire(connection, now)
            for approval in _bound(connection, binding, "approved", now):
                if _covers(approval, preview, level):
                    return approval
                _mark(connection, approval, "stale")
        return None

    def consume(self, name: str, now: float) -> bool:
        """Use the approval up. False when another process was first, or it is no longer good."""
        with self._store.writing() as connection:
            done = connection.execute(
                "UPDATE approvals SET status = 'used' WHERE id = ? AND status = 'approved' AND expires > ?", (name, now)
            )
        return done.rowcount == 1

    def get(self, name: str, now: float) -> Approval:
        """Return one held call. Raises UnknownNameError when there is none."""
        with self._store.reading() as connection:
            return _find(connection, name, now)

    def list(self, now: float, status: Status | None = None) -> tuple[Approval, ...]:
        """Return the held calls, oldest first, of one status or all."""
        with self._store.reading() as connection:
            rows = connection.execute("SELECT * FROM approvals ORDER BY created, id").fetchall()
        held = (_approval(row, now) for row in rows)
        return tuple(approval for approval in held if status in (None, approval.status))

    def approve(self, name: str, *, by: str, now: float, typed: str | None = None) -> Approval:
        """Record a person's yes and return the call; with level `two_people` the second one's yes approves.

        Raises UnknownNameError when there is no such call, StateError when it is not pending, what was typed is wrong,
        the person answered before, or `by` is the caller, who is no person to ask.
        """
        with self._store.writing() as connection:
            _expire(connection, now)
            approval = _find(connection, name, now)
            _refuse_yes(approval, by, typed)
            answers = (*approval.answers, Answer(by.strip(), now, True))
            complete = len(answers) >= NEEDED.get(approval.level, 1)
            _mark(connection, approval, "approved" if complete else "pending", answers)
            return _find(connection, name, now)

    def deny(self, name: str, *, by: str, now: float) -> Approval:
        """Record a person's no, also after a yes that is not used yet, and return the call.

        Raises UnknownNameError when there is no such call, StateError when it is over.
        """
        with self._store.writing() as connection:
            _expire(connection, now)
            approval = _find(connection, name, now)
            if approval.status not in LIVE:
                raise StateError(_over(approval, "denied"))
            _mark(connection, approval, "denied", (*approval.answers, Answer(by.strip(), now, False)))
            return _find(connection, name, now)


def _refuse_yes(approval: Approval, by: str, typed: str | None) -> None:
    if approval.status != "pending":
        raise StateError(_over(approval, "approved"))
    if not by.strip():
        raise StateError("an approval names the person who gives it")
    if _same(by, approval.caller):
        raise StateError(f"{by} made the call {approval.id}: it needs another person's yes")
    if any(_same(answer.by, by) for answer in approval.answers):
        raise StateError(f"{by} has approved {approval.id} already: it needs a second person")
    if approval.typed is not None and (typed or "").strip() != (approval.typed.strip() or None):
        raise StateError(f"wrong name: to approve {approval.id}, type the name of what it touches, {approval.typed}")


def _over(approval: Approval, wanted: str) -> str:
    """Say why the call can no longer be answered."""
    ended = {
        "pending": "waits for an answer",
        "approved": f"has been approved by {approval.people} already",
        "denied": f"has been denied ({approval.people})",
        "used": f"has been approved by {approval.people}, and used",
        "expired": "has expired",
        "stale": "is about something that has changed since",
    }
    return f"{approval.id} {ended[approval.status]}: it can no longer be {wanted}"


def _same(one: str, other: str) -> bool:
    """Return whether two names are one person's, however they are written."""
    from unicodedata import normalize

    first, second = (normalize("NFKC", name).strip().casefold() for name in (one, other))
    return first == second


def _covers(approval: Approval, preview: str, level: Level) -> bool:
    return approval.preview == preview and approval.level in LEVELS[LEVELS.index(level) :]


def _bound(connection: "sqlite3.Connection", binding: str, status: Status, now: float) -> list[Approval]:
    rows = connection.execute(
        "SELECT * FROM approvals WHERE binding = ? AND status = ? ORDER BY created, id", (binding, status)
    ).fetchall()
    return [_approval(row, now) for row in rows]


def _mark(
    connection: "sqlite3.Connection", approval: Approval, status: Status, answers: tuple[Answer, ...] | None = None
) -> None:
    text = json.dumps([[answer.by, answer.at, answer.yes] for answer in answers or approval.answers])
    connection.execute("UPDATE approvals SET answers = ?, status = ? WHERE id = ?", (text, status, approval.id))


def _find(connection: "sqlite3.Connection", name: str, now: float) -> Approval:
    row = connection.execute("SELECT * FROM approvals WHERE id = ?", (name,)).fetchone()
    if row is None:
        known = [found["id"] for found in connection.execute("SELECT id FROM approvals WHERE status = 'pending'")]
        raise UnknownNameError(unknown("approval", name, known))
    return _approval(row, now)


def _expire(connection: "sqlite3.Connection", now: float) -> None:
    """Once seen to be over it stays so, even when the clock is set back."""
    connection.execute(
        "UPDATE approvals SET status = 'expired' WHERE status IN ('pending', 'approved') AND expires <= ?", (now,)
    )


def _new_id(connection: "sqlite3.Connection") -> str:
    while True:
        name = new_id(8)
        if connection.execute("SELECT 1 FROM approvals WHERE id = ?", (name,)).fetchone() is None:
            return name


def _approval(row: Any, now: float) -> Approval:
    fields = dict(row)
    fields["answers"] = tuple(Answer(*answer) for answer in stored(row["answers"], list))
    if row["status"] in LIVE and row["expires"] <= now:
        fields["status"] = "expired"
    return Approval(**fields)
