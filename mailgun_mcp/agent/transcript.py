"""The tables of messages and calls in a conversation. The model's history is built from them."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from mailgun_mcp.agent.conversations import lock_of
from mailgun_mcp.store.database import Store, stored

CallStatus = Literal[
    "new", "running", "waiting", "done", "failed", "refused", "denied", "expired", "cancelled", "unknown"
]
"""`new`: not begun. `running`: begun; if its process died, it is not known whether the call took effect."""
OPEN: tuple[CallStatus, ...] = ("new", "running", "waiting")
MessageKind = Literal["user", "response", "summary"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the model's history. The results of tools are in the calls."""

    number: int
    turn: str
    kind: MessageKind
    body: str
    """The user's text, the model's response as JSON, or a summary of everything before."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model asked for."""

    id: str
    turn: str
    message: int
    """The number of the response that asked for the call."""
    tool: str
    arguments: dict[str, Any] | None
    """None if the model's arguments were not a JSON object."""
    status: CallStatus = "new"
    approval: str | None = None
    binding: str | None = None
    """Digest of the exact call that the approval is bound to."""
    text: str = ""
    """The result in the form that the model reads."""
    log: str = ""
    """The id of the call in the audit log."""


class Transcript:
    """The tables of messages and calls of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def messages(self, conversation: str) -> list[Message]:
        """Return the messages of the model's history: the newest summary, and everything after it."""
        with self._store.reading() as connection:
            rows = connection.execute(
                """SELECT number, turn, kind, body FROM agent_messages WHERE conversation = ? AND number >= coalesce(
                (SELECT max(number) FROM agent_messages WHERE conversation = ? AND kind = 'summary'), 0)
                ORDER BY number""",
                (conversation, conversation),
            ).fetchall()
        return [Message(**dict(row)) for row in rows]

    def read(self, conversation: str) -> tuple[list[Message], list[ToolCall]]:
        """Return the messages of the model's history, and the calls that they asked for."""
        messages = self.messages(conversation)
        return messages, self.calls(conversation, since=messages[0].number)

    def add(
        self, conversation: str, turn: str, kind: MessageKind, body: str, calls: list[ToolCall] | None = None
    ) -> int:
        """Add a message, and the calls that it asks for. Return its number."""
        with self._store.writing(lock=lock_of(conversation)) as connection:
            row = connection.execute(
                "SELECT coalesce(max(number), 0) + 1 AS number FROM agent_messages WHERE conversation = ?",
                (conversation,),
            ).fetchone()
            connection.execute(
                "INSERT INTO agent_messages (conversation, number, turn, kind, body) VALUES (?, ?, ?, ?, ?)",
                (conversation, row["number"], turn, kind, body),
            )
            for position, call in enumerate(calls or ()):
                connection.execute(
                    """INSERT INTO agent_calls (conversation, id, turn, message, position, tool, arguments, status)
                    VALUES (?, ?, ?, ?, ?, ?, ?, 'new')""",
                    (conversation, call.id, turn, row["number"], position, call.tool, json.dumps(call.arguments)),
                )
        return int(row["number"])

    def insert_summary(self, conversation: str, turn: str, text: str, before: int) -> None:
        """Replace all messages numbered below `before` by a summary, for the model. People can still read them."""
        with self._store.writing(lock=lock_of(conversation)) as connection:
            connection.execute(
                "UPDATE agent_messages SET number = -number - 1 WHERE conversation = ? AND number >= ?",
                (conversation, before),
            )
            connection.execute(
                "UPDATE agent_calls SET message = message + 1 WHERE conversation = ? AND message >= ?",
                (conversation, before),
            )
            connection.execute(
                "UPDATE agent_messages SET number = -number WHERE conversation = ? AND number < 0", (conversation,)
            )
            connection.execute(
                "INSERT INTO agent_messages (conversation, number, turn, kind, body) VALUES (?, ?, ?, 'summary', ?)",
                (conversation, before, turn, text),
            )

    def calls(self, conversation: str, *, since: int = 0) -> list[ToolCall]:
        """Return the calls that the responses from number `since` on asked for, in order."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM agent_calls WHERE conversation = ? AND message >= ? ORDER BY message, position",
                (conversation, since),
            ).fetchall()
        return [_call(row) for row in rows]

    def open_calls(self, conversation: str) -> list[ToolCall]:
        """Return the calls without a result."""
        with self._store.reading() as connection:
            rows = connection.execute(
                """SELECT * FROM agent_calls WHERE conversation = ? AND status IN ('new', 'running', 'waiting')
                ORDER BY message, position""",
                (conversation,),
            ).fetchall()
        return [_call(row) for row in rows]

    def update(self, conversation: str, call: ToolCall) -> None:
        """Record a change of a call. It is on disk when this returns."""
        with self._store.writing(lock=lock_of(conversation)) as connection:
            connection.execute(
                """UPDATE agent_calls SET status = ?, approval = ?, binding = ?, text = ?, log = ?
                WHERE conversation = ? AND id = ?""",
                (call.status, call.approval, call.binding, call.text, call.log, conversation, call.id),
            )

    def waiting(self) -> list[tuple[str, str]]:
        """Return each waiting conversation with the approval that it waits for."""
        with self._store.reading() as connection:
            rows = connection.execute(
                """SELECT conversation, approval FROM agent_calls
                JOIN agent_conversations ON agent_conversations.id = conversation
                WHERE agent_calls.status = 'waiting' AND agent_conversations.status = 'waiting'"""
            ).fetchall()
        return [(row["conversation"], row["approval"]) for row in rows]


def _call(row: Any) -> ToolCall:
    fields = {name: row[name] for name in ToolCall.__slots__}
    arguments = row["arguments"]
    return ToolCall(**{**fields, "arguments": None if arguments == "null" else stored(arguments, dict)})
