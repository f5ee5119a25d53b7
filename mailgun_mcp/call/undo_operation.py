"""A call of `undo_operation`: planned, decided on by policy, confirmed by a person and recorded like any other call."""

from dataclasses import dataclass, replace
from typing import Any

from mailgun_mcp.call.access import check_domains, check_risk
from mailgun_mcp.call.authorize import authorize
from mailgun_mcp.call.complete import fence_result
from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.preview_target import reading_before_call
from mailgun_mcp.call.send import body_of, send
from mailgun_mcp.catalogue.builtin_tools import UNDO_OPERATION, builtin_operation
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.raised_risk import raised
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.form import Preview, Target
from mailgun_mcp.errors import DeniedError
from mailgun_mcp.policy.facts import Context, Facts, gather
from mailgun_mcp.policy.model import Decision
from mailgun_mcp.request.build import Request, build
from mailgun_mcp.request.files import Files
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.undo.decision import decide_undo, worst_risk
from mailgun_mcp.undo.plan import Plan, Step
from mailgun_mcp.undo.report import dry_run_result, undo_preview
from mailgun_mcp.undo.snapshots import Snapshot
from mailgun_mcp.undo.undo import Undo, refuse_elsewhere


async def undo_operation(call: Call) -> dict[str, Any]:
    """Return the result of the call. Raises CallError, and what the caller's asker raises."""
    services = call.services
    snapshot = await in_thread(services.snapshots.get, call.arguments["id"], services.clock(), call.account.key)
    refuse_elsewhere(snapshot, account=call.account.key, endpoint=call.account.endpoint)
    if snapshot.status == "undone":
        await services.recorder.finish(call.record, "done")
        return {"message": f"{snapshot.id} is already undone; nothing was sent.", "put_back": 0, "not_put_back": []}
    undo_call = await _UndoCall.of(call, snapshot)
    undo_call.check_access()
    if call.arguments.get("dry_run"):
        await services.recorder.finish(call.record, "done")
        report = dry_run_result(undo_call.plan)
        return await fence_result(call, report.result, report.quoted)
    return await undo_call.run()


@dataclass
class _UndoCall:
    """One undo in progress: what it would do, and the facts of it that policy decides on."""

    call: Call
    undo: Undo
    context: Context
    plan: Plan
    """The plan as last computed."""

    @classmethod
    async def of(cls, call: Call, snapshot: Snapshot) -> "_UndoCall":
        services = call.services
        undo = Undo(snapshot, services.snapshots, services.reader(snapshot.subaccount, call.caller.notify))
        context = await services.history.context(
            call.operation, call.caller, call.account, digest="", subaccount=snapshot.subaccount
        )
        call.record.note_context(context)
        return cls(call, undo, context, await _planned(call, undo))

    def check_access(self) -> None:
        """Raise DeniedError if the principal may not see or do what the undo would do."""
        for step in self.plan.steps:
            facts = self._facts_of(step)
            check_domains(self.call, facts)
            if not self.call.arguments.get("dry_run"):
                check_risk(self.call, facts)

    async def run(self) -> dict[str, Any]:
        services, record, snapshot = self.call.services, self.call.record, self.undo.snapshot
        request = Request("UNDO", snapshot.id, content=snapshot.id.encode())
        facts, decision = self._decide(request)
        decided = self.plan.digest
        record.undoes, record.digest = snapshot.id, request.digest

        async def read_target() -> Target:
            return Target(facts, decision, await self._preview())

        await authorize(self.call, facts, request, decision, read_target)
        if self.plan.digest != decided:
            raise DeniedError("Not undone: the target changed in the meantime. Nothing was sent. Try again.")
        await services.recorder.begin(record)
        report = await self.undo.apply(self.plan, self._send, services.clock())
        await services.recorder.finish(record, "done", put_back=report.result["put_back"])
        return await fence_result(self.call, report.result, report.quoted)

    def _decide(self, request: Request) -> tuple[Facts, Decision]:
        """Return the facts of the undo, and the policy's decision on it and on every call that it would make."""
        services = self.call.services
        steps = [self._facts_of(step) for step in self.plan.steps]
        operation = builtin_operation(UNDO_OPERATION, worst_risk(steps))
        facts = gather(operation, {"id": self.undo.snapshot.id}, self.context, request.digest)
        decision = decide_undo(
            services.policy, facts, steps, offers=services.catalogue.__contains__, uncertain=self.plan.uncertain
        )
        return facts, decision

    def _facts_of(self, step: Step) -> Facts:
        """Return the facts of one call of the undo, for the policy."""
        facts = gather(*step.call(self.call.services.all_tools, self.plan.new_keys), self.context)
        # Replacing an existing resource can narrow it: the two versions are not compared here.
        narrowing = tuple(item for item in facts.operation.raises if item.narrows and step.action == "replace")
        return replace(facts, operation=raised(facts.operation, narrowing))

    async def _preview(self) -> Preview:
        self.plan = await _planned(self.call, self.undo)
        return undo_preview(self.undo.snapshot, self.plan)

    async def _send(self, operation: Operation, arguments: Arguments) -> Any:
        """Make one call of the undo, with its own audit record. It was decided on as part of the whole undo."""
        call, snapshot = self.call, self.undo.snapshot
        step = Call.start(
            call.services,
            operation,
            arguments,
            call.caller,
            call.account,
            configured_subaccount=snapshot.subaccount,
        )
        request = build(operation, arguments, Files(), subaccount=step.subaccount)
        step.record.undoes, step.record.digest = snapshot.id, request.digest
        step.record.note_context(self.context)
        step.record.decision = Decision("allow", "undo", f"part of {call.record.call}")
        return body_of(await send(step, gather(operation, arguments, self.context), request))


async def _planned(call: Call, undo: Undo) -> Plan:
    with reading_before_call(call.operation, "the current state"):
        return await undo.plan()
