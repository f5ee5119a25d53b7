"""The stages of a call that decide on it, ask a person, copy what it would lose, and send it. `pipeline` names their order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.audit.recorder import CallRecord, confirmation_of, decision_of, recording_of
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.builtin_tools import UNDO_OPERATION
from mailgun_mcp.catalogue.catalogue import ON_BEHALF_OF
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.confirm.confirm import PreviewTarget, confirm
from mailgun_mcp.confirm.form import Preview
from mailgun_mcp.confirm.pending import PendingApprovals
from mailgun_mcp.errors import DeniedError, MailgunError, NotPreparedError, OutcomeUnknownError, StateError
from mailgun_mcp.mailgun.response import Response, parse_json
from mailgun_mcp.policy.engine import decide, level_of
from mailgun_mcp.policy.facts import Facts, gather
from mailgun_mcp.policy.model import Decision
from mailgun_mcp.request.build import Request
from mailgun_mcp.text.durations import iso
from mailgun_mcp.undo.capture import AccountScope, Capture
from mailgun_mcp.undo.preview import PreviewReader


@dataclass
class Call:
    """One call on its way through the stages."""

    services: Services
    operation: Operation
    arguments: Arguments
    caller: Caller
    recording: CallRecord
    capture: Capture | None = None
    """Of what the call removes or overwrites, where it can be undone."""

    @classmethod
    def of(
        cls, services: Services, operation: Operation, arguments: Arguments, caller: Caller, **fields: Any
    ) -> "Call":
        """Return a call of which nothing is decided yet; `fields` is what else the journal says of it."""
        known = {
            "account": services.account,
            "region": services.client.endpoint.region,
            "subaccount": arguments.get(ON_BEHALF_OF) or services.subaccount,
            "policy": [services.policy.name, services.policy.digest],
        }
        recording = recording_of(operation, arguments, caller, services.policy.audit, **{**known, **fields})
        return cls(services, operation, arguments, caller, recording)

    @property
    def subaccount(self) -> str | None:
        """The subaccount that the call acts in."""
        return self.arguments.get(ON_BEHALF_OF) or self.services.subaccount


async def gather_facts(call: Call, digest: str) -> Facts:
    """Return the call as rules see it. Raises MailgunError, StateError."""
    services, operation = call.services, call.operation
    call.recording.fields["digest"] = digest
    members: dict[str, int] = {}
    if operation.risk == "send":
        with reading_before_call(operation, "the size of the mailing lists"):
            members = await services.mailing_lists.members(call.subaccount)
    context = await services.history.context(
        operation, call.caller, digest=digest, subaccount=call.arguments.get(ON_BEHALF_OF), list_members=members
    )
    return gather(operation, call.arguments, context, digest)


async def authorize(
    call: Call, facts: Facts, request: Request, decision: Decision, preview_target: PreviewTarget
) -> list[str]:
    """Return the active grants, in words. Raises DeniedError or NotConfirmedError for a call that may not be made.

    `preview_target` reads what the call would affect.
    """
    call.recording.fields["decision"] = decision_of(decision)
    grants = _grants(call.services, facts, needed=decision.effect == "confirm")
    if decision.effect == "deny":
        raise DeniedError(_denied(decision, request))
    active = [description for _, description in grants]
    if decision.effect == "allow" or _granted(decision, grants):
        if active:
            call.recording.fields["elevated"] = active
        preview = await preview_target() if call.capture is not None else None
        if preview is None or not preview.too_many or call.services.policy.undo.too_many == "allow":
            return active
        decision = _too_many(call)
        call.recording.fields["decision"] = decision_of(decision)
    await _confirm(call, facts, request, decision, preview_target)
    return active


def _too_many(call: Call) -> Decision:
    limit = call.services.policy.undo.records
    return Decision(
        "confirm", "undo", f"it would lose more than {limit:,} records, which are not saved", level_of(call.operation)
    )


def _grants(services: Services, facts: Facts, *, needed: bool) -> list[tuple[bool, str]]:
    """Return the active grants: whether each covers this call, and its description.

    A call that needs none is made even when the state cannot be read.
    """
    from mailgun_mcp.policy.conditions import compile_match

    try:
        active = services.grants.active(services.clock()) if services.store.exists else ()
    except StateError:
        if needed:
            raise
        return []
    return [
        (
            compile_match(grant.match, "allow", services.policy.timezone).holds(facts),
            f"until {iso(grant.until)} {grant.by} allows calls with {grant.match}",
        )
        for grant in active
    ]


def _granted(decision: Decision, grants: list[tuple[bool, str]]) -> bool:
    """Return whether a grant covers the call; a grant of one person does not cover what needs two."""
    return decision.level != "two_people" and any(covers for covers, _ in grants)


async def _confirm(
    call: Call, facts: Facts, request: Request, decision: Decision, preview_target: PreviewTarget
) -> None:
    services = call.services
    confirmation = await confirm(
        facts,
        request,
        decision,
        services.policy,
        asker=call.caller.asker,
        approvals=PendingApprovals(services.store, services.clock, services.policy.notify),
        preview_target=preview_target,
    )
    call.recording.fields["confirmation"] = confirmation_of(confirmation)


async def preview_target(call: Call) -> Preview:
    """Return the current state of what the call would affect, and capture it where the call can be undone."""
    services = call.services
    with reading_before_call(call.operation, "its target"):
        if call.capture is not None:
            return await call.capture.take()
        reader = PreviewReader(services.known, services.client, services.subaccount, call.caller.notify)
        return await reader.preview(call.operation, call.arguments)


def capture_of(call: Call) -> Capture | None:
    """Return what captures what the call removes or overwrites; None where the call cannot be undone."""
    if not call.operation.affects:
        return None
    services = call.services
    return Capture(
        services.reader(call.subaccount, call.caller.notify),
        services.snapshots,
        services.clock,
        call.operation,
        call.arguments,
        AccountScope(services.account, services.client.endpoint.url, call.subaccount),
        limit=services.policy.undo.records,
    )


@contextmanager
def reading_before_call(operation: Operation, wanted: str) -> Iterator[None]:
    """Tell a fault of a look before the call from one of the call, which was then not made."""
    try:
        yield
    except MailgunError as error:
        raise NotPreparedError(
            f"{operation.name} was not made: {wanted} cannot be read. {error}", error.next_step
        ) from error


def _denied(decision: Decision, request: Request) -> str:
    return (
        f"Refused by policy ({decision.rule}): {decision.reason}. Nothing was sent; it would have been {request.line}. "
        "No confirmation lifts this; the person who runs the server can change its policy."
    )


async def _reserve(call: Call, facts: Facts, request: Request) -> int | None:
    """Count a send, and decide once more: others may have been counted since."""
    services = call.services
    reserved, counted = await services.history.reserve(facts)
    if reserved is None:
        return None
    decision = decide(services.policy, counted)
    if decision.effect == "deny":
        await services.history.release(reserved)
        raise DeniedError(_denied(decision, request))
    if decision.effect == "confirm" and decide(services.policy, facts).allowed:
        await services.history.release(reserved)
        raise DeniedError(
            f"Not made ({decision.rule}): {decision.reason}, by a call made at the same time. Nothing was sent. "
            "When it is made again, a person is asked."
        )
    return reserved


async def send(call: Call, facts: Facts, request: Request) -> Response:
    """Keep the copy, write the intent down, make the call once, and write down what became of it.

    Raises MailgunError, and StateError where the intent or the copy cannot be kept: nothing was sent then.
    """
    services, recording, capture = call.services, call.recording, call.capture
    reserved = await _reserve(call, facts, request)
    try:
        if capture is not None:
            await capture.save(recording.call, until=services.clock() + services.policy.undo.keep)
            recording.fields["snapshot"] = capture.audit_fields
        await services.recorder.begin(recording)
    except StateError:
        await services.history.release(reserved)
        await _forget(capture)
        raise
    try:
        response = await services.client.send(request, repeatable=call.operation.idempotent, notify=call.caller.notify)
    except MailgunError as error:
        await services.recorder.finish(recording, "unknown" if error.reached else "failed", status=error.status)
        if error.reached and recording.changes:
            raise OutcomeUnknownError(str(error), _look_up(call, error.next_step)) from error
        await services.history.release(reserved)
        await _forget(capture)
        raise
    await services.history.spent(facts)
    await services.recorder.finish(
        recording, "done", status=response.status, attempts=response.attempts, request_id=response.request_id
    )
    if capture is not None:
        await capture.observe(body_of(response))
    return response


async def _forget(capture: Capture | None) -> None:
    if capture is not None:
        await capture.delete()


def _look_up(call: Call, next_step: str) -> str:
    """Add the record of a call that may or may not have taken effect, and the way back."""
    saved = call.capture is not None and call.capture.saved
    back = f" If it took effect, {UNDO_OPERATION} with this id puts back what it changed." if saved else ""
    return f"{next_step} It is recorded as {call.recording.call}.{back}"


def body_of(response: Response) -> Any:
    """Return the JSON value of an answer, or None where it is none."""
    try:
        return parse_json(response.content)
    except (ValueError, UnicodeDecodeError):
        return None
