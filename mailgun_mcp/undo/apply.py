"""Makes the calls of an undo, one after the other. What Mailgun refuses is told; what breaks can be gone on with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import MailgunError
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.undo.plan import Plan, Step
from mailgun_mcp.undo.resource_values import Unwritable, at
from mailgun_mcp.undo.snapshots import Snapshots

REFUSED = frozenset({400, 404, 409, 413, 422})
"""Statuses with which Mailgun says that this one thing cannot be done; after any other the rest would fail as well."""
Send = Callable[[Operation, Arguments], Awaitable[Any]]
"""Makes one call and returns the body of its answer."""


@dataclass
class Applied:
    """How far an undo came."""

    put_back: int = 0
    left: list[str] = field(default_factory=list)
    """What was not put back, and why."""


class Applier:
    """Applies the plan of one undo."""

    def __init__(self, catalogue: Catalogue, snapshots: Snapshots, call: str, send: Send) -> None:
        self._catalogue = catalogue
        self._snapshots = snapshots
        self._call = call
        self._send = send
        self.applied = Applied()

    async def apply(self, plan: Plan) -> None:
        """Make the calls. Raises MailgunError where going on makes no sense; `applied` says what was done by then."""
        self.applied.left += plan.left
        for step in plan.steps:
            await self._apply(plan, step)

    async def _apply(self, plan: Plan, step: Step) -> None:
        thing = str(step.things[0])
        try:
            operation, arguments = step.call(self._catalogue, plan.keys)
            if step.assigned:
                await in_thread(self._snapshots.begin_step, self._call, thing, step.known)
            body = await self._send(operation, arguments)
        except (MailgunError, Unwritable) as fault:
            if isinstance(fault, MailgunError) and (fault.status not in REFUSED or fault.reached):
                raise
            if len(step.things) > 1:
                # One that Mailgun does not take must not keep the others from coming back.
                for half in step.halves():
                    await self._apply(plan, half)
            else:
                self.applied.left.append(f"{thing}: {fault}")
            return
        self.applied.put_back += len(step.things)
        made = at(body, step.write.made) if step.assigned else None
        if made is not None:
            plan.keys[step.things[0].resource, str(step.things[0].key)] = str(made)
            await in_thread(self._snapshots.end_step, self._call, thing, str(made))
