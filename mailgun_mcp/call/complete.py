"""The last stages of a call: what a model may see of the result, and how the call can be undone."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.results import CallResult, Owner
from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import CallError, NotConfirmedError, StateError
from mailgun_mcp.output.logs import logger
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.text.durations import iso

if TYPE_CHECKING:
    from mailgun_mcp.call.workflows.reads import Run

DOUBLED = re.compile(r"\\\\[.+*?^$()\[\]{}|]")
"""A regular expression's special character after a doubled backslash: one backslash would have escaped it."""


async def protect(call: Call, result: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """Return the result without secrets and with untrusted text marked, and record that the caller saw such text.

    `whole` also has the fields that the result leaves out: they may say who wrote the others.
    """
    services = call.services
    protected, untrusted = services.protection.apply(call.operation, result, call.account, whole, owner=owner_of(call))
    if untrusted:
        await services.history.shown_untrusted(call.account, call.caller)
    return protected


def owner_of(call: Call) -> Owner:
    """Return who may read the rest of the call's long results."""
    return Owner(call.caller.principal.id, call.account.key)


async def save_long_results(services: Services) -> None:
    """Save the results that were cut, so that any server can return the rest of them."""
    unsaved = services.results.take_unsaved()
    if not unsaved:
        return
    try:
        await in_thread(services.kept_results.save, unsaved, services.clock())
    except StateError as error:
        # The call was made. Its result is shown, and this server can still return the rest.
        logger().warning("a long result is not saved for other servers", reason=str(error))


async def protect_error(call: Call, error: CallError) -> CallResult:
    """Return an error as the result of the call. Text in it that third parties may have written is fenced."""
    quoted = [part for cause in _causes(error) for part in cause.quoted]
    text = error.text(call.operation.name)
    protection = call.services.protection
    text, quoted = protection.without_url_secrets(text), protection.without_url_secrets(quoted)
    approval = error.details if isinstance(error, NotConfirmedError) else None
    shown = await _shown(call, quoted)
    if shown:
        text = protection.fence_in_text(text, shown)
        approval = approval and protection.fence_in_result(approval, shown)
    return CallResult(text, kind=error.kind, approval=approval, call=call.record.call)


async def fence_result(call: Call, result: dict[str, Any], quoted: Sequence[str]) -> dict[str, Any]:
    """Return a built-in tool's result. Text in it that third parties may have written is fenced."""
    protection = call.services.protection
    result, quoted = protection.without_url_secrets(result), protection.without_url_secrets(list(quoted))
    quoted = await _shown(call, quoted)
    return protection.fence_in_result(result, quoted) if quoted else result


async def _shown(call: Call, quoted: Sequence[str]) -> Sequence[str]:
    """Return those of `quoted` that can be third-party text, and record that the caller saw them.

    Names, Mailgun's own words and what the caller sent cannot be third-party text.
    """
    if not any(quoted):
        return ()
    from mailgun_mcp.output.names import is_name
    from mailgun_mcp.output.quotes import is_plain, words_of

    own_words = words_of(call.operation, call.arguments)
    quoted = [part for part in quoted if part and not is_name(part.strip("'\"")) and not is_plain(part, own_words)]
    if quoted:
        await call.services.history.shown_untrusted(call.account, call.caller)
    return quoted


def _causes(error: BaseException | None) -> Iterator[CallError]:
    while isinstance(error, CallError):
        yield error
        error = error.__cause__


def asked_for(call: Call, facts: Facts) -> dict[str, Any]:
    """Return the details of a send that cannot be read back later: how many recipients, when, and which options."""
    echoed = {name: call.arguments[name] for name in call.operation.echo if name in call.arguments}
    return {"asked_for": {"recipients": facts.recipient_count, **echoed}} if call.operation.echo else {}


def hint(call: Call) -> dict[str, Any]:
    """Return a warning about a call that did what its arguments say but probably not what was meant."""
    if call.operation.name not in ("create_route", "update_route"):
        return {}
    doubled = DOUBLED.search(str(call.arguments.get("expression", "")))
    if doubled is None:
        return {}
    return {
        "hint": f"The expression has {doubled[0]}, which matches a backslash and then any character. Write a literal dot "
        r"as \. (one backslash, after JSON is read). To check the expression, call match_route with an address that "
        "should match. To change it, call update_route."
    }


async def read_further(call: Call, result: dict[str, Any], run: "Run") -> dict[str, Any]:
    """Return what the answer lacks and a further read supplies. `run` makes the calls for it."""
    if call.operation.name != "match_route":
        return {}
    from mailgun_mcp.call.inbound_routes import routes_in_order

    return await routes_in_order(call, result, run)


def way_back(call: Call) -> dict[str, Any]:
    """Return how to undo the call, if it can be undone."""
    if call.capture is None or not call.capture.saved:
        return {}
    return {"undo": {"id": call.record.call, "until": iso(call.capture.until)}}
