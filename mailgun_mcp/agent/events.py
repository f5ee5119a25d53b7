"""The events of a conversation, whatever the protocol: adapters translate them."""

from dataclasses import dataclass, field
from typing import Any, Literal

EventKind = Literal[
    "user_message",
    "text",
    "tool_started",
    "tool_finished",
    "approval_needed",
    "approval_answered",
    "third_party_text",
    "warning",
    "usage",
    "ended",
]
Outcome = Literal["done", "waiting", "cancelled", "failed", "stopped"]
"""How a run ends: `waiting` for approvals, `stopped` at a limit, `failed` at the model or a fault of the server."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    outcome: Outcome
    text: str = ""


FIELDS: dict[EventKind, tuple[str, ...]] = {
    "user_message": ("text",),
    "text": ("message", "text"),
    "tool_started": ("call", "tool", "title", "arguments", "risk"),
    "tool_finished": ("call", "tool", "status", "text", "log", "undo"),
    "approval_needed": ("call", "approval", "tool", "title", "level", "typed", "form", "expires", "answerable"),
    "approval_answered": ("call", "approval", "status", "by", "reason"),
    "third_party_text": ("call",),
    "warning": ("text",),
    "usage": ("requests", "input_tokens", "output_tokens", "cost", "tool_calls", "seconds"),
    "ended": ("outcome", "text"),
}
"""Kind -> the fields of its body.

- `text` is a piece of the assistant's answer; pieces of one message have the same `message`.
- `tool_started`: `arguments` are without secrets. `tool_finished`: `status` is `done`, `failed`, `refused`, `denied`,
  `expired`, `cancelled` or `unknown` (nobody knows whether it took effect); `text` is shortened, `log` is the id of the
  call in the audit log, `undo` the id with which it is undone, or None.
- `approval_needed`: a person must answer. `form` is what they are shown, `typed` what they must type or None, `expires`
  a time (ISO 8601), `answerable` whether the person of the conversation may say yes here. A no always may be said.
- `approval_answered`: `status` is `approved`, `denied` or `expired`. It comes from wherever it was answered.
- `third_party_text`: from now on the model has seen text that third parties wrote: show a badge.
- `usage` is what the conversation has cost so far. `cost` is in US dollars, None where the price is not known.
- `ended` is the last event of a run. `text` says why where the outcome is not `done`.
"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a conversation."""

    id: int
    """Grows within the conversation. What follows an event is read by it."""
    turn: str
    at: float
    kind: EventKind
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> dict[str, Any]:
        """The event as JSON."""
        return {"id": self.id, "turn": self.turn, "at": self.at, "kind": self.kind, **self.body}
