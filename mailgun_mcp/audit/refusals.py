"""Limits what a flood of refused calls can write: after a few entries, equal refusals are only counted.

A model, or whoever steers it, can cause any number of refusals. They must not push real calls out of the log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import Any

from mailgun_mcp.audit.call_record import CallRecord
from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.errors import Outcome
from mailgun_mcp.store.ids import new_id
from mailgun_mcp.text.durations import iso
from mailgun_mcp.text.sizes import size_of

NOT_MADE: frozenset[Outcome] = frozenset({"refused", "invalid", "pending", "asked"})
WINDOW = 3600.0
"""Length of the window in which equal refusals are counted together, in seconds."""
EQUAL_AT_MOST = 5
"""How many equal refusals in a window get separate entries."""
ALL_AT_MOST = 100
"""How many refusals in a window get separate entries in all."""
LARGEST = 4000
"""Largest arguments of a refused call that are recorded, in characters. Of larger ones only the names are."""
NAMES_AT_MOST = 40
KINDS_AT_MOST = 100
"""How many kinds of refusals are counted separately. All others are counted together."""
COUNTED = ("tool", "risk", "principal", "account", "account_id", "region", "policy", "decision")
"""Fields of a call record that the summary repeats."""

Kind = tuple[str, ...]


@dataclass(slots=True)
class _Counted:
    fields: dict[str, Any]
    outcome: Outcome
    first: float
    last: float
    written: int = 0
    count: int = 0
    """Number of refusals without separate entries."""


class Refusals:
    """The refusals in the current window. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._began = 0.0
        self._written = 0
        self._kinds: dict[Kind, _Counted] = {}

    def is_counted(self, record: CallRecord, outcome: Outcome) -> bool:
        """Return whether the call is only counted. Otherwise it must be recorded."""
        if record.begun or outcome not in NOT_MADE:
            return False
        now = self._clock()
        with self._lock:
            counted = self._of_kind(record, outcome, now)
            if counted.written < EQUAL_AT_MOST and self._written < ALL_AT_MOST:
                counted.written += 1
                self._written += 1
                return False
            if not counted.count:
                counted.first = now
            counted.count += 1
            counted.last = now
        return True

    def ended(self, *, now: bool = False) -> list[LogEntry]:
        """Return a summary entry for each kind, if the window is over or with `now`. A new window begins."""
        with self._lock:
            if not now and self._clock() - self._began < WINDOW:
                return []
            kinds, self._kinds, self._written = self._kinds, {}, 0
        return [_summary(counted) for counted in kinds.values() if counted.count]

    def _of_kind(self, record: CallRecord, outcome: Outcome, now: float) -> _Counted:
        if not self._kinds:
            self._began = now
        rule = record.decision.rule if record.decision else ""
        kind: Kind = (record.tool, record.principal, record.account.name, outcome, rule)
        if kind not in self._kinds and len(self._kinds) >= KINDS_AT_MOST:
            kind = ("",)
        if kind not in self._kinds:
            body = record.body() if len(kind) > 1 else {"tool": "(several)", "risk": record.risk}
            fields = {name: body[name] for name in COUNTED if name in body}
            self._kinds[kind] = _Counted(fields, outcome, now, now)
        return self._kinds[kind]


def without_large_arguments(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a refused call. If its arguments are large, it has only their names."""
    arguments = body.get("arguments", {})
    if size_of(arguments, LARGEST) <= LARGEST:
        return body
    names = islice(arguments, NAMES_AT_MOST)
    return {**body, "arguments": dict.fromkeys((name[:NAMES_AT_MOST] for name in names), "[not recorded]")}


def _summary(counted: _Counted) -> LogEntry:
    result = {
        "outcome": counted.outcome,
        "count": counted.count,
        "first": iso(counted.first),
        "last": iso(counted.last),
    }
    return LogEntry(new_id(12), "outcome", {**counted.fields, "result": result})
