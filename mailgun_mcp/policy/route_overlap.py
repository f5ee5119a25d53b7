"""What a new or changed route does together with the routes that can match the same mail. Pure. In doubt two routes can."""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from mailgun_mcp.catalogue.operation import Raise
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.policy.route_reach import MOST_TARGETS, destructive
from mailgun_mcp.request.route_language import (
    CombinedExpression,
    RouteExpression,
    RouteFilter,
    RouteSyntaxError,
    parse_action,
    parse_expression,
)
from mailgun_mcp.text.addresses import find_addresses

PLAIN = re.compile(r"(?:\\[^A-Za-z0-9]|[^\\^$*+?{}\[\]|()])*")
"""A pattern without repetitions, choices, groups and classes: escaped characters, plain characters and dots."""
CATCH_ALL = "catch_all"
MANY_TOGETHER = destructive(
    f"together with other routes that can match the same mail, it sends one mail to more than {MOST_TARGETS} addresses"
)
UNKNOWN_ROUTES = destructive(
    "it may take mail from other routes, or send one mail to many together with them: they cannot all be read",
)
TAKES_OVER = destructive("mail that it matches no longer reaches the catch_all() route after it")


class ExistingRoute(NamedTuple):
    """A route of the account, or one that is about to be made."""

    expression: str
    actions: tuple[str, ...]
    priority: float
    id: str | None = None

    @classmethod
    def from_note(cls, text: str) -> "ExistingRoute":
        """Return the route of a note. Its actions are no more than addresses, which counts as forwarding to them."""
        expression, addresses, priority = json.loads(text)
        return cls(expression, tuple(addresses), priority)

    @property
    def note(self) -> str:
        """What other calls have to know of the route, as text. URLs that it forwards to can contain secrets."""
        return json.dumps([self.expression, sorted(self.addresses), self.priority])

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses that it forwards to."""
        return frozenset(_forwarded_to(self.actions))

    @property
    def catches_all(self) -> bool:
        """Whether it gets, perhaps among others, the mail that no route before it matches."""
        try:
            return any(one.kind == CATCH_ALL for one in _filters(parse_expression(self.expression)))
        except RouteSyntaxError:
            return CATCH_ALL in self.expression


def new_route(arguments: Arguments) -> ExistingRoute:
    """Return the route that a call of create_route makes."""
    actions, priority = arguments.get("action"), arguments.get("priority")
    return ExistingRoute(
        str(arguments.get("expression")),
        tuple(map(str, actions if isinstance(actions, list) else [actions])),
        priority_or(priority, 0),
    )


def priority_or(value: Any, unreadable: float) -> float:
    """Return a priority, or `unreadable` if it is not a number."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else unreadable


def of_other_routes(
    expression: str, priority: float, addresses: Collection[str], routes: Iterable[ExistingRoute] | None
) -> tuple[Raise, ...]:
    """Return why a new or changed route is destructive together with the other routes.

    `routes` is None if they cannot all be read.
    """
    if routes is None:
        return (UNKNOWN_ROUTES,)
    overlapping = [route for route in routes if may_overlap(expression, route.expression)]
    together = {*addresses, *chain.from_iterable(route.addresses for route in overlapping)}
    reasons = [MANY_TOGETHER] if addresses and len(together) > MOST_TARGETS else []
    if any(route.catches_all and not route.priority < priority for route in overlapping):
        reasons.append(TAKES_OVER)
    return tuple(reasons)


def may_overlap(one: str, other: str) -> bool:
    """Return whether a mail may match both expressions."""
    try:
        return _overlap(parse_expression(one), parse_expression(other))
    except RouteSyntaxError:
        return True


def _overlap(one: RouteExpression, other: RouteExpression) -> bool:
    if isinstance(one, CombinedExpression):
        parts = (_overlap(part, other) for part in one.parts)
        return any(parts) if one.operator == "or" else all(parts)
    if isinstance(other, CombinedExpression):
        return _overlap(other, one)
    if one.kind != "match_recipient" or other.kind != "match_recipient":
        return True
    first, second = _characters(one), _characters(other)
    if first is None or second is None or first.count("@") != 1 or second.count("@") != 1:
        return True
    return _contains(first, second) or _contains(second, first) or _meet(first, second)


def _characters(one: RouteFilter) -> list[str | None] | None:
    """Return the characters that the recipient has, with None for each that may be any; None for other patterns."""
    text = one.pattern.pattern.removeprefix("^").removesuffix("$")
    if not PLAIN.fullmatch(text) or "@" not in text:
        return None
    return [None if sign == "." else sign[-1] for sign in re.findall(r"\\.|.", text.lower(), re.DOTALL)]


def _contains(text: list[str | None], part: list[str | None]) -> bool:
    starts = range(len(text) - len(part) + 1)
    return any(
        all(one is None or two is None or one == two for one, two in zip(text[start:], part, strict=False))
        for start in starts
    )


def _meet(one: list[str | None], other: list[str | None]) -> bool:
    """Return whether the characters around the @ are the same, as far as both patterns say them.

    Mailgun does not document where in the address a pattern must match, so it may be anywhere.
    """
    at, other_at = one.index("@"), other.index("@")
    local = zip(one[:at][::-1], other[:other_at][::-1], strict=False)
    domain = zip(one[at:], other[other_at:], strict=False)
    return all(first is None or second is None or first == second for first, second in chain(local, domain))


def _filters(expression: RouteExpression) -> Iterator[RouteFilter]:
    if isinstance(expression, CombinedExpression):
        for part in expression.parts:
            yield from _filters(part)
    else:
        yield expression


def _forwarded_to(actions: tuple[str, ...]) -> Iterator[str]:
    for action in actions:
        try:
            targets = parse_action(action).targets
        except RouteSyntaxError:
            targets = (action,)
        for target in targets:
            if "://" not in target:
                yield from find_addresses(target).addresses
