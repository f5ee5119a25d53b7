"""The stages of a call that decide on it, ask a person, copy what it would lose, and send it. `pipeline` names their order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.audit.recorder import Recording, confirmation_of, decision_of, recording_of
from mailgun_mcp.call.services import App, Refused
from mailgun_mcp.catalogue.builtin_tools import UNDO_OPERATION
from mailgun_mcp.catalogue.catalogue import ON_BEHALF_OF
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.confirm.confirm import Looker, confirm
from mailgun_mcp.confirm.form import Preview
from mailgun_mcp.confirm.pending import PendingApprovals
from mailgun_mcp.mailgun.errors import MailgunFault, Response, parse_json
from mailgun_mcp.policy.engine import decide, level_of
from mailgun_mcp.policy.facts import Facts, gather
from mailgun_mcp.policy.model import Decision
from mailgun_mcp.request.build import Request
from mailgun_mcp.store.database import StateError
from mailgun_mcp.text.durations import iso
from mailgun_mcp.undo.capture import Place, Snapshot
from mailgun_mcp.undo.preview import look


@dataclass
class Call:
    """One call on its way through the stages."""

    app: App
    operation: Operation
    arguments: Arguments
    caller: Caller
    recording: Recording
    snapshot: Snapshot | None = None
    """The copy of what the call removes or overwrites, where it can be put back."""

    @classmethod
    def of(cls, app: App, operation: Operation, arguments: Arguments, caller: Caller, **fields: Any) -> "Call":
        """Return a call of which nothing is decided yet; `fields` is what else the journal says of it."""
        known = {
            "account": app.account,
            "region": app.client.endpoint.region,
            "subaccount": arguments.get(ON_BEHALF_OF) or app.subaccount,
            "policy": [app.policy.name, app.policy.digest],
        }
        recording = recording_of(operation, arguments, caller, app.policy.audit, **{**known, **fields})
        return cls(app, operation, arguments, caller, recording)

    @property
    def subaccount(self) -> str | None:
        """The subaccount that the call acts in."""
        return self.arguments.get(ON_BEHALF_OF) or self.app.subaccount


async def gather_facts(call: Call, digest: str) -> Facts:
    """Return the call as rules see it. Raises MailgunFault, StateError."""
    app, operation = call.app, call.operation
    call.recording.fields["digest"] = digest
    members: dict[str, int] = {}
    if operation.risk == "send":
        with beforehand(operation, "the size of the mailing lists"):
            members = await app.mailing_lists.members(call.subaccount)
    context = await app.history.context(
        operation, call.caller, digest=digest, subaccount=call.arguments.get(ON_BEHALF_OF), list_members=members
    )
    return gather(operation, call.arguments, context, digest)


async def permit(call: Call, facts: Facts, request: Request, decision: Decision, see: Looker) -> list[str]:
    """Return the elevations that hold now. Raises Refused or NotConfirmed for a call that may not be made.

    `see` looks at what the call would touch.
    """
    call.recording.fields["decision"] = decision_of(decision)
    elevations = _elevations(call.app, facts, needed=decision.effect == "confirm")
    if decision.effect == "deny":
        raise Refused(_denied(decision, request))
    told = [told for _, told in elevations]
    if decision.effect == "allow" or _elevated(decision, elevations):
        if told:
            call.recording.fields["elevated"] = told
        preview = await see() if call.snapshot is not None else None
        if preview is None or not preview.beyond or call.app.policy.undo.too_many == "allow":
            return told
        decision = _too_much(call)
        call.recording.fields["decision"] = decision_of(decision)
    await _confirm(call, facts, request, decision, see)
    return told


def _too_much(call: Call) -> Decision:
    most = call.app.policy.undo.records
    return Decision(
        "confirm", "undo", f"it would lose more than {most:,} records, which are not copied", level_of(call.operation)
    )


def _elevations(app: App, facts: Facts, *, needed: bool) -> list[tuple[bool, str]]:
    """What a person allowed for a while: whether it covers this call, and how it is told.

    A call that needs none goes on without a state that can be read.
    """
    from mailgun_mcp.policy.conditions import compile_match

    try:
        active = app.store.grants.active(app.clock()) if app.store.exists else ()
    except StateError:
        if needed:
            raise
        return []
    return [
        (
            compile_match(elevation.match, "allow", app.policy.timezone).holds(facts),
            f"until {iso(elevation.until)} {elevation.by} allows calls with {elevation.match}",
        )
        for elevation in active
    ]


def _elevated(decision: Decision, elevations: list[tuple[bool, str]]) -> bool:
    """One person cannot allow for a while what needs two."""
    return decision.level != "two_people" and any(covers for covers, _ in elevations)


async def _confirm(call: Call, facts: Facts, request: Request, decision: Decision, see: Looker) -> None:
    app = call.app
    held = PendingApprovals(app.store, app.clock, app.policy.notify)
    confirmation = await confirm(
        facts, request, decision, app.policy, asker=call.caller.asker, approvals=held, look=see
    )
    call.recording.fields["confirmation"] = confirmation_of(confirmation)


async def see(call: Call) -> Preview:
    """Look at what the call would touch, and copy it where it can be put back."""
    app = call.app
    with beforehand(call.operation, "what it would touch"):
        if call.snapshot is not None:
            return await call.snapshot.take()
        return await look(
            app.known, app.client, call.operation, call.arguments, subaccount=app.subaccount, notify=call.caller.notify
        )


def snapshot_of(call: Call) -> Snapshot | None:
    """Return what copies what the call removes or overwrites; None where nothing can be put back."""
    if not call.operation.affects:
        return None
    app = call.app
    place = Place(app.account, app.client.endpoint.url, call.subaccount)
    reader = app.reader(call.subaccount, call.caller.notify)
    return Snapshot(reader, app.store, app.clock, call.operation, call.arguments, place, most=app.policy.undo.records)


@contextmanager
def beforehand(operation: Operation, wanted: str) -> Iterator[None]:
    """Tell a fault of a look before the call from one of the call, which was then not made."""
    try:
        yield
    except MailgunFault as fault:
        sentence = f"{operation.name} was not made: {wanted} cannot be read. {fault}"
        raise MailgunFault(sentence, fault.step, status=fault.status, transient=fault.transient) from fault


def _denied(decision: Decision, request: Request) -> str:
    return (
        f"Refused by policy ({decision.rule}): {decision.reason}. Nothing was sent; it would have been {request.line}. "
        "No confirmation lifts this; the person who runs the server can change its policy."
    )


async def _reserve(call: Call, facts: Facts, request: Request) -> int | None:
    """Count a send, and decide once more: others may have been counted since."""
    app = call.app
    reserved, counted = await app.history.reserve(facts)
    if reserved is None:
        return None
    decision = decide(app.policy, counted)
    if decision.effect == "deny":
        await app.history.release(reserved)
        raise Refused(_denied(decision, request))
    if decision.effect == "confirm" and decide(app.policy, facts).allowed:
        await app.history.release(reserved)
        raise Refused(
            f"Not made ({decision.rule}): {decision.reason}, by a call made at the same time. Nothing was sent. "
            "When it is made again, a person is asked."
        )
    return reserved


async def send(call: Call, facts: Facts, request: Request) -> Response:
    """Keep the copy, write the intent down, make the call once, and write down what became of it.

    Raises MailgunFault, and StateError where the intent or the copy cannot be kept: nothing was sent then.
    """
    app, recording, snapshot = call.app, call.recording, call.snapshot
    reserved = await _reserve(call, facts, request)
    try:
        if snapshot is not None:
            await snapshot.keep(recording.call, until=app.clock() + app.policy.undo.keep)
            recording.fields["snapshot"] = snapshot.told
        await app.recorder.intend(recording)
    except StateError:
        await app.history.release(reserved)
        await _forget(snapshot)
        raise
    try:
        response = await app.client.send(request, repeatable=call.operation.idempotent, notify=call.caller.notify)
    except MailgunFault as fault:
        await app.recorder.settle(recording, "unknown" if fault.reached else "failed", status=fault.status)
        if not fault.unknown:
            await app.history.release(reserved)
        if fault.reached and recording.changes:
            raise _unknown(call, fault) from fault
        await _forget(snapshot)
        raise
    await app.history.spent(facts)
    await app.recorder.settle(
        recording, "done", status=response.status, attempts=response.attempts, request_id=response.request_id
    )
    if snapshot is not None:
        await snapshot.observe(body_of(response))
    return response


async def _forget(snapshot: Snapshot | None) -> None:
    if snapshot is not None:
        await snapshot.drop()


def _unknown(call: Call, fault: MailgunFault) -> MailgunFault:
    """Name the record of a call of which nobody knows whether it took effect, and the way back."""
    copied = call.snapshot is not None and call.snapshot.kept
    back = f" If it took effect, {UNDO_OPERATION} with this id puts back what it changed." if copied else ""
    step = f"{fault.step} It is recorded as {call.recording.call}.{back}"
    return MailgunFault(str(fault), step, status=fault.status, unknown=fault.unknown, reached=True)


def body_of(response: Response) -> Any:
    """Return the JSON value of an answer, or None where it is none."""
    try:
        return parse_json(response.content)
    except (ValueError, UnicodeDecodeError):
        return None
