"""MCP completions: names in the account, for the arguments of prompts and resources, from short-lived caches."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import mcp_types as types

from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.output.untrusted import FENCE
from mailgun_mcp.server.context import ServerContext, client_name, principal_of
from mailgun_mcp.server.offered import in_each_account, tools_for

MAX_COMPLETIONS = 100
FRESH = 30.0
"""Seconds for which names are cached: a client asks after each character."""
MOST_CACHED = 200


@dataclass(frozen=True, slots=True)
class Source:
    """Where names come from: a reading tool, and the field of its items that holds the name."""

    tool: str
    field: str
    items: str = "items"
    fixed: Arguments | None = None
    within: str = ""
    """An argument that must be filled in before names can be read."""


DOMAINS = Source("list_domains", "name", fixed={"limit": 1000})
TEMPLATES = Source("list_templates", "name", within="domain")
LISTS = Source("list_mailing_lists", "address")
TAGS = Source("query_account_tags", "tag")
WEBHOOKS = Source("list_domain_webhooks", "", items="webhooks", within="domain")
ROUTES = Source("list_routes", "id")
IPS = Source("list_ips", "")
SOURCES: Mapping[str, Source] = {
    "domain": DOMAINS,
    "template": TEMPLATES,
    "webhook": WEBHOOKS,
    "list": LISTS,
    "to": LISTS,
    "tag": TAGS,
    "route": ROUTES,
    "ip": IPS,
}
"""Argument of a prompt or variable of a resource -> its source."""
CHOICES: Mapping[tuple[str, str], Sequence[str]] = {
    ("clean_suppressions", "list"): ("bounces", "complaints", "unsubscribes"),
    ("rotate_keys", "what"): ("api keys", "webhook signing key", "smtp passwords", "dkim"),
    ("rotate_keys", "reason"): ("routine", "leaked"),
}
"""Prompt and argument -> all valid values."""


class Completions:
    """Completes arguments for one server."""

    def __init__(self, services: Services, principal: Principal | None) -> None:
        self._services = services
        self._principal = principal
        self._cache: OrderedDict[tuple[str, str, str], tuple[float, list[str]]] = OrderedDict()

    async def complete(self, context: ServerContext, params: types.CompleteRequestParams) -> Any:
        """Answer `completion/complete`."""
        name, typed = params.argument.name, params.argument.value.lower()
        given = (params.context.arguments if params.context else None) or {}
        if isinstance(params.ref, types.PromptReference):
            options = CHOICES.get((params.ref.name, name)) or await self._names(context, name, given)
        elif name == "name":
            options = list(tools_for(self._services, principal_of(context, self._principal).access))
        else:
            options = [quote(option, safe="@") for option in await self._names(context, name, given)]
        values = [option for option in options if typed in option.lower()]
        return types.CompleteResult(
            completion=types.Completion(
                values=values[:MAX_COMPLETIONS], total=len(values), has_more=len(values) > MAX_COMPLETIONS
            )
        )

    async def _names(self, context: ServerContext, argument: str, given: Mapping[str, str]) -> list[str]:
        source = SOURCES.get(argument)
        principal = principal_of(context, self._principal)
        if source is None or source.tool not in tools_for(self._services, principal.access):
            return []
        within = given.get(source.within, "") if source.within else ""
        if source.within and not within:
            return []
        key = (principal.id, source.tool, within)
        at, names = self._cache.get(key, (0.0, []))
        now = self._services.clock()
        if not at <= now < at + FRESH:
            names = await self._read(source, within, Caller(principal, client=client_name(context)))
            self._cache[key] = (now, names)
            while len(self._cache) > MOST_CACHED:
                self._cache.popitem(last=False)
        return names

    async def _read(self, source: Source, within: str, caller: Caller) -> list[str]:
        """Read through the same stages as a call. If it cannot be read, there are no completions."""
        arguments = {**(source.fixed or {}), **({source.within: within} if within else {})}
        names: list[str] = []
        for each in await in_each_account(self._services, caller.principal, arguments):
            outcome = await run(self._services, source.tool, each, caller)
            names += _named((outcome.structured or {}).get(source.items), source.field)
        return list(dict.fromkeys(names))


def _named(items: Any, field: str) -> list[str]:
    """Return the names of the items, without fenced ones: those are third-party text."""
    if isinstance(items, dict):
        values: list[Any] = list(items)
    else:
        values = [
            item.get(field) if isinstance(item, dict) else item
            for item in items or ()
            if field or isinstance(item, str)
        ]
    return [value for value in values if isinstance(value, str) and value and FENCE not in value]
