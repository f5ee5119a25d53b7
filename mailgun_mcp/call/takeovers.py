"""What exists makes some creations riskier than their arguments show: they take something over, or add up with it.

A domain's new template is used instead of the account's template of the same name; a new route gets the mail that a
catch_all() route got; a new domain gets the mail of a domain that receives for its subdomains. All this is read for each
decision. What cannot be read counts as the worst.
"""

from collections.abc import Awaitable, Callable, Collection
from math import inf
from unicodedata import normalize

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.domain_directory import comparable, read_domains
from mailgun_mcp.call.inbound_routes import matches
from mailgun_mcp.call.mailing_lists import FORBIDDEN
from mailgun_mcp.call.preview_target import reading_before_call
from mailgun_mcp.catalogue.operation import Raise
from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.errors import MailgunError, UnreadableError
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.route_overlap import (
    TAKES_OVER,
    UNKNOWN_ROUTES,
    ExistingRoute,
    new_route,
    of_other_routes,
    priority_or,
)
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
MAY_TAKE_FROM_ABOVE = destructive(
    "it may get mail of the domain above it: Mailgun does not say whether that receives for its subdomains"
)
TAKES_ADDRESS = destructive("mail to its address, which a route of the account handles, can go to the list instead")
MAY_TAKE_ADDRESS = destructive("a route may handle mail to its address: the account's routes cannot all be read")


async def takeovers(call: Call, facts: Facts) -> tuple[Raise, ...]:
    """Return what makes a call of a tool in CHECKS riskier because of what exists.

    Raises NotPreparedError if that cannot be read.
    """
    with reading_before_call(call.operation, "what exists in the account"):
        return await CHECKS[facts.operation.name](call, facts)


async def _of_route(call: Call, facts: Facts) -> tuple[Raise, ...]:
    addresses: Collection[str] = forwarded_to(facts.operation, facts.destinations)
    reasons: tuple[Raise, ...] = ()
    if addresses:
        domains = await _domains(call)
        reasons = of_own_targets(addresses, None if domains is None else comparable(map(_name, domains)))
    expression, priority, action = (facts.arguments.get(name) for name in ("expression", "priority", "action"))
    if facts.operation.name == "create_route":
        route, routes = new_route(facts.arguments), await _routes(call)
        if routes is not None:
            routes += await call.services.history.recent_routes(facts.context.counted_for)
        return reasons + of_other_routes(route.expression, route.priority, addresses, routes)
    if expression is None and priority is None and action is None:
        return reasons
    routes = await _routes(call)
    if routes is None:
        return (*reasons, UNKNOWN_ROUTES)
    former = next((route for route in routes if route.id == facts.arguments["id"]), None)
    if former is None:
        # It may be too new for the list.
        return (*reasons, UNKNOWN_ROUTES)
    others = of_other_routes(
        former.expression if expression is None else str(expression),
        former.priority if priority is None else priority_or(priority, 0),
        former.addresses if action is None else addresses,
        [route for route in routes if route is not former],
    )
    # Other actions alone take no mail from a catch_all() route that it got before.
    return reasons + tuple(one for one in others if one != TAKES_OVER or expression is not None or priority is not None)


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
    domains = await _domains(call)
    if domains is None:
        return (MAY_TAKE_SUBDOMAIN,)
    above = [domain for domain in domains if any(name.endswith(f".{one}") for one in comparable([_name(domain)]))]
    wildcards = [domain.get("wildcard") for domain in above]
    if any(wildcard is not False and wildcard is not True for wildcard in wildcards):
        return (MAY_TAKE_FROM_ABOVE,)
    return (TAKES_SUBDOMAIN,) if any(wildcards) else ()


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
    """Return the account's routes; None if the API key may not read them, or they are too many. Raises MailgunError."""
    routes: list[ExistingRoute] = []
    try:
        async for item in _reader(call).items(call.services.all_tools.find("list_routes")):
            routes.append(_route(item))
            if len(routes) > MOST_ROUTES:
                return None
    except MailgunError as error:
        if error.status not in FORBIDDEN:
            raise
        return None
    return routes


def _route(item: Record) -> ExistingRoute:
    """Return a route of an answer. Raises UnreadableError."""
    actions = item.get("actions")
    if not isinstance(actions, list):
        raise UnreadableError("A route in the account's list has no actions", "Try again.")
    # A priority that cannot be read comes after the new route, so that this takes mail from it.
    priority = priority_or(item.get("priority"), inf)
    return ExistingRoute(str(item.get("expression")), tuple(map(str, actions)), priority, item.get("id"))


async def _domains(call: Call) -> list[Record] | None:
    """Return the account's domains; None if the API key may not read them. Raises MailgunError."""
    services = call.services
    try:
        return await read_domains(services.all_tools, services.client, call.subaccount, call.caller.notify)
    except MailgunError as error:
        if error.status not in FORBIDDEN:
            raise
        return None


def _name(domain: Record) -> str:
    return str(domain["name"])


def _reader(call: Call) -> PageReader:
    return PageReader(call.services.client, call.subaccount, call.caller.notify)
