"""The first stages of a call: find its tool, build the one request, and gather the facts that rules look at."""

from dataclasses import replace
from typing import Any

from mailgun_mcp.call.access import check_domains, check_risk
from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.large_calls import for_size
from mailgun_mcp.call.mailing_lists import MailingLists
from mailgun_mcp.call.preview_target import reading_before_call
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.builtin_tools import builtin_operation
from mailgun_mcp.catalogue.catalogue import is_deprecated
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.raised_risk import raised
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import ArgumentError, UnknownToolError
from mailgun_mcp.output.secrets import reference_text
from mailgun_mcp.output.url_secrets import REFERENCE as WITHHELD
from mailgun_mcp.policy.facts import Facts, gather, with_lists
from mailgun_mcp.policy.send_limits import allows_unknown_lists, restricts_recipients
from mailgun_mcp.request.build import Request, build
from mailgun_mcp.request.validate import validate
from mailgun_mcp.text.suggest import unknown
from mailgun_mcp.undo.page_reader import PageReader

TAKING_OVER = frozenset(
    {
        *("create_route", "update_route", "create_domain", "create_mailing_list"),
        *("create_template", "create_template_version"),
    }
)
"""Tools of which what exists decides how harmful a call is: see `call.takeovers`."""


def find_operation(services: Services, tool: str) -> Operation:
    """Return the operation of the tool. Raises UnknownToolError, which suggests the most similar name."""
    if tool in services.builtin_tools:
        return builtin_operation(tool)
    if tool not in services.catalogue and tool in services.all_tools:
        raise UnknownToolError(_not_offered(services, tool))
    if tool not in services.catalogue:
        raise UnknownToolError(unknown("tool", tool, [*services.catalogue.names, *services.builtin_tools]))
    return services.catalogue.find(tool)


def _not_offered(services: Services, tool: str) -> str:
    """Return the message that the tool exists, and which setting of the operator left it out."""
    reading = not services.catalogue.changes_something and services.all_tools.find(tool).risk != "read"
    why = "only offers tools that read (--read-only)" if reading else "was started with other tools"
    deprecated = {each["name"] for each in services.all_tools.tools() if is_deprecated(each)}
    gone = tool in deprecated and deprecated.isdisjoint(services.catalogue.names)
    choice = (
        "" if reading else f" ({'--no-deprecated, ' if gone else ''}--toolsets, --preset, --tools, --exclude-tools)"
    )
    return f"the tool {tool!r} exists, but this server {why}{choice}; only the person who starts it can change that"


def build_request(call: Call, arguments: Arguments, *, naming: str | None = None) -> Request:
    """Return the exact HTTP request that is shown, hashed and sent. Raises ArgumentError with all faults.

    The argument `naming` may contain a withheld secret; the request is then only used to decide on the call.
    """
    faults = validate(call.operation, arguments) or withheld_faults(
        {name: value for name, value in arguments.items() if name != naming}
    )
    if faults:
        raise ArgumentError(faults)
    return build(call.operation, arguments, call.services.files, subaccount=call.subaccount)


def withheld_faults(arguments: Arguments) -> list[str]:
    """Return a fault for each argument with the placeholder of a withheld secret: it would replace the real secret."""
    repeated = [name for name, value in arguments.items() if WITHHELD.search(str(value))]
    return [
        f"{name}: it contains a withheld secret, which only its owner knows. Leave it out, or ask the person for the "
        "whole value"
        for name in repeated
    ]


async def gather_facts(call: Call, request: Request) -> Facts:
    """Return the call as the rules of a policy see it. Raises MailgunError, StateError, DeniedError."""
    services = call.services
    call.record.digest = request.digest
    context = await services.history.context(
        call.operation,
        call.caller,
        call.account,
        digest=request.digest,
        subaccount=call.subaccount,
        unknown_lists_allowed=allows_unknown_lists(services.policy),
    )
    call.record.note_context(context)
    facts = await for_size(
        call.arguments, gather, call.operation, call.arguments, context, request.digest, request.files
    )
    check_domains(call, facts)
    _note_risk(call, facts)
    if facts.faults:
        return facts
    if facts.operation.name in TAKING_OVER:
        from mailgun_mcp.call.takeovers import takeovers

        facts = replace(facts, operation=raised(facts.operation, await takeovers(call, facts)))
        _note_risk(call, facts)
    if not facts.recipients:
        return facts
    reader = PageReader(services.client, call.subaccount, call.caller.notify)
    lists = MailingLists(services.all_tools, reader, read_addresses=restricts_recipients(services.policy))
    with reading_before_call(call.operation, "the size of the mailing lists"):
        return with_lists(facts, await lists.add_to(context, facts.recipients))


def _note_risk(call: Call, facts: Facts) -> None:
    """Record the risk that the facts show. Raises DeniedError if the principal's scopes do not allow it."""
    if facts.operation.risk != call.record.risk:
        call.record.risk = facts.operation.risk
        check_risk(call, facts)


async def generate_passwords(call: Call, request: Request) -> tuple[Request, dict[str, Any]]:
    """Return the request with generated passwords, and where the account's owner finds them.

    Runs after the confirmation, which is bound to the request with placeholders instead of passwords.
    """
    filled, references = await call.services.protection.generate_passwords(call.operation, call.arguments, call.account)
    if not references:
        return request, {}
    generated = {
        argument: reference_text(reference, call.services.store.command_directory)
        for argument, reference in references.items()
    }
    return build_request(call, filled), {"generated": generated}
