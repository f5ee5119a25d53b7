"""Routes that Mailgun serves but the catalogue lacks. Its SDKs, older documents and responses refer to them.

This module has the routes of domains. `sections` has the others.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from mailgun_mcp.simulator.http.body import Fields, parse_form, parse_json, parse_query
from mailgun_mcp.simulator.mail.sending_ips import assign_source, ips_used_by, parse_source
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success

CONNECTION = ("require_tls", "skip_verification")


@dataclass(frozen=True, slots=True)
class UndocumentedRequest:
    """A request for an undocumented route."""

    values: Mapping[str, str]
    """The path parameters."""
    query: str
    content: bytes
    content_type: str
    base_url: str
    """The start of the simulator's URLs."""
    read: Callable[[str], Awaitable[Reply]]
    """Answers a GET request for another path, with the same client's permissions."""

    @property
    def fields(self) -> Fields:
        """The fields of the query and of the form in the body. Raises ApiError if the body is not a form."""
        return {**parse_query(self.query), **parse_form(self.content, self.content_type)}

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object in the body. Raises ApiError if it is something else."""
        value = parse_json(self.content)
        if not isinstance(value, dict):
            raise ApiError(400, "The request body is not an object")
        return value

    def domain(self, account: Account) -> Domain:
        """Return the domain named in the path. Raises ApiError if the account does not have it."""
        name = self.values["domain"]
        if name.lower() not in account.domains:
            raise ApiError(404, f"Domain not found: {name}")
        return account.domains[name.lower()]


Handler = Callable[[Account, UndocumentedRequest], Reply | Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class UndocumentedRoute:
    """A method and path, and the operation whose permissions are checked."""

    method: str
    path: re.Pattern[str]
    operation: str
    handler: Handler


def find_route(
    routes: Iterable[UndocumentedRoute], method: str, path: str
) -> tuple[UndocumentedRoute, dict[str, str]] | None:
    """Return the route for a path and its path parameters, or None."""
    for route in routes:
        match = route.path.fullmatch(path)
        if match and route.method == method:
            return route, {name: unquote(value) for name, value in match.groupdict().items()}
    return None


def _list_ips(account: Account, request: UndocumentedRequest) -> Reply:
    addresses = ips_used_by(request.domain(account))
    return Reply({"items": addresses, "total_count": len(addresses)})


def _assign_ip(account: Account, request: UndocumentedRequest) -> Reply:
    domain = request.domain(account)
    given = {name: str(values[-1]) for name, values in request.fields.items()}
    if not given.get("ip") and not given.get("pool_id"):
        raise ApiError(400, "ip or pool_id is required")
    chosen = parse_source(account, [given["ip"]] if given.get("ip") else None, given.get("pool_id"))
    if chosen is not None:
        assign_source(domain, chosen)
    return success("success")


def _connection(account: Account, request: UndocumentedRequest) -> Reply:
    domain = request.domain(account)
    return Reply({"connection": {name: bool(domain.settings.get(name)) for name in CONNECTION}})


def _set_connection(account: Account, request: UndocumentedRequest) -> Reply:
    domain, fields = request.domain(account), request.fields
    for name in CONNECTION:
        if name in fields:
            domain.settings[name] = str(fields[name][-1]).lower() in ("true", "yes")
    connection = {name.replace("_", "-"): bool(domain.settings.get(name)) for name in CONNECTION}
    return success("Domain connection settings have been updated, may take 10 minutes to fully propagate", **connection)


def _set_web_prefix(account: Account, request: UndocumentedRequest) -> Reply:
    domain, fields = request.domain(account), request.fields
    if not fields.get("web_prefix"):
        raise ApiError(400, "web_prefix is required")
    domain.settings["web_prefix"] = str(fields["web_prefix"][-1])
    return success("Domain web prefix updated")


DOMAIN = r"/v3/domains/(?P<domain>[^/]+)"
DOMAIN_ROUTES = (
    UndocumentedRoute("GET", re.compile(DOMAIN + "/ips"), "get_domain", _list_ips),
    UndocumentedRoute("POST", re.compile(DOMAIN + "/ips"), "update_domain", _assign_ip),
    UndocumentedRoute("GET", re.compile(DOMAIN + "/connection"), "get_domain", _connection),
    UndocumentedRoute("PUT", re.compile(DOMAIN + "/connection"), "update_domain", _set_connection),
    UndocumentedRoute("PUT", re.compile(DOMAIN + "/web_prefix"), "update_domain", _set_web_prefix),
)
