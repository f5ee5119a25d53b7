"""The table of approvals: calls that wait for a person, and what people answered. No tool reads or writes it."""

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mailgun_mcp.confirm.bounded_text import LONGEST_REASON
from mailgun_mcp.errors import NotConfirmedError, StateError, UnknownNameError
from mailgun_mcp.policy.model import Level, reaches
from mailgun_mcp.settings import shell_command
from mailgun_mcp.store.connection import Connection
from mailgun_mcp.store.database import MONTHS, Store, stored
from mailgun_mcp.store.ids import new_id
from mailgun_mcp.text.durations import iso
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    from mailgun_mcp.confirm.form import Form

ApprovalStatus = Literal["pending", "approved", "denied", "used", "expired", "stale", "withdrawn"]

QUIET = 60.0
"""Minimum time between two notifications about the same target, in seconds."""
LIVE: tuple[ApprovalStatus, ...] = ("pending", "approved")
"""Statuses that can still expire, or become stale when the target changes."""
SHOWN = ("id", "status", "tool", "title", "text", "level", "typed", "account", "principal", "client")
NEEDED = {"two_people": 2}
LOCK = "approvals"
SELECT = """SELECT approvals.*, coalesce((SELECT name FROM account_names WHERE id = account), account) AS account_name
FROM approvals"""
ANSWERS = "SELECT answers FROM approvals"


@dataclass(frozen=True, slots=True)
class Answer:
    """One person's answer."""

    by: str
    at: float
    yes: bool
    reason: str = ""
    """Why they said no, in their words. The model reads it."""
    relay: str = ""
    """The principal of the program that passed on the answer; empty if the person answered here."""

    def __str__(self) -> str:
        return f"{self.by} (relayed by {self.relay})" if self.relay else self.by


@dataclass(frozen=True, slots=True)
class Approval:
    """A call that waits, or waited, for a person's approval."""

    id: str
    created: float
    expires: float
    status: ApprovalStatus
    tool: str
    title: str
    text: str
    """The form that the person sees, the same as in the client."""
    level: Level
    typed: str | None
    account: str
    """The name of the account."""
    principal: str
    client: str
    binding: str
    preview: str
    answers: tuple[Answer, ...]
    details: dict[str, Any] = field(default_factory=dict)
    """The call as unshortened data: see `form.CallDetails`. Empty for approvals of version 0.1."""
    notified: float | None = None
    """When the hooks ran for it; None if they did not."""

    @property
    def target(self) -> str:
        """The name of what the call affects."""
        return str(self.details.get("target") or self.typed or "")

    @property
    def full_record(self) -> dict[str, Any]:
        """The record with all arguments in full, and with recipients, senders and destinations as data."""
        return {**self.record, "call": self.details}

    @property
    def record(self) -> dict[str, Any]:
        """What a person or their program may see, as JSON: everything except what the approval is bound to."""
        shown = {field: getattr(self, field) for field in SHOWN} | {"target": self.target}
        times = {name: iso(getattr(self, name)) for name in ("created", "expires")}
        answers = [
            {
                "by": answer.by,
                "at": iso(answer.at),
                "yes": answer.yes,
                **({"reason": answer.reason} if answer.reason else {}),
                **({"relayed_by": answer.relay} if answer.relay else {}),
            }
            for answer in self.answers
        ]
        return {**shown, **times, "answers": answers}

    @property
    def people(self) -> str:
        """The people whose answers count: a no makes every yes before it void."""
        refusals = [answer for answer in self.answers if not answer.yes]
        return " and ".join(str(answer) for answer in refusals or self.answers)


class Approvals:
    """The table of approvals."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def request(
        self,
        form: "Form",
        *,
        tool: str,
        title: str,
        account: str,
        principal: str,
        client: str,
        now: float,
        ttl: float,
        most: int,
    ) -> Approval:
        """Request an approval and return it. The same call on an unchanged target has only one.

        A pending approval for another state of the target becomes stale: nobody should be asked about it any more.
        Raises NotConfirmedError if `most` approvals of the principal are already pending.
        """
        with self._store.writing(lock=LOCK) as connection:
            _expire(connection, now)
            connection.execute("DELETE FROM approvals WHERE expires < ?", (now - MONTHS,))
            for pending in _bound(connection, form.binding.digest, "pending", now):
                if _covers(pending, form.preview, form.level):
                    return pending
                _mark(connection, pending, "stale")
            self._refuse_too_many(connection, principal, most)
            name = _new_id(connection)
            connection.execute(
                """INSERT INTO approvals (id, created, expires, status, tool, title, text, level, typed, account,
                principal, client, binding, preview, details)
                VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    *(name, now, now + ttl, tool, title, form.text, form.level, form.typed),
                    *(account, principal, client, form.binding.digest, form.preview),
                    json.dumps(asdict(form.call), ensure_ascii=False),
                ),
            )
            return _find(connection, name, now)

    def find_approved(self, binding: str, preview: str, now: float, *, level: Level) -> Approval | None:
        """Return the approval, at `level` or higher, that permits the bound call, or None.

        An approval for another state of the target, or at too low a level, becomes stale.
        """
        with self._store.writing(lock=LOCK) as connection:
            _expire(connection, now)
            for approval in _bound(connection, binding, "approved", now):
                if _covers(approval, preview, level):
                    return approval
                _mark(connection, approval, "stale")
        return None

    def has_outdated(self, binding: str) -> bool:
        """Return whether a person approved the bound call, but the approval has become stale."""
        with self._store.reading() as connection:
            rows = connection.execute(f"{ANSWERS} WHERE binding = ? AND status = 'stale'", (binding,)).fetchall()
        return any(answer.yes for row in rows for answer in _answers(row))

    def consume(self, name: str, now: float) -> bool:
        """Consume the approval. Return False if another process was faster, or it is no longer valid."""
        with self._store.writing(lock=LOCK) as connection:
            done = connection.execute(
                "UPDATE approvals SET status = 'used' WHERE id = ? AND status = 'approved' AND expires > ?", (name, now)
            )
        return done.rowcount == 1

    def get(self, name: str, now: float) -> Approval:
        """Return one approval. Raises UnknownNameError if there is none."""
        with self._store.reading() as connection:
            return _find(connection, name, now)

    def list(self, now: float, status: ApprovalStatus | None = None, *, since: float = 0.0) -> tuple[Approval, ...]:
        """Return the approvals that end after `since`, oldest first, of one status or all."""
        condition = "expires > ?"
        values: tuple[object, ...] = (since,)
        if status not in (None, "expired"):
            # The others need not be read: a server that asks for the pending ones has answered thousands.
            condition, values = f"{condition} AND status = ?", (since, status)
        with self._store.reading() as connection:
            rows = connection.execute(f"{SELECT} WHERE {condition} ORDER BY created, id", values).fetchall()
        approvals = (_approval(row, now) for row in rows)
        return tuple(approval for approval in approvals if status in (None, approval.status))

    def claim_notification(self, name: str, now: float) -> bool:
        """Return whether to notify people of the approval now, and record that this is done.

        Each approval gets one notification, and each target at most one a minute, so that an agent cannot flood people.
        An approval that was skipped is still in the list, and is notified if the call is repeated after the minute.
        """
        with self._store.writing(lock=LOCK) as connection:
            approval = _find(connection, name, now)
            rows = connection.execute(
                """SELECT *, account AS account_name FROM approvals
                WHERE account = (SELECT account FROM approvals WHERE id = ?) AND notified > ? AND notified <= ?""",
                (name, now - QUIET, now),
            )
            heard = {_subject(_approval(row, now)) for row in rows}
            if approval.notified is not None or _subject(approval) in heard:
                return False
            connection.execute("UPDATE approvals SET notified = ? WHERE id = ?", (now, name))
        return True

    def approve(self, name: str, *, by: str, now: float, typed: str | None = None, relay: str = "") -> Approval:
        """Record a person's yes and return the approval; at level `two_people` the second yes approves.

        Raises UnknownNameError if there is no such approval, StateError if it is not pending, the typed text is wrong,
        or the person has already answered. `by` is who answers: at level `two_people`, only an authenticated name.
        """
        with self._store.writing(lock=LOCK) as connection:
            _expire(connection, now)
            approval = _find(connection, name, now)
            _refuse_yes(approval, by, typed, relay)
            answers = (*approval.answers, Answer(by.strip(), now, True, relay=relay))
            complete = len(answers) >= NEEDED.get(approval.level, 1)
            _mark(connection, approval, "approved" if complete else "pending", answers)
            return _find(connection, name, now)

    def last_denial(self, binding: str, now: float) -> Answer | None:
        """Return the latest no to the bound call. It counts until its approval would have expired."""
        with self._store.reading() as connection:
            row = connection.execute(
                f"{ANSWERS} WHERE binding = ? AND status = 'denied' AND expires > ? ORDER BY created DESC, id DESC LIMIT 1",
                (binding, now),
            ).fetchone()
        # A no ends an approval, so it is the last of its answers.
        return _answers(row)[-1] if row else None

    def deny(self, name: str, *, by: str, now: float, reason: str = "", relay: str = "") -> Approval:
        """Record a person's no and return the approval. A no also revokes an unused yes.

        Raises UnknownNameError if there is no such approval, StateError if it can no longer be answered.
        """
        with self._store.writing(lock=LOCK) as connection:
            _expire(connection, now)
            approval = _find(connection, name, now)
            if approval.status not in LIVE:
                raise StateError(_closed(approval, "denied"))
            _mark(
                connection,
                approval,
                "denied",
                (*approval.answers, Answer(by.strip(), now, False, reason.strip()[:LONGEST_REASON], relay)),
            )
            return _find(connection, name, now)

    def withdraw(self, name: str, *, principal: str, now: float) -> bool:
        """Withdraw a request for approval, for its requester. Return whether it could still be answered or used.


        Raises UnknownNameError if the principal has no such approval.
        """
        with self._store.writing(lock=LOCK) as connection:
            _expire(connection, now)
            approval = _find(connection, name, now)
            if approval.principal != principal:
                raise UnknownNameError(f"unknown approval {name!r}")
            if approval.status not in LIVE:
                return False
            _mark(connection, approval, "withdrawn")
        return True

    def _refuse_too_many(self, connection: Connection, principal: str, most: int) -> None:
        """Count the principal's approvals across all accounts: people answer all of them in one list."""
        row = connection.execute(
            "SELECT count(*) FROM approvals WHERE principal = ? AND status = 'pending'", (principal,)
        ).fetchone()
        if row[0] >= most:
            command = shell_command("approvals", "list", state=self._store.command_directory)
            raise NotConfirmedError(
                f"Not made: {row[0]} calls of {principal} are already waiting for an approval, which is the most that "
                f"may wait at once. Nothing was sent. Ask a person to answer them (`{command}`), and then make "
                "the call again.",
                "too many",
            )


def _subject(approval: Approval) -> str:
    return approval.target or approval.tool


def _refuse_yes(approval: Approval, by: str, typed: str | None, relay: str) -> None:
    if approval.status != "pending":
        raise StateError(_closed(approval, "approved"))
    if not by.strip():
        raise StateError("an approval needs the name of the person who gives it")
    if any(same_person(answer.by, by) for answer in approval.answers):
        raise StateError(f"{by} has already approved {approval.id}: a second person must approve it")
    if relay and any(same_person(answer.relay, relay) for answer in approval.answers):
        raise StateError(f"{relay} brought the first approval of {approval.id}: the second must come another way")
    if approval.typed is not None and (typed or "").strip() != (approval.typed.strip() or None):
        raise StateError(f"wrong name: to approve {approval.id}, type the name of its target, {approval.typed}")


def _closed(approval: Approval, attempted: str) -> str:
    """Return why the approval can no longer be answered."""
    ended = {
        "pending": "is waiting for an answer",
        "approved": f"has already been approved by {approval.people}",
        "denied": f"has been denied by {approval.people}",
        "used": f"was approved by {approval.people} and has been used",
        "expired": "has expired",
        "stale": "is about a target that has changed since",
        "withdrawn": "was withdrawn by the client that asked for it",
    }
    return f"approval {approval.id} {ended[approval.status]}: it can no longer be {attempted}"


def same_person(one: str, other: str) -> bool:
    """Return whether two names, however they are written, belong to the same person."""
    from unicodedata import normalize

    first, second = (normalize("NFKC", name).strip().casefold() for name in (one, other))
    return first == second


def _covers(approval: Approval, preview: str, level: Level) -> bool:
    return approval.preview == preview and reaches(approval.level, level)


def _bound(connection: Connection, binding: str, status: ApprovalStatus, now: float) -> list[Approval]:
    rows = connection.execute(
        f"{SELECT} WHERE binding = ? AND status = ? ORDER BY created, id", (binding, status)
    ).fetchall()
    return [_approval(row, now) for row in rows]


def _mark(
    connection: Connection,
    approval: Approval,
    status: ApprovalStatus,
    answers: tuple[Answer, ...] | None = None,
) -> None:
    text = json.dumps(
        [[answer.by, answer.at, answer.yes, answer.reason, answer.relay] for answer in answers or approval.answers]
    )
    connection.execute("UPDATE approvals SET answers = ?, status = ? WHERE id = ?", (text, status, approval.id))


def _find(connection: Connection, name: str, now: float) -> Approval:
    row = connection.execute(f"{SELECT} WHERE id = ?", (name,)).fetchone()
    if row is None:
        pending = [other["id"] for other in connection.execute("SELECT id FROM approvals WHERE status = 'pending'")]
        raise UnknownNameError(unknown("approval", name, pending, none="no call waits for an answer"))
    return _approval(row, now)


def _expire(connection: Connection, now: float) -> None:
    """Mark expired approvals, so that they stay expired even if the clock is set back."""
    connection.execute(
        "UPDATE approvals SET status = 'expired' WHERE status IN ('pending', 'approved') AND expires <= ?", (now,)
    )


def _new_id(connection: Connection) -> str:
    while True:
        name = new_id(8)
        if connection.execute("SELECT 1 FROM approvals WHERE id = ?", (name,)).fetchone() is None:
            return name


def _answers(row: Any) -> tuple[Answer, ...]:
    return tuple(Answer(*answer) for answer in stored(row["answers"], list))


def _approval(row: Any, now: float) -> Approval:
    fields = dict(row)
    fields["account"] = fields.pop("account_name")
    fields["answers"] = _answers(row)
    fields["details"] = stored(row["details"], dict)
    if row["status"] in LIVE and row["expires"] <= now:
        fields["status"] = "expired"
    return Approval(**fields)
