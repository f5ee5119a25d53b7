"""Routes: the account's rules for inbound mail."""

from collections.abc import Iterable

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.request.route_language import RouteSyntaxError, parse_action, parse_expression
from mailgun_mcp.simulator.mail.inbound import matching_routes
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.routes import Route
from mailgun_mcp.simulator.replies.paging import skip_page
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles


@handles("list_routes", fidelity="stateful", note="ordered by priority, skip/limit")
def list_routes(account: Account, request: SimulatedRequest) -> Reply:
    routes = account.routes.in_order()
    page = skip_page(routes, request.get("skip"), request.get("limit"))
    return Reply({"total_count": len(routes), "items": [_to_json(route) for route in page]})


@handles("create_route", fidelity="stateful", note="expressions and actions are parsed, and run on inbound mail")
def create_route(account: Account, request: SimulatedRequest) -> Reply:
    actions = request.get("action", [])
    _check(request["expression"], actions)
    route = Route(
        id=account.hex_id(),
        serial=account.serial,
        expression=request["expression"],
        created_at=account.clock.now(),
        actions=list(actions),
        priority=request.get("priority"),
        description=request.get("description", ""),
    )
    account.routes.by_id[route.id] = route
    return success("Route has been created", route=_to_json(route))


@handles("get_route", fidelity="stateful", note="by id")
def get_route(account: Account, request: SimulatedRequest) -> Reply:
    return Reply({"route": _to_json(_get_route(account, request))})


@handles("update_route", fidelity="stateful", note="by id")
def update_route(account: Account, request: SimulatedRequest) -> Reply:
    route = _get_route(account, request)
    given = request.arguments
    _check(given.get("expression", route.expression), given.get("action", route.actions))
    route.expression = given.get("expression", route.expression)
    route.actions = list(given.get("action", route.actions))
    route.priority = given.get("priority", route.priority)
    route.description = given.get("description", route.description)
    # Unlike all other operations, Mailgun returns the fields of the route at the top level here.
    return success("Route has been updated", **_to_json(route))


@handles("delete_route", fidelity="stateful", note="by id")
def delete_route(account: Account, request: SimulatedRequest) -> Reply:
    route = _get_route(account, request)
    del account.routes.by_id[route.id]
    return success("Route has been deleted", id=route.id)


@handles(
    "match_route", fidelity="computed", note="the first route that matches an address, whatever the headers of the mail"
)
def match_route(account: Account, request: SimulatedRequest) -> Reply:
    for route, _ in matching_routes(account, request["address"], {}):
        return Reply({"route": _to_json(route)})
    raise ApiError(404, "Route not found")


def _check(expression: str, actions: Iterable[str]) -> None:
    try:
        parse_expression(expression)
    except RouteSyntaxError as fault:
        raise ApiError(400, f"Invalid route expression: {fault}") from fault
    try:
        for action in actions:
            parse_action(action)
    except RouteSyntaxError as fault:
        raise ApiError(400, f"Invalid route action: {fault}") from fault


def _get_route(account: Account, request: SimulatedRequest) -> Route:
    route = account.routes.by_id.get(request["id"])
    if route is None:
        raise ApiError(404, "Route not found")
    return route


def _to_json(route: Route) -> Record:
    return {
        "id": route.id,
        "priority": route.priority,
        "description": route.description,
        "expression": route.expression,
        "actions": route.actions,
        "created_at": mail_date(route.created_at, "GMT"),
    }
