"""Which routes an incoming mail runs through: Mailgun names only one of them.

Route expressions are evaluated as Mailgun evaluates them. A condition on headers, or a pattern that could take long to
try, has an uncertain result.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.workflows.reads import Run
from mailgun_mcp.catalogue.catalogue import ON_BEHALF_OF
from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.confirm.asker import NOBODY
from mailgun_mcp.request.route_language import (
    CombinedExpression,
    RouteExpression,
    RouteFilter,
    RouteSyntaxError,
    parse_action,
    parse_expression,
)
from mailgun_mcp.store.database import in_thread

LIST = "list_routes"
PAGE, MOST_PAGES = 100, 10
MOST_STEPS = 100_000
"""Most steps for trying one pattern, about 2 ms: the event loop waits meanwhile."""
SHOWN = ("id", "priority", "description", "expression", "actions")
STEPS = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<nested>\)[*+{])|(?P<repeats>[*+{])|(?P<choices>[?|])", re.DOTALL
)
"""What makes a pattern slow: repetitions and choices. Escaped characters and those in a class do not count."""


async def routes_in_order(call: Call, result: Record, run: Run) -> Record:
    """Return all routes that mail to the address of `match_route` runs through, or a note that says why not."""
    routes, why = await _all_routes(call, run)
    if routes is None:
        return {"note": f"Mail can match more routes than this one. The others are not shown: {why}"}
    named = (result.get("route") or {}).get("id")
    return {"routes": await in_thread(matching_routes, routes, call.arguments["address"], named)}


async def _all_routes(call: Call, run: Run) -> tuple[list[Record] | None, str]:
    """Return all routes of the account, or None and the reason. Policy and audit log see this as its own call."""
    if LIST not in call.services.catalogue:
        return None, f"this server does not offer {LIST}."
    caller = replace(call.caller, asker=NOBODY)
    acting = {name: value for name, value in call.arguments.items() if name == ON_BEHALF_OF}
    routes: list[Record] = []
    for page in range(MOST_PAGES):
        outcome = await run(LIST, {**acting, "limit": PAGE, "skip": page * PAGE}, caller)
        if outcome.structured is None:
            return None, outcome.text
        if "cut" in outcome.structured:
            break
        routes += outcome.structured.get("items") or ()
        if "next" not in outcome.structured:
            return routes, ""
    return None, f"the account has too many. {LIST} lists them."


class _Earlier(NamedTuple):
    """What is known about the routes before a given one."""

    matched: bool | None = False
    """Whether one of them matches; None if that is uncertain."""
    stopped: str | None = None
    """The id of a route that stops the mail."""
    may_stop: str | None = None
    """The id of a route that may stop the mail."""


def matching_routes(routes: Iterable[Record], address: str, named: str | None = None) -> list[Record]:
    """Return the routes that match, or may match, mail to the address, in order, and whether each runs.

    `named` is the route that Mailgun says matches.
    """
    matching: list[Record] = []
    earlier = _Earlier()
    for route in sorted(routes, key=lambda one: one.get("priority") or 0):
        match = (
            True if route.get("id") == named else matches(str(route.get("expression") or ""), address, earlier.matched)
        )
        if match is False:
            continue
        matching.append({name: route[name] for name in SHOWN if name in route} | {"runs": _runs(match, earlier)})
        earlier = _with(earlier, route, match)
    return matching


def _with(earlier: _Earlier, route: Record, match: bool | None) -> _Earlier:
    matched = True if match or earlier.matched else None
    if not stops(route) or earlier.stopped:
        return earlier._replace(matched=matched)
    stopper = {"stopped" if match else "may_stop": str(route.get("id"))}
    return earlier._replace(matched=matched, **stopper)


def _runs(match: bool | None, earlier: _Earlier) -> str:
    if earlier.stopped:
        return f"no: route {earlier.stopped} matches first and stops"
    if match is None:
        return "maybe: its expression also depends on the headers of the mail, on other routes, or cannot be read here"
    return f"maybe: route {earlier.may_stop} comes first, and stops if it matches" if earlier.may_stop else "yes"


def stops(route: Record) -> bool:
    """Return whether the route stops the mail, so that no later route is tried."""
    for action in route.get("actions") or ():
        try:
            if parse_action(str(action)).kind == "stop":
                return True
        except RouteSyntaxError:
            continue
    return False


def matches(expression: str, address: str, matched_before: bool | None) -> bool | None:
    """Return whether the expression matches mail to the address; None if that is uncertain."""
    try:
        return _matches(parse_expression(expression), address, matched_before)
    except RouteSyntaxError:
        return None


def _matches(expression: RouteExpression, address: str, matched_before: bool | None) -> bool | None:
    if isinstance(expression, CombinedExpression):
        parts = [_matches(part, address, matched_before) for part in expression.parts]
        return _any(parts) if expression.operator == "or" else _all(parts)
    return _filter_matches(expression, address, matched_before)


def _filter_matches(one: RouteFilter, address: str, matched_before: bool | None) -> bool | None:
    if one.kind == "catch_all":
        return None if matched_before is None else not matched_before
    if one.kind == "match_header" or not _is_quick(one.pattern.pattern, len(address)):
        return None
    return one.pattern.match(address) is not None


def _any(parts: Sequence[bool | None]) -> bool | None:
    return True if True in parts else None if None in parts else False


def _all(parts: Sequence[bool | None]) -> bool | None:
    return False if False in parts else None if None in parts else True


def _is_quick(pattern: str, length: int) -> bool:
    """Return whether the pattern can be tried on any text of this length within the step limit."""
    steps: list[Any] = [match.lastgroup for match in STEPS.finditer(pattern)]
    return "nested" not in steps and (length + 1) ** steps.count("repeats") * 2 ** steps.count("choices") <= MOST_STEPS
