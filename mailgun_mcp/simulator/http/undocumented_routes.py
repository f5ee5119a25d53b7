"""Routes that Mailgun serves and does not document. Its SDKs and its responses lead to them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from mailgun_mcp.simulator.http.body import Fields, parse_form, parse_query
from mailgun_mcp.simulator.mail.sending_ips import assign_source, ips_used_by, parse_source
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success

Handler = Callable[[Account, Domain, Mapping[str, str], Fields], Reply]
CONNECTION = ("require_tls", "skip_verification")


@dataclass(frozen=True, slots=True)
class UndocumentedRoute:
    """A method and path, and the operation whose rights it needs."""

    method: str
    path: re.Pattern[str]
    operation: str
    handler: Handler


def find(method: str, path: str) -> tuple[UndocumentedRoute, dict[str, str]] | None:
    """Return the undocumented route of a path, and its path parameters."""
    for route in UNDOCUMENTED_ROUTES:
        match = route.path.fullmatch(path)
        if match and route.method == method:
            return route, {name: unquote(value) for name, value in match.groupdict().items()}
    return None


def fields_of(query: str, content: bytes, content_type: str) -> Fields:
    """Return the fields of the request, from its query and its body."""
    return {**parse_query(query), **parse_form(content, content_type)}


def _attachment(_: Account, domain: Domain, values: Mapping[str, str], __: Fields) -> Reply:
    message = domain.messages.get(values["key"])
    index = int(values["index"])
    if message is None or index >= len(message.attachments):
        raise ApiError(404, "Attachment not found")
    item = message.attachments[index]
    return Reply(item.data, content_type=item.content_type)


def _list_ips(_: Account, domain: Domain, __: Mapping[str, str], ___: Fields) -> Reply:
    addresses = ips_used_by(domain)
    return Reply({"items": addresses, "total_count": len(addresses)})


def _assign_ip(account: Account, domain: Domain, _: Mapping[str, str], fields: Fields) -> Reply:
    given = {name: str(values[-1]) for name, values in fields.items()}
    if not given.get("ip") and not given.get("pool_id"):
        raise ApiError(400, "ip or pool_id is required")
    chosen = parse_source(account, [given["ip"]] if given.get("ip") else None, given.get("pool_id"))
    if chosen is not None:
        assign_source(domain, chosen)
    return success("success")


def _connection(_: Account, domain: Domain, __: Mapping[str, str], ___: Fields) -> Reply:
    return Reply({"connection": {name: bool(domain.settings.get(name)) for name in CONNECTION}})


def _set_connection(_: Account, domain: Domain, __: Mapping[str, str], fields: Fields) -> Reply:
    for name in CONNECTION:
        if name in fields:
            domain.settings[name] = str(fields[name][-1]).lower() in ("true", "yes")
    connection = {name.replace("_", "-"): bool(domain.settings.get(name)) for name in CONNECTION}
    return success("Domain connection settings have been updated, may take 10 minutes to fully propagate", **connection)


def _set_web_prefix(_: Account, domain: Domain, __: Mapping[str, str], fields: Fields) -> Reply:
    if not fields.get("web_prefix"):
        raise ApiError(400, "web_prefix is required")
    domain.settings["web_prefix"] = str(fields["web_prefix"][-1])
    return success("Domain web prefix updated")


DOMAIN = r"/v3/domains/(?P<domain>[^/]+)"
UNDOCUMENTED_ROUTES = (
    UndocumentedRoute(
        "GET",
        re.compile(DOMAIN + r"/messages/(?P<key>[^/]+)/attachments/(?P<index>[0-9]{1,4})"),
        "get_stored_message",
        _attachment,
    ),
    UndocumentedRoute("GET", re.compile(DOMAIN + "/ips"), "get_domain", _list_ips),
    UndocumentedRoute("POST", re.compile(DOMAIN + "/ips"), "update_domain", _assign_ip),
    UndocumentedRoute("GET", re.compile(DOMAIN + "/connection"), "get_domain", _connection),
    UndocumentedRoute("PUT", re.compile(DOMAIN + "/connection"), "update_domain", _set_connection),
    UndocumentedRoute("PUT", re.compile(DOMAIN + "/web_prefix"), "update_domain", _set_web_prefix),
)
