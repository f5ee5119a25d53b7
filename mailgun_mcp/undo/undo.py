"""The undo of a call: a call like any other, which policy decides on, a person confirms, and the journal records."""

from collections.abc import Callable
from typing import Any

from mailgun_mcp.catalogue.builtin_tools import UNDO_OPERATION, builtin_operation
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.form import Preview
from mailgun_mcp.errors import ChangedSinceError, MailgunError, StateError, UndoInterruptedError
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Facts, gather
from mailgun_mcp.policy.model import LEVELS, Decision, Policy
from mailgun_mcp.request.build import Request
from mailgun_mcp.store.database import Store, in_thread
from mailgun_mcp.text.durations import iso
from mailgun_mcp.undo.apply import Applier, Send
from mailgun_mcp.undo.plan import Plan, Planner, Step, records_of
from mailgun_mcp.undo.reader import Reader
from mailgun_mcp.undo.snapshots import Snapshot, Snapshots

RISKS = ("read", "write", "send", "billing", "destructive", "credential")
"""From the least to the worst."""
SHOWN = 20
EFFECTS = ("allow", "confirm", "deny")


class Undoing:
    """The undo of one call.

    `offers` says whether a tool is one of the server's, `facts` gathers those of a call, `send` makes it.
    """

    def __init__(
        self,
        kept: Snapshot,
        reader: Reader,
        store: Store,
        policy: Policy,
        *,
        offers: Callable[[str], bool],
        facts: Callable[[Operation, Arguments], Facts],
    ) -> None:
        self.kept = kept
        self._reader = reader
        self._store = store
        self._policy = policy
        self._offers = offers
        self._facts = facts

    async def plan(self) -> Plan:
        """Return what would be done now. Raises ChangedSinceError, MailgunError, StateError."""
        plan = await self._plan()
        if plan.conflicts:
            raise ChangedSinceError(_changed(self.kept, plan))
        return plan

    async def _plan(self) -> Plan:
        snapshots = Snapshots(self._store)

        def load() -> Any:
            records = records_of(
                snapshots.entries(self.kept.id, "before"),
                snapshots.entries(self.kept.id, "after"),
            )
            return list(records), snapshots.steps(self.kept.id)

        records, begun = await in_thread(load)
        return await Planner(self._reader, begun).plan(records)

    def decide(self, plan: Plan) -> tuple[Facts, Request, Decision]:
        """Return the undo as policy sees it, and the strictest decision on it and on each of its calls."""
        calls = [self._facts(*step.call(self._reader.catalogue, plan.keys)) for step in plan.steps]
        risk = max((facts.operation.risk for facts in calls), key=RISKS.index, default="write")
        undo = self._facts(builtin_operation(UNDO_OPERATION, risk), {"id": self.kept.id})
        request = Request("UNDO", self.kept.id, content=self.kept.id.encode())
        facts = gather(undo.operation, undo.arguments, undo.context, request.digest)
        decisions = [decide(self._policy, facts), *map(self._decide, calls)]
        if plan.unsure:
            decisions.append(UNSURE)
        return facts, request, _strictest(decisions)

    def _decide(self, facts: Facts) -> Decision:
        tool = facts.operation.name
        if not self._offers(tool):
            return Decision("deny", "offered", f"it needs {tool}, which this server does not offer")
        decision = decide(self._policy, facts)
        return Decision(decision.effect, decision.rule, f"{tool}: {decision.reason}", decision.level)

    async def apply(self, plan: Plan, send: Send, now: float) -> dict[str, Any]:
        """Make the calls of the plan and return what came of it. `send` makes one, and returns the body of its answer.

        Raises UndoInterruptedError where it stopped half-way; the same undo again continues from there.
        """

        applier = Applier(self._reader.catalogue, Snapshots(self._store), self.kept.id, send)
        applied = applier.applied
        try:
            await applier.apply(plan)
        except MailgunError as fault:
            raise UndoInterruptedError(
                f"The undo of {self.kept.id} stopped after {applied.put_back:,} were put back. {fault}",
                f"Call {UNDO_OPERATION} with the same id to continue.",
            ) from fault
        left = [*applied.left, *await self._missing(applied.left)]
        if not left:
            await in_thread(Snapshots(self._store).undone, self.kept.id, now)
        return {
            "message": self._said(applied.put_back, left),
            "put_back": applied.put_back,
            "not_put_back": left[:SHOWN],
        }

    async def _missing(self, told: list[str]) -> list[str]:
        """Look whether all is as it was; Mailgun may take what it is told and keep something else."""
        again = await self._plan()
        unlike = [str(thing) for step in again.steps for thing in step.things]
        unseen = [f"{thing}: not seen yet" for thing in unlike if not any(one.startswith(f"{thing}: ") for one in told)]
        return unseen + [one for one in again.left if one not in told] + [str(conflict) for conflict in again.conflicts]

    def _said(self, put_back: int, left: list[str]) -> str:
        what = f"{self.kept.tool} ({self.kept.summary})" if self.kept.summary else self.kept.tool
        if not left:
            return f"{what} is undone: {put_back:,} put back or removed."
        return f"{what} is not wholly undone: {put_back:,} put back or removed, {len(left):,} not."

    def tell(self, plan: Plan) -> dict[str, Any]:
        """Return what the undo would do, for who only asks."""
        steps = [_told(step) for step in plan.steps[:SHOWN]]
        if len(plan.steps) > SHOWN:
            steps.append(f"and {len(plan.steps) - SHOWN:,} more calls")
        count = sum(len(step.things) for step in plan.steps)
        calls = f"{len(plan.steps):,} call{'' if len(plan.steps) == 1 else 's'}"
        message = f"{count:,} would be put back or removed by {calls}; {plan.done:,} are as they were."
        return {"message": message, "put_back": 0, "steps": steps, "not_put_back": plan.left[:SHOWN]}

    def preview(self, plan: Plan) -> Preview:
        """Return what a person is shown of the undo."""
        told = self.tell(plan)
        lines = [
            f"Undoes {self.kept.tool} of {iso(self.kept.created)} ({self.kept.summary or 'nothing was there'}).",
            *(f"- {step}" for step in told["steps"]),
            *(f"- cannot: {left}" for left in told["not_put_back"]),
        ]
        return Preview("\n".join(lines), plan.digest)


UNSURE = Decision(
    "confirm", "undo", "nobody could look right after the call, so that somebody may have changed it since", "ask"
)


def _strictest(decisions: list[Decision]) -> Decision:
    decision = max(decisions, key=lambda decision: EFFECTS.index(decision.effect))
    if decision.effect != "confirm":
        return decision
    asked = [other for other in decisions if other.effect == "confirm"]
    return max(asked, key=lambda other: LEVELS.index(other.level or "approval"))


def _told(step: Step) -> str:
    names = [str(thing) for thing in step.things[:3]]
    more = f" and {len(step.things) - 3:,} more" if len(step.things) > 3 else ""
    words = {"put": "put back", "replace": "set back", "remove": "remove"}
    return f"{words[step.action]} {', '.join(names)}{more} ({step.write.tool})"


def _changed(kept: Snapshot, plan: Plan) -> str:
    listed = "\n".join(f"- {conflict}" for conflict in plan.conflicts[:SHOWN])
    more = f"\nand {len(plan.conflicts) - SHOWN:,} more" if len(plan.conflicts) > SHOWN else ""
    return (
        f"Not undone: since {kept.tool} ({kept.id}) somebody changed what it touched. Nothing was sent.\n{listed}{more}\n"
        "Tell the person; what they want of it is set with the ordinary tools."
    )


def undoable(kept: Snapshot, operation: Operation | None) -> dict[str, Any]:
    """Return a call that can be undone, as it is listed."""
    missing = operation.undo.missing if operation and operation.undo else None
    return {
        "id": kept.id,
        "tool": kept.tool,
        "what": kept.summary,
        "at": iso(kept.created),
        "until": iso(kept.until),
        **({"outcome": kept.outcome} if kept.outcome != "done" else {}),
        **({"but_for": missing} if missing else {}),
    }


def refuse_elsewhere(kept: Snapshot, *, account: str, endpoint: str) -> None:
    """Raise StateError for a call that was made in another account or region: there are other things there."""
    if (kept.account, kept.endpoint) != (account, endpoint):
        raise StateError(f"{kept.id} was made in the account {kept.account} at {kept.endpoint}, not in this one")
