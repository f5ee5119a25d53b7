"""The tables of conversations and their runs: who owns a conversation, and which process is running it."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from mailgun_mcp.agent.errors import BadMessageError, BusyError, NotFoundError
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.store.connection import Connection
from mailgun_mcp.store.database import Store, stored

ConversationStatus = Literal["idle", "running", "waiting"]
ID = re.compile(r"[A-Za-z0-9._:@/+=-]{1,128}")
LEASE = 30.0
"""Seconds after its last renewal at which a run counts as abandoned, because its process died."""
DELETE = (
    "DELETE FROM agent_calls WHERE conversation = ?",
    "DELETE FROM agent_messages WHERE conversation = ?",
    "DELETE FROM agent_events WHERE conversation = ?",
    "DELETE FROM agent_runs WHERE conversation = ?",
    "DELETE FROM agent_conversations WHERE id = ?",
)
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Conversation:
    """A chat with the agent."""

    id: str
    principal: str
    title: str
    """The start of the person's first message."""
    created: float
    updated: float
    status: ConversationStatus
    turn: str
    """The id of the run that started the newest turn."""
    third_party_text: bool
    """Whether the model was shown third-party text in this conversation."""
    lease_until: float
    cancelling: bool

    @property
    def record(self) -> dict[str, Any]:
        """What its principal may see of the conversation, as JSON."""
        names = ("id", "title", "created", "updated", "status", "third_party_text")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Run:
    """A client's request and its result: a message with its answer, or answers to approvals and what follows."""

    conversation: str
    id: str
    turn: str
    after: int
    """The id of the last event before the run."""


class Conversations:
    """The tables of conversations and of runs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, name: str, principal: str) -> Conversation:
        """Return a conversation of the principal. Raises NotFoundError."""
        if not self._store.exists:
            raise NotFoundError(name)
        with self._store.reading() as connection:
            return _find(connection, name, principal)

    def list(self, principal: str) -> tuple[Conversation, ...]:
        """Return the newest conversations of the principal."""
        if not self._store.exists:
            return ()
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM agent_conversations WHERE principal = ? ORDER BY updated DESC, id LIMIT ?",
                (principal, MOST_LISTED),
            ).fetchall()
        return tuple(map(_conversation, rows))

    def delete(self, name: str, principal: str, now: float) -> None:
        """Delete a conversation with everything in it. Raises NotFoundError, BusyError."""
        with self._store.writing(lock=lock_of(name)) as connection:
            conversation = _find(connection, name, principal)
            if conversation.status == "running" and conversation.lease_until > now:
                raise BusyError
            for statement in DELETE:
                connection.execute(statement, (name,))

    def run(self, name: str, run: str, principal: str) -> Run | None:
        """Return the run of that id, or None. Raises NotFoundError for another principal's conversation."""
        if not self._store.exists:
            return None
        with self._store.reading() as connection:
            row = connection.execute(
                """SELECT agent_runs.*, principal FROM agent_runs
                JOIN agent_conversations ON agent_conversations.id = agent_runs.conversation
                WHERE conversation = ? AND agent_runs.id = ?""",
                (name, run),
            ).fetchone()
        if row is None:
            return None
        if row["principal"] != principal:
            raise NotFoundError(name)
        return Run(name, run, row["turn"], row["after_event"])

    def claim_new_turn(
        self, name: str, run: str, principal: Principal, client: str, *, title: str, holder: str, now: float
    ) -> tuple[Run, bool]:
        """Start a turn, in a new conversation if needed. Return the run, and whether an earlier run was cut off.

        Raises NotFoundError for another principal's conversation, BusyError while another run is active. The caller
        must check for open approvals first: after the claim, nothing else can open one.
        """
        with self._store.writing(lock=lock_of(name)) as connection:
            connection.execute(
                """INSERT INTO agent_conversations (id, principal, title, created, updated, status, turn,
                third_party_text, lease_by, lease_until, cancelling)
                VALUES (?, ?, ?, ?, ?, 'idle', '', 0, '', 0, 0) ON CONFLICT (id) DO NOTHING""",
                (name, principal.id, title, now, now),
            )
            return self._claim(connection, name, run, run, principal, client, holder, now)

    def claim_again(
        self, name: str, run: str, principal: Principal, client: str, *, holder: str, now: float
    ) -> tuple[Run, bool]:
        """Continue the waiting turn. Raises NotFoundError, BusyError."""
        with self._store.writing(lock=lock_of(name)) as connection:
            turn = _find(connection, name, principal.id).turn
            return self._claim(connection, name, run, turn, principal, client, holder, now)

    def _claim(
        self,
        connection: Connection,
        name: str,
        run: str,
        turn: str,
        principal: Principal,
        client: str,
        holder: str,
        now: float,
    ) -> tuple[Run, bool]:
        before = _find(connection, name, principal.id)
        if before.status == "running" and before.lease_until > now:
            raise BusyError
        connection.execute(
            """UPDATE agent_conversations SET status = 'running', turn = ?, updated = ?, lease_by = ?, lease_until = ?,
            cancelling = 0, caller = ? WHERE id = ?""",
            (turn, now, holder, now + LEASE, _caller(principal, client), name),
        )
        last = connection.execute("SELECT max(id) AS last FROM agent_events WHERE conversation = ?", (name,)).fetchone()
        after = last["last"] or 0
        connection.execute(
            "INSERT INTO agent_runs (conversation, id, turn, after_event) VALUES (?, ?, ?, ?)", (name, run, turn, after)
        )
        return Run(name, run, turn, after), before.status == "running"

    def renew(self, holder: str, names: Collection[str], now: float) -> set[str]:
        """Renew the runs of this process in these conversations. Return those in which somebody asked to cancel.

        A run whose end could not be written is not among them. So its lease ends, and the conversation goes on.
        """
        with self._store.writing(durable=False, lock=f"leases of {holder}") as connection:
            connection.executemany(
                "UPDATE agent_conversations SET lease_until = ? WHERE id = ? AND lease_by = ? AND status = 'running'",
                [(now + LEASE, name, holder) for name in names],
            )
            rows = connection.execute(
                "SELECT id FROM agent_conversations WHERE lease_by = ? AND status = 'running' AND cancelling = 1",
                (holder,),
            ).fetchall()
        return {row["id"] for row in rows}

    def broken(self, now: float) -> tuple[str, ...]:
        """Return the conversations whose run is no longer renewed, because its process died."""
        if not self._store.exists:
            return ()
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM agent_conversations WHERE status = 'running' AND lease_until <= ?", (now,)
            ).fetchall()
        return tuple(row["id"] for row in rows)

    def release(self, name: str, holder: str, status: ConversationStatus, now: float) -> None:
        """End this process's run of the conversation."""
        with self._store.writing(lock=lock_of(name)) as connection:
            connection.execute(
                """UPDATE agent_conversations SET status = ?, updated = ?, lease_by = '', lease_until = 0, cancelling = 0
                WHERE id = ? AND lease_by = ?""",
                (status, now, name, holder),
            )

    def ask_to_cancel(self, name: str) -> None:
        """Ask the process that runs the conversation to stop."""
        with self._store.writing(lock=lock_of(name)) as connection:
            connection.execute("UPDATE agent_conversations SET cancelling = 1 WHERE id = ?", (name,))

    def mark_third_party_text(self, name: str) -> None:
        """Remember that the model was shown third-party text."""
        with self._store.writing(durable=False, lock=lock_of(name)) as connection:
            connection.execute("UPDATE agent_conversations SET third_party_text = 1 WHERE id = ?", (name,))

    def caller(self, name: str) -> tuple[Principal, str]:
        """Return who asked last in the conversation, as they were authenticated then, and their client."""
        with self._store.reading() as connection:
            row = connection.execute("SELECT caller FROM agent_conversations WHERE id = ?", (name,)).fetchone()
        fields = stored(row["caller"], dict)
        access = fields["access"]
        scopes, accounts, domains = (access[key] for key in ("scopes", "accounts", "domains"))
        allowed = Access(
            None if scopes is None else frozenset(scopes),
            None if accounts is None else tuple(accounts),
            None if domains is None else tuple(domains),
        )
        principal = Principal(
            fields["id"], fields["authenticated"], allowed, fields["expires"], fields.get("credential", "")
        )
        return principal, fields["client"]


def lock_of(conversation: str) -> str:
    """Return the lock for transactions about one conversation. Other conversations are not blocked."""
    return f"conversation {conversation}"


def _bounds(access: Access) -> dict[str, Collection[str] | None]:
    """Return what limits the calls of a conversation. `relay` is left out, because it matters only for approvals."""
    return {"scopes": access.scopes, "accounts": access.accounts, "domains": access.domains}


def _caller(principal: Principal, client: str) -> str:
    access = {name: value if value is None else sorted(value) for name, value in _bounds(principal.access).items()}
    return json.dumps(
        {
            "id": principal.id,
            "authenticated": principal.authenticated,
            "expires": principal.expires,
            "credential": principal.credential,
            "access": access,
            "client": client,
        }
    )


def _find(connection: Connection, name: str, principal: str) -> Conversation:
    row = connection.execute(
        "SELECT * FROM agent_conversations WHERE id = ? AND principal = ?", (name, principal)
    ).fetchone()
    if row is None:
        raise NotFoundError(name)
    return _conversation(row)


def _conversation(row: Any) -> Conversation:
    fields = {name: row[name] for name in Conversation.__slots__}
    return Conversation(
        **{**fields, "third_party_text": bool(row["third_party_text"]), "cancelling": bool(row["cancelling"])}
    )


def check_id(what: str, name: str) -> None:
    """Raise BadMessageError if a client's id has an invalid form."""
    if not ID.fullmatch(name):
        raise BadMessageError(f"The id of the {what} must be 1 to 128 letters, digits or ._:@/+=-")
