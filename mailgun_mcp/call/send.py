"""Sends the request of a call once. Before, it saves a copy and records the intent; after, it records the outcome."""

import json
from typing import Any

from mailgun_mcp.audit.reach import unshown
from mailgun_mcp.call.access import check_risk
from mailgun_mcp.call.authorize import denied, quoted_in
from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.history import Reservation
from mailgun_mcp.catalogue.builtin_tools import UNDO_OPERATION
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.errors import DeniedError, MailgunError, OutcomeUnknownError, StateError
from mailgun_mcp.mailgun.response import Response, parse_json
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.prices import cost
from mailgun_mcp.request.build import Request


async def send(call: Call, facts: Facts, request: Request) -> Response:
    """Return Mailgun's answer.

    Raises MailgunError, DeniedError if a concurrent call used up a limit, and StateError if the intent or the copy
    cannot be saved: then nothing was sent.
    """
    services, record = call.services, call.record
    if record.changes:
        record.reached = unshown(facts, record.arguments, personal=services.policy.audit.personal)
    reservation = await _reserve(call, facts, request)
    await _record_intent(call, reservation)
    try:
        response = await services.client.send(request, repeatable=call.operation.idempotent, notify=call.caller.notify)
    except MailgunError as error:
        if is_absence(call.operation, error):
            await services.recorder.finish(record, "done", status=error.status)
            return absent_answer(call)
        await services.recorder.finish(record, "unknown" if error.reached else "failed", status=error.status)
        if error.reached and record.changes and request.save_as is None:
            raise OutcomeUnknownError(str(error), how_to_find_out(call, error.next_step)) from error
        await _take_back(call, reservation)
        error.next_step = _tools_for_what_exists(call, error) or error.next_step
        raise
    await services.recorder.finish(
        record, "done", status=response.status, attempts=response.attempts, request_id=response.request_id
    )
    if call.capture is not None:
        await call.capture.observe(body_of(response))
    return response


def is_absence(operation: Operation, error: MailgunError) -> bool:
    """Return whether the error means only that what the call reads does not exist, which counts as an answer."""
    absence = operation.absence
    return absence is not None and error.status == 404 and any(text in str(error) for text in absence.messages)


def absent_answer(call: Call) -> Response:
    """Return the answer "no" to a read, with the key that was searched for."""
    operation = call.operation
    fields = operation.output_schema["properties"]
    keys = {name: value for name, value in call.arguments.items() if name in fields}
    flag = operation.absence.flag if operation.absence else ""
    return Response(200, {"content-type": "application/json"}, json.dumps({flag: False, **keys}).encode())


def _tools_for_what_exists(call: Call, error: MailgunError) -> str:
    """Return which tools read and change what, according to Mailgun, already exists; empty for another error."""
    made = [effect.resource for effect in call.operation.affects if effect.kind == "makes"]
    if "already exists" not in str(error).lower() or not made:
        return ""
    resource = call.services.all_tools.resource(made[0])
    read, change = resource.one or resource.all, resource.replace or resource.put
    shows = f"{read.tool} shows it" if read else ""
    changes = f"{change.tool} changes it" if change and change.tool != call.operation.name else ""
    return ", and ".join(filter(None, (shows, changes))) + "."


async def _reserve(call: Call, facts: Facts, request: Request) -> Reservation | None:
    """Count a send and a call's cost before the call is made, and decide again: others may have been counted since."""
    services = call.services
    if call.record.undoes is not None and facts.operation.risk != "send" and not cost(services.policy, facts):
        # A step of an undo: stopping it halfway helps nobody.
        return None
    reservation, counted = await services.history.reserve(facts, cost(services.policy, facts))
    if reservation is None:
        return None
    try:
        check_risk(call, counted)
    except DeniedError:
        await services.history.release(reservation)
        raise
    decision = decide(services.policy, counted)
    if decision.effect == "deny":
        await services.history.release(reservation)
        raise denied(decision, request)
    if decision.effect == "confirm" and decide(services.policy, facts).allowed:
        await services.history.release(reservation)
        risk = f" ({counted.operation.risk_reason})" if counted.operation is not facts.operation else ""
        raise DeniedError(
            f"Not made ({decision.rule}): {decision.reason}{risk}, because of a concurrent call. Nothing was sent. If "
            "the call is made again, a person is asked first.",
            quoted=quoted_in(decision),
        )
    return reservation


async def _record_intent(call: Call, reservation: Reservation | None) -> None:
    services, record, capture = call.services, call.record, call.capture
    try:
        if capture is not None:
            await capture.save(record.call, until=services.clock() + services.policy.undo.keep)
            record.snapshot = capture.audit_fields
        await services.recorder.begin(record)
    except StateError:
        await _take_back(call, reservation)
        raise


async def _take_back(call: Call, reservation: Reservation | None) -> None:
    """Reverse the preparations of a call that was not made: it does not count, and needs no copy."""
    await call.services.history.release(reservation)
    if call.capture is not None:
        await call.capture.delete()


def how_to_find_out(call: Call, next_step: str) -> str:
    """Return the next step after a call that may have taken effect, its id in the audit log, and how to undo it."""
    saved = call.capture is not None and call.capture.saved
    back = f" If it took effect, {UNDO_OPERATION} with this id puts back what it changed." if saved else ""
    return f"{next_step} It is recorded as {call.record.call}.{back}"


def body_of(response: Response) -> Any:
    """Return the JSON value of an answer, or None where it is not JSON."""
    try:
        return parse_json(response.content)
    except (ValueError, UnicodeDecodeError):
        return None
