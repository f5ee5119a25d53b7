"""What exists makes some creations riskier than their arguments show: they take something over, or add up with it.

A domain's new template is used instead of the account's template of the same name; a new route gets the mail that a
catch_all() route got; a new domain gets the mail of a domain that receives for its subdomains. All this is read for each
decision. What cannot be read counts as the worst.
"""

from collections.abc import Awaitable, Callable
from math import inf
from typing import Any
from unicodedata import normalize

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.domain_directory import comparable, names_of
from mailgun_mcp.call.inbound_routes import matches
from mailgun_mcp.call.mailing_lists import FORBIDDEN
from mailgun_mcp.call.preview_target import reading_before_call
from mailgun_mcp.catalogue.operation import Raise
from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.errors import MailgunError
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.route_overlap import ExistingRoute, of_other_routes
from mailgun_mcp.policy.route_reach import destructive, forwarded_to, of_own_targets
from mailgun_mcp.text.addresses import find_addresses
from mailgun_mcp.text.host_names import canonical_host
from mailgun_mcp.undo.page_reader import PageReader

MOST_ROUTES = 10_000
Check = Callable[[Call, Facts], Awaitable[tuple[Raise, ...]]]

SHADOWS = destructive(
    "the domain's mail uses it instead of the account's template of the same name, which changes what customers read"
)
MAY_SHADOW = destructive(
    "the domain's mail may use it instead of a template of the account, which would change what customers read"
)
TAKES_SUBDOMAIN = destructive("it gets the mail that the domain above it receives for its subdomains")
MAY_TAKE_SUBDOMAIN = destructive("it may get mail of another domain: the API key may not read the account's domains")
TAKES_ADDRESS = destructive("mail to its address, which a route of the account handles, can go to the list instead")
MAY_TAKE_ADDRESS = destructive("a route may handle mail to its address: the account's routes cannot all be read")


async def takeovers(call: Call, facts: Facts) -> tuple[Raise, ...]:
    """Return what makes a call of a tool in CHECKS riskier because of what exists.

    Raises NotPreparedError if that cannot be read.
    """
    with reading_before_call(call.operation, "what exists in the account"):
        return await CHECKS[facts.operation.name](call, facts)


async def _of_route(call: Call, facts: Facts) -> tuple[Raise, ...]:
    addresses = forwarded_to(facts.operation, facts.destinations)
    reasons: tuple[Raise, ...] = ()
    if addresses:
        domains = await _items(call, "list_domains")
        names = None if domains is None else comparable(names_of(domains))
        reasons = of_own_targets(addresses, names)
    if facts.operation.name != "create_route":
        return reasons
    expression, priority = str(facts.arguments.get("expression")), _priority(facts.arguments.get("priority"), 0)
    return reasons + of_other_routes(expression, priority, addresses, await _routes(call))


async def _of_template(call: Call, facts: Facts) -> tuple[Raise, ...]:
    name = str(facts.arguments.get("name") or facts.arguments.get("template_name")).lower()
    if normalize("NFKC", name).casefold().strip() != name:
        # Mailgun may store it under another name than this.
        return (MAY_SHADOW,)
    try:
        body = await _reader(call).read(call.services.all_tools.find("get_account_template"), {"template_name": name})
    except MailgunError as error:
        if error.status not in FORBIDDEN:
            raise
        return (MAY_SHADOW,)
    return () if body is None else (SHADOWS,)


async def _of_domain(call: Call, facts: Facts) -> tuple[Raise, ...]:
    name = canonical_host(str(facts.arguments.get("domain"))) or ""
    domains = await _items(call, "list_domains")
    if domains is None:
        return (MAY_TAKE_SUBDOMAIN,)
    wide = comparable(names_of([domain for domain in domains if domain.get("wildcard") not in (False, None)]))
    return (TAKES_SUBDOMAIN,) if any(name.endswith(f".{parent}") for parent in wide) else ()


async def _of_list(call: Call, facts: Facts) -> tuple[Raise, ...]:
    routes = await _routes(call)
    if routes is None:
        return (MAY_TAKE_ADDRESS,)
    addresses = find_addresses(str(facts.arguments.get("address"))).addresses
    # A catch_all() route does not count: every new address takes its mail from it.
    taken = any(matches(route.expression, address, True) is not False for route in routes for address in addresses)
    return (TAKES_ADDRESS,) if taken else ()


CHECKS: dict[str, Check] = {
    "create_route": _of_route,
    "update_route": _of_route,
    "create_template": _of_template,
    "create_template_version": _of_template,
    "create_domain": _of_domain,
    "create_mailing_list": _of_list,
}


async def _routes(call: Call) -> list[ExistingRoute] | None:
    items = await _items(call, "list_routes")
    if items is None:
        return None
    return [
        ExistingRoute(
            str(item.get("expression")),
            tuple(str(action) for action in item.get("actions") or ()),
            # One that cannot be read comes after the new route, so that this takes mail from it.
            _priority(item.get("priority"), inf),
        )
        for item in items
    ]


async def _items(call: Call, tool: str) -> list[Record] | None:
    """Return all items of a list; None if the API key may not read it, or it is too long. Raises MailgunError."""
    items: list[Record] = []
    try:
        async for item in _reader(call).items(call.services.all_tools.find(tool)):
            items.append(item)
            if len(items) > MOST_ROUTES:
                return None
    except MailgunError as error:
        if error.status not in FORBIDDEN:
            raise
        return None
    return items


def _reader(call: Call) -> PageReader:
    return PageReader(call.services.client, call.subaccount, call.caller.notify)


def _priority(value: Any, unreadable: float) -> float:
    """Return a priority, or `unreadable` if it is not a number."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else unreadable
