"""The events of a conversation, independent of any protocol. Adapters translate them."""

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
"""How a run ends: `waiting` for approvals, `stopped` at a limit, `failed` because of the model or a server fault."""


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
  `expired`, `cancelled` or `unknown` (it may have taken effect); `text` is shortened, `log` is the call's id in the
  audit log, `undo` is the id to undo it with, or None.
- `approval_needed`: a person must answer. `form` is what they are shown; `typed` is what they must type, or None;
  `expires` is a time (ISO 8601); `answerable`: whether the person of the conversation may approve here. They may
  always deny.
- `approval_answered`: `status` is `approved`, `denied` or `expired`. The answer may have been given anywhere.
- `third_party_text`: from now on, the model has seen third-party text: show a badge.
- `usage` is what the conversation has cost so far. `cost` is in US dollars, None if the price is not known.
- `ended` is the last event of a run. `text` gives the reason if the outcome is not `done`.
"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a conversation."""

    id: int
    """Increases within the conversation. Clients use it to ask for the events that follow."""
    turn: str
    at: float
    kind: EventKind
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> dict[str, Any]:
        """The event as JSON."""
        return {"id": self.id, "turn": self.turn, "at": self.at, "kind": self.kind, **self.body}
