"""MCP resources: the reference of each tool, and the account's domains and templates."""

import re
from typing import Any
from urllib.parse import quote, unquote

import mcp_types as types
from mcp.shared.exceptions import MCPError

from mailgun_mcp.call.account_choice import usable_accounts
from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.markdown import tool_reference, toolset_index
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server.context import ServerContext, client_name, principal_of
from mailgun_mcp.server.skills import SCHEME as SKILL_SCHEME
from mailgun_mcp.server.skills import Skills

SCHEME = "mailgun-mcp://"
MARKDOWN, JSON = "text/markdown", "application/json"
TEMPLATES = (
    ("tool", "tools/{name}", "Reference of a tool", "Arguments, result, risk and limits of one tool", MARKDOWN),
    ("templates", "domains/{domain}/templates", "Templates of a domain", "The stored mail templates of a domain", JSON),
)
MAX_COMPLETIONS = 100


class Resources:
    """Lists, reads and completes the resources of one server."""

    def __init__(self, services: Services, principal: Principal | None, skills: Skills) -> None:
        self._services = services
        self._principal = principal
        self._skills = skills

    async def list_resources(self, context: ServerContext, _: types.PaginatedRequestParams | None) -> Any:
        """Answer `resources/list`."""
        described = [
            ("tools", "Index of the tools", "All tools by toolset, with their risk", MARKDOWN),
            ("domains", "Domains of the account", "Name, state and type of each domain", JSON),
        ]
        return types.ListResourcesResult(
            resources=[
                types.Resource(uri=SCHEME + name, name=name, title=title, description=description, mime_type=kind)
                for name, title, description, kind in described
            ]
            + self._skills.resources(context)
        )

    async def list_templates(self, _: ServerContext, __: types.PaginatedRequestParams | None) -> Any:
        """Answer `resources/templates/list`."""
        return types.ListResourceTemplatesResult(
            resource_templates=[
                types.ResourceTemplate(
                    uri_template=SCHEME + path, name=name, title=title, description=description, mime_type=kind
                )
                for name, path, title, description, kind in TEMPLATES
            ]
        )

    async def read(self, context: ServerContext, params: types.ReadResourceRequestParams) -> Any:
        """Answer `resources/read`. An unknown URI is a protocol error that names it."""
        uri = str(params.uri)
        if uri.startswith(SKILL_SCHEME):
            skill = self._skills.read(context, uri)
            content = (MARKDOWN, skill) if skill is not None else None
        else:
            content = await self._read(context, uri.removeprefix(SCHEME)) if uri.startswith(SCHEME) else None
        if content is None:
            raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": uri})
        kind, text = content
        return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type=kind, text=text)])

    async def complete(self, context: ServerContext, params: types.CompleteRequestParams) -> Any:
        """Answer `completion/complete`: tool names, and the account's domains."""
        typed = params.argument.value
        match params.argument.name:
            case "name" if isinstance(params.ref, types.ResourceTemplateReference):
                options = list(self._services.catalogue.names)
            case "domain":
                options = await self._domains(context)
            case _:
                options = []
        values = [option for option in options if typed.lower() in option.lower()]
        return types.CompleteResult(
            completion=types.Completion(
                values=values[:MAX_COMPLETIONS], total=len(values), has_more=len(values) > MAX_COMPLETIONS
            )
        )

    def _caller(self, context: ServerContext) -> Caller:
        return Caller(principal_of(context, self._principal), client=client_name(context))

    async def _read(self, context: ServerContext, path: str) -> tuple[str, str] | None:
        if path == "tools":
            return MARKDOWN, toolset_index(self._services.catalogue)
        if path == "domains":
            results = [await self._result(context, "list_domains", each) for each in self._listings(context)]
            texts = [result[1] for result in results if result is not None]
            return (JSON, texts[0] if len(texts) == 1 else f"[{','.join(texts)}]") if texts else None
        if match := re.fullmatch(r"tools/([a-z0-9_]+)", path):
            name = match[1]
            return (
                (MARKDOWN, tool_reference(self._services.catalogue.find(name)))
                if name in self._services.catalogue
                else None
            )
        if match := re.fullmatch(r"domains/([^/]+)/templates", path):
            return await self._result(context, "list_templates", {"domain": unquote(match[1])})
        return None

    async def _result(self, context: ServerContext, tool: str, arguments: dict[str, Any]) -> tuple[str, str] | None:
        """Read through the same pipeline as a call. A tool that is not offered is not found."""
        if tool not in self._services.catalogue:
            return None
        outcome = await run(self._services, tool, arguments, self._caller(context))
        if outcome.is_error:
            raise MCPError(types.INVALID_PARAMS, outcome.text)
        return JSON, outcome.text

    def _listings(self, context: ServerContext) -> list[dict[str, Any]]:
        """Return the arguments with which all domains are listed: once, or once for each account of the caller."""
        accounts = usable_accounts(self._services, principal_of(context, self._principal))
        if len(accounts) < 2:
            return [{"limit": 1000}]
        return [{"limit": 1000, "account": account} for account in accounts]

    async def _domains(self, context: ServerContext) -> list[str]:
        if "list_domains" not in self._services.catalogue:
            return []
        items: list[Any] = []
        for arguments in self._listings(context):
            outcome = await run(self._services, "list_domains", arguments, self._caller(context))
            items += (outcome.structured or {}).get("items") or []
        return [quote(item["name"], safe="") for item in items if isinstance(item, dict) and item.get("name")]
