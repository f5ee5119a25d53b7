"""One call from its name to its result: the list of its stages. Every entry point (MCP, CLI, Python) uses `run`."""

from asyncio import CancelledError
from functools import partial
from time import monotonic
from typing import Any

from mailgun_mcp.call.access import check_account, check_scopes
from mailgun_mcp.call.account_choice import choose_account
from mailgun_mcp.call.authorize import authorize
from mailgun_mcp.call.builtin_calls import run_builtin
from mailgun_mcp.call.complete import (
    asked_for,
    hint,
    owner_of,
    protect,
    protect_error,
    read_further,
    save_long_results,
    way_back,
)
from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.encoded_facts import with_encoded_facts
from mailgun_mcp.call.large_calls import for_size
from mailgun_mcp.call.prepare import build_request, find_operation, gather_facts, generate_passwords
from mailgun_mcp.call.preview_target import start_capture
from mailgun_mcp.call.read_target import TargetReader
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.returned_files import returned_file, save_file, without_long_base64
from mailgun_mcp.call.search_mode import unwrap
from mailgun_mcp.call.send import send
from mailgun_mcp.call.services import Services
from mailgun_mcp.call.shape_result import shape
from mailgun_mcp.call.shorten import shorten
from mailgun_mcp.call.stopped import stopped, unshown
from mailgun_mcp.call.withheld_urls import real_urls
from mailgun_mcp.catalogue.account_argument import ACCOUNT, WITHOUT_ACCOUNT
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.errors import CallError, StateError
from mailgun_mcp.identity.account import Account
from mailgun_mcp.output.logs import current_call
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.request.as_meant import as_meant
from mailgun_mcp.request.received_files import names_in

NOT_CHOSEN = Account("", "")
"""The account of a call that failed before its account was known."""


async def run(services: Services, tool: str, arguments: Arguments, caller: Caller) -> CallResult:
    """Make the call and return its result. An error of the call is returned as a result, not raised.

    Raises UnknownToolError for an unknown tool, and whatever the caller's asker raises to postpone a question.
    """
    try:
        tool, arguments = unwrap(services, tool, arguments)
        server, (services, arguments) = services, await choose_account(services, tool, arguments, caller.principal)
    except CallError as error:
        # There is no operation to call. The tool and arguments as received are what fails and is recorded.
        services.files.received.discard(names_in(arguments))
        call = await _start(services, tool, arguments, caller)
        refused = await _failed(call, error)
        _observe(call, 0.0)
        return refused
    call = await _start(services, tool, arguments, caller)
    is_part = current_call.get() is not None
    started, log = monotonic(), current_call.set(call.record.call)
    services.running.begin(call.record.call, part=is_part)
    try:
        check_scopes(call)
        call.account = call.record.account = await services.account.current(changes=call.record.changes)
        check_account(call)
        result = await (run_builtin(call, partial(run, services)) if tool in services.builtin_tools else _make(call))
    except CallError as error:
        return await _failed(call, error)
    except CancelledError:
        if not services.running.takes_stop(call.record.call):
            raise
        return await _failed(call, stopped(call))
    except Exception:
        if not call.record.begun:
            # The question is returned to the client, which calls again with the answer.
            await services.recorder.finish(call.record, "asked")
        raise
    finally:
        services.running.end(call.record.call)
        _observe(call, monotonic() - started)
        current_call.reset(log)
        services.files.received.discard(names_in(arguments))
    if services is not server and tool not in WITHOUT_ACCOUNT:
        result = {ACCOUNT: call.account.name, **result}
    structured, text = services.results.fit(result, owner_of(call))
    await save_long_results(services)
    return CallResult(text, structured, call=call.record.call, pictures=tuple(call.pictures), file=call.file)


def _observe(call: Call, seconds: float) -> None:
    for observe in call.services.observers:
        observe(call.record, seconds)


async def _start(services: Services, tool: str, arguments: Arguments, caller: Caller) -> Call:
    return await for_size(arguments, _call, services, find_operation(services, tool), arguments, caller)


def _call(services: Services, operation: Operation, arguments: Arguments, caller: Caller) -> Call:
    arguments = as_meant(operation, arguments)
    assumed = NOT_CHOSEN if services.accounts or services.without_account else services.account.assumed
    return Call.start(services, operation, arguments, caller, assumed, configured_subaccount=services.subaccount)


async def _failed(call: Call, error: CallError) -> CallResult:
    if isinstance(error, StateError) and call.record.outcome == "done":
        error = unshown(call, str(error))
    call.services.running.let_finish(call.record.call)
    await call.services.recorder.finish(call.record, error.outcome)
    return await protect_error(call, error)


async def _make(call: Call) -> dict[str, Any]:
    """Take the call through its stages. Raises CallError."""
    call.arguments = await real_urls(call)
    request = await for_size(call.arguments, build_request, call, call.arguments)
    facts = await gather_facts(call, request)
    decision = decide(call.services.policy, facts)
    call.capture = start_capture(call)
    try:
        target = TargetReader(call, request, facts, decision)
        await authorize(call, facts, request, decision, target)
        request, generated = await generate_passwords(call, request)
        response = await send(call, target.facts, request)
    finally:
        if call.capture is not None:
            await call.capture.discard()
    whole = with_encoded_facts(call.operation, shape(call.operation, call.arguments, response))
    call.file = returned_file(call, whole, response)
    saved = await save_file(call, request, whole, response)
    result = await protect(call, shorten(call.operation, call.arguments, whole), whole)
    result = without_long_base64(call, result, call.file)
    result |= await read_further(call, whole, partial(run, call.services))
    return {**result, **saved, **asked_for(call, facts), **generated, **hint(call), **way_back(call)}
