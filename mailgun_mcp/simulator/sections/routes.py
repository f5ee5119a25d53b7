"""Routes: the account's rules for inbound mail."""

from collections.abc import Iterable
from typing import Any

from mailgun_mcp.simulator.mail.inbound import matching
from mailgun_mcp.simulator.mail.route_language import RouteFault, parse_action, parse_expression
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.routes import Route
from mailgun_mcp.simulator.replies.call import Call, Handler
from mailgun_mcp.simulator.replies.paging import skip_page
from mailgun_mcp.simulator.replies.reply import Refusal, Reply, said

Record = dict[str, Any]


def list_routes(account: Account, call: Call) -> Reply:
    routes = account.routes.in_turn()
    page = skip_page(routes, call.get("skip"), call.get("limit"))
    return Reply({"total_count": len(routes), "items": [_shown(route) for route in page]})


def create_route(account: Account, call: Call) -> Reply:
    actions = call.get("action", [])
    _check(call["expression"], actions)
    route = Route(
        id=account.hex_id(),
        serial=account.serial,
        expression=call["expression"],
        created_at=account.clock.now(),
        actions=list(actions),
        priority=call.get("priority"),
        description=call.get("description", ""),
    )
    account.routes.by_id[route.id] = route
    return said("Route has been created", route=_shown(route))


def get_route(account: Account, call: Call) -> Reply:
    return Reply({"route": _shown(_found(account, call))})


def update_route(account: Account, call: Call) -> Reply:
    route = _found(account, call)
    given = call.arguments
    _check(given.get("expression", route.expression), given.get("action", route.actions))
    route.expression = given.get("expression", route.expression)
    route.actions = list(given.get("action", route.actions))
    route.priority = given.get("priority", route.priority)
    route.description = given.get("description", route.description)
    # The service answers the route bare, unlike everywhere else.
    return said("Route has been updated", **_shown(route))


def delete_route(account: Account, call: Call) -> Reply:
    route = _found(account, call)
    del account.routes.by_id[route.id]
    return said("Route has been deleted", id=route.id)


def match_route(account: Account, call: Call) -> Reply:
    for route, _ in matching(account, call["address"], {}):
        return Reply({"route": _shown(route)})
    raise Refusal(404, "Route not found")


def _check(expression: str, actions: Iterable[str]) -> None:
    try:
        parse_expression(expression)
    except RouteFault as fault:
        raise Refusal(400, f"Invalid route expression: {fault}") from fault
    try:
        for action in actions:
            parse_action(action)
    except RouteFault as fault:
        raise Refusal(400, f"Invalid route action: {fault}") from fault


def _found(account: Account, call: Call) -> Route:
    route = account.routes.by_id.get(call["id"])
    if route is None:
        raise Refusal(404, "Route not found")
    return route


def _shown(route: Route) -> Record:
    return {
        "id": route.id,
        "priority": route.priority,
        "description": route.description,
        "expression": route.expression,
        "actions": route.actions,
        "created_at": mail_date(route.created_at, "GMT"),
    }


HANDLERS: dict[str, Handler] = {
    "list_routes": list_routes,
    "create_route": create_route,
    "get_route": get_route,
    "update_route": update_route,
    "delete_route": delete_route,
    "match_route": match_route,
}
