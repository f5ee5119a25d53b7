"""Undoes one call: plans how to reverse its changes, and makes the necessary calls one after the other.

An interrupted undo can be repeated: what is already as it was before the call is left alone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import ChangedSinceError, MailgunError, StateError, UndoInterruptedError
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.undo.plan import Conflict, Failure, Plan, Step
from mailgun_mcp.undo.planner import Change, Planner, changes_of
from mailgun_mcp.undo.reader import ResourceReader
from mailgun_mcp.undo.report import Report, changed_since, undo_result
from mailgun_mcp.undo.resource_values import UnwritableError, value_at
from mailgun_mcp.undo.snapshots import BegunStep, Snapshot, Snapshots

REFUSED = frozenset({400, 404, 409, 413, 422})
"""Statuses that concern only one resource. After any other, the next call would fail too."""
Send = Callable[[Operation, Arguments], Awaitable[Any]]
"""Makes one call and returns the body of its answer."""


@dataclass
class Progress:
    """How far an undo has come."""

    put_back: int = 0
    failures: list[Failure] = field(default_factory=list)
    """What was not restored."""


class Undo:
    """The undo of one call."""

    def __init__(self, snapshot: Snapshot, snapshots: Snapshots, reader: ResourceReader) -> None:
        self.snapshot = snapshot
        self._snapshots = snapshots
        self._reader = reader
        self._catalogue = reader.catalogue

    async def plan(self) -> Plan:
        """Return what would be done now. Raises ChangedSinceError, MailgunError, StateError."""
        plan = await self._plan()
        if plan.conflicts:
            text, quoted = changed_since(self.snapshot, plan)
            raise ChangedSinceError(text, quoted=quoted)
        return plan

    async def apply(self, plan: Plan, send: Send, now: float) -> Report:
        """Make the calls of the plan through `send`, and return the result.

        Raises UndoInterruptedError if it stopped halfway; repeating the undo continues from there.
        """
        progress = Progress(failures=list(plan.impossible))
        try:
            for step in plan.steps:
                await self._make(plan, step, send, progress)
        except MailgunError as fault:
            raise UndoInterruptedError(
                f"The undo of {self.snapshot.id} stopped after {progress.put_back:,} were put back. {fault}",
                "Call undo_operation again with the same id to continue.",
            ) from fault
        failures = [*progress.failures, *await self._still_different(progress.failures)]
        if not failures:
            await in_thread(self._snapshots.mark_undone, self.snapshot.id, now)
        return undo_result(self.snapshot, progress.put_back, failures, self._operation)

    async def _plan(self) -> Plan:
        changes, begun = await in_thread(self._load)
        return await Planner(self._reader, begun, done=self.snapshot.outcome == "done").plan(changes)

    def _load(self) -> tuple[list[Change], dict[str, BegunStep]]:
        call = self.snapshot.id
        changes = changes_of(self._snapshots.affected(call), self._snapshots.observed(call))
        return list(changes), self._snapshots.steps(call)

    async def _make(self, plan: Plan, step: Step, send: Send, progress: Progress) -> None:
        """Make one step. If Mailgun refuses many resources at once, each half is tried separately."""
        try:
            await self._send_step(plan, step, send)
        except (MailgunError, UnwritableError) as error:
            if isinstance(error, MailgunError) and (error.status not in REFUSED or error.reached):
                raise
            if len(step.refs) == 1:
                quoted = error.quoted if isinstance(error, MailgunError) else (str(error),)
                progress.failures.append(Failure(step.refs[0], str(error), quoted))
                return
            for half in step.halves():
                await self._make(plan, half, send, progress)
        else:
            progress.put_back += len(step.refs)

    async def _send_step(self, plan: Plan, step: Step, send: Send) -> None:
        operation, arguments = step.call(self._catalogue, plan.new_keys)
        if not step.assigned:
            await send(operation, arguments)
            return
        call, (ref, *_) = self.snapshot.id, step.refs
        await in_thread(self._snapshots.begin_step, call, str(ref), step.existing_keys)
        new_key = value_at(await send(operation, arguments), step.write.made)
        if new_key is not None:
            plan.new_keys[ref.resource, str(ref.key)] = str(new_key)
            await in_thread(self._snapshots.end_step, call, str(ref), str(new_key))

    async def _still_different(self, failures: list[Failure]) -> list[Failure | Conflict]:
        """Return what still differs from before the call: Mailgun may accept a value but store another one."""
        plan = await self._plan()
        refs = [ref for step in plan.steps for ref in step.refs]
        reported = {failure.ref for failure in failures}
        return [
            *(Failure(ref, "not visible yet") for ref in refs if ref not in reported),
            *(failure for failure in plan.impossible if failure not in failures),
            *plan.conflicts,
        ]

    @property
    def _operation(self) -> Operation | None:
        """The operation that was called, if the catalogue still has it."""
        return self._catalogue.find(self.snapshot.tool) if self.snapshot.tool in self._catalogue else None


def refuse_elsewhere(snapshot: Snapshot, *, account: str, endpoint: str) -> None:
    """Raise StateError for a call in another account or region. The message does not tell a model which one."""
    if (snapshot.account, snapshot.endpoint) != (account, endpoint):
        raise StateError(
            f"{snapshot.id} was made in another account, or at another endpoint: undo it with the server that made it"
        )
